"""What a bench is, and how its rows become a table and a JSON file.

A bench is a module `tests/bench/bench_<name>.py` with a docstring that says what it compares and a function
`rows()`, plain or asynchronous, generator or not, that gives `Row`s; a text among them is printed above their
table. Ours and the peer are measured in one run on one machine, in turns where it matters, because only their ratio
travels between machines. Nothing here asserts: a bench reports, a reader judges.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import time
from collections.abc import AsyncIterable, Awaitable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.machine import machine

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from types import ModuleType

FOLDER = Path(__file__).parent
RESULTS = FOLDER.parents[1] / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured: ours beside a peer's figure or a limit; neither is needed for a bare fact."""

    what: str
    unit: str
    ours: float
    peer_or_limit: float | None = None
    against: str = ""  # names the peer, or says "limit"

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer or limit; None where there is nothing to divide by."""
        return self.ours / self.peer_or_limit if self.peer_or_limit else None


@dataclass(frozen=True, slots=True)
class Result:
    """One bench as run: its rows, what it says about itself, and the machine it ran on."""

    name: str
    about: str
    rows: tuple[Row, ...]
    machine: Mapping[str, object]
    took_s: float
    notes: tuple[str, ...] = ()

    def save(self, folder: Path = RESULTS) -> Path:
        """Write `<name>.json` and return its path; an earlier result of that name is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        rows = [{**asdict(row), "ratio": row.ratio} for row in self.rows]
        content = {**asdict(self), "rows": rows}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    def table(self) -> str:
        """The rows as text in aligned columns."""
        head = ("what", "unit", "ours", "peer or limit", "ratio", "against")
        lines = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        return "\n".join(aligned(line, widths, numbers=range(2, 5)) for line in lines)


def names() -> list[str]:
    """Give every bench there is, by the name that `./ward bench NAME` takes."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def run(name: str) -> Result:
    """Import one bench, run it, and return what it found; its own errors pass through."""
    module = importlib.import_module(f"tests.bench.bench_{name}")
    started = time.perf_counter()
    found = _rows(module)
    rows = tuple(one for one in found if isinstance(one, Row))
    notes = tuple(one for one in found if isinstance(one, str))
    about = inspect.cleandoc(module.__doc__ or "").splitlines()[0]
    return Result(name, about, rows, machine(), round(time.perf_counter() - started, 3), notes)


def main(arguments: Sequence[str]) -> int:
    """Run the benches named, or all; print tables, write JSON. Status 0, 64 for an unknown name."""
    known = names()
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return os.EX_USAGE
    for name in arguments or known:
        result = run(name)
        parts = (f"{name}: {result.about} ({result.took_s:.1f} s)", *result.notes, result.table(), str(result.save()))
        print("\n" + "\n\n".join(parts), flush=True)
    return os.EX_OK


def _rows(module: ModuleType) -> list[Row | str]:
    found: object = module.rows()
    if isinstance(found, AsyncIterable | Awaitable):
        return asyncio.run(_collected(found))
    return _checked(found)


async def _collected(found: AsyncIterable[object] | Awaitable[object]) -> list[Row | str]:
    if isinstance(found, AsyncIterable):
        return _checked([row async for row in found])
    return _checked(await found)


def _checked(found: object) -> list[Row | str]:
    rows = list(found) if isinstance(found, Iterable) else []
    if not any(isinstance(row, Row) for row in rows) or not all(isinstance(row, Row | str) for row in rows):
        message = f"rows() of a bench gives Rows, with texts among them, not {found!r}"
        raise TypeError(message)
    return rows


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        row.unit,
        _number(row.ours),
        _number(row.peer_or_limit),
        _number(row.ratio),
        row.against,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def aligned(line: Sequence[str], widths: Sequence[int], numbers: Container[int]) -> str:
    """One line of a table: text to the left, the columns of numbers to the right."""
    cells = (
        cell.rjust(width) if column in numbers else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
