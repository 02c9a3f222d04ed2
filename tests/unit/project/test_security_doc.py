"""docs/security.md has a row for every attack that is performed and every incident; its figures are the code's."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tests.unit.project.tables import TOP, table_after, text

from ward_hub.expiry import WARN_S
from ward_hub.feeds import AT_ONCE
from ward_hub.lan.server import AMPLIFICATION
from ward_hub.playout import amplifiers, boards
from ward_hub.playout.sound import TRIES
from ward_hw.profile import load_profile

DOC = "docs/security.md"
FOLDER = Path("tests/fault/attacks")
ROWS = table_after(DOC, "attacks")
# What has happened elsewhere, and must not here: each stands at the beginning of a row.
INCIDENTS = (
    "FM loudspeakers carried a foreign station",
    "Airports' screens and speakers taken over together",
    "LED boards re-written through default passwords",
    "156 sirens sounded 15 times over",
    "siren commands forged with a cheap radio",
    "Default passwords and one key in every image",
    "Recorded alert tones set off 70 stations",
    "A certificate expired, every receiver had to be touched",
    "A drill sent as live",
    "Audio endpoints re-pointed at an attacker's stream",
    "One slow part delayed a whole city's warning",
    "Commands sent while a device was off line were lost",
)


def named_in(path: Path) -> set[str]:
    """The tests of a file, as the table names them."""
    tree = ast.parse((TOP / path).read_text(encoding="utf-8"))
    functions = (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    name = path.name if path.parent == FOLDER else str(path)
    return {f"{name}::{one.name}" for one in functions if one.name.startswith("test_")}


def named() -> list[str]:
    """The tests that the table names, one a row."""
    found = [re.fullmatch(r"`([\w/.]+\.py::test_\w+)`", row[2]) for row in ROWS]
    assert all(found), [row for row, match in zip(ROWS, found, strict=True) if match is None]
    return [match[1] for match in found if match is not None]


def test_every_attack_stands_in_the_table_once() -> None:
    performed = {one for path in (TOP / FOLDER).glob("test_*.py") for one in named_in(FOLDER / path.name)}
    rows = [one for one in named() if "/" not in one]
    assert set(rows) == performed
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("name", [one for one in named() if "/" in one])
def test_what_is_performed_elsewhere_exists(name: str) -> None:
    assert name in named_in(Path(name.partition("::")[0]))


@pytest.mark.parametrize("incident", INCIDENTS)
def test_every_incident_has_a_row(incident: str) -> None:
    assert any(row[0].startswith(incident) for row in ROWS)


def test_every_row_says_what_we_do() -> None:
    assert all(len(row) == 3 and row[0] and row[1] for row in ROWS)


def test_its_figures_are_those_of_the_code() -> None:
    told = " ".join(text(DOC).split())
    lease = load_profile("wardhub/amp8").register_lease
    assert lease is not None
    assert f"looks at what is to be open every {amplifiers.LOOK_S:g} s" in told
    assert f"a relay that nobody renews opens within {lease.default_ms // 1000} s" in told
    assert f"lit until the hub compares, up to {boards.LOOK_S:g} s" in told
    assert AMPLIFICATION == 3
    assert "no answer is more than three times as large as its request" in told
    assert (TRIES, AT_ONCE) == (3, 4)
    assert "given up after three tries" in told
    assert "the hub asks, four at a time" in told
    assert f"warns from {WARN_S // 86_400} days before" in told
