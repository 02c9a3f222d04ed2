"""Rows of a bench: their ratio, the table a person reads, the JSON a program reads."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.bench.harness import Result, Row

if TYPE_CHECKING:
    from pathlib import Path

RESULT = Result(
    name="frames",
    about="Frames a second.",
    rows=(
        Row("decode", "µs", 20.0, 80.0, "pyserial"),
        Row("resident", "MB", 44.25, 60, "limit"),
        Row("frames", "1", 3),
    ),
    machine={"cores": 2},
    took_s=1.5,
)


def test_ratio_is_ours_by_theirs() -> None:
    assert [row.ratio for row in RESULT.rows] == [0.25, 44.25 / 60, None]


def test_a_limit_of_zero_has_no_ratio() -> None:
    assert Row("lost", "1", 0, 0, "limit").ratio is None


def test_table_aligns_text_left_and_numbers_right() -> None:
    assert RESULT.table().splitlines() == [
        "what      unit   ours  peer or limit   ratio  against",
        "decode    µs       20             80    0.25  pyserial",
        "resident  MB    44.25             60  0.7375  limit",
        "frames    1         3",
    ]


def test_saved_file_holds_rows_ratios_and_machine(tmp_path: Path) -> None:
    saved = json.loads(RESULT.save(tmp_path / "bench").read_text(encoding="utf-8"))
    assert saved["machine"] == {"cores": 2}
    assert saved["rows"][0] == {
        "what": "decode",
        "unit": "µs",
        "ours": 20.0,
        "peer_or_limit": 80.0,
        "against": "pyserial",
        "ratio": 0.25,
    }


def test_notes_are_kept_beside_the_rows(tmp_path: Path) -> None:
    result = replace(RESULT, notes=("a whole table",))
    assert json.loads(result.save(tmp_path).read_text(encoding="utf-8"))["notes"] == ["a whole table"]
