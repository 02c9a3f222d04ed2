"""Reads tables out of the documents, for tests that hold them against the code."""

from __future__ import annotations

from pathlib import Path

TOP = Path(__file__).parents[3]


def text(document: str) -> str:
    """The text of a document, named from the top of the tree."""
    return (TOP / document).read_text(encoding="utf-8")


def table_after(document: str, mark: str) -> list[tuple[str, ...]]:
    """The rows, without the heading, of the table behind the comment ``<!-- mark: ... -->``; cells are stripped."""
    begin = f"<!-- {mark}:"
    lines = text(document).splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(begin)]
    assert len(starts) == 1, f"{document}: {begin} stands there {len(starts)} times"
    rows: list[tuple[str, ...]] = []
    for line in lines[starts[0] + 1 :]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip().strip("|").split("|")))
    assert len(rows) > 2, f"{document}: no table behind {begin}"
    return rows[2:]
