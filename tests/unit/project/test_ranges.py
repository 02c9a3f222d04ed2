"""Dependency ranges: each has both ends and a reason, and `lowest.txt` pins the lower end of every one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
PYPROJECT = (TOP / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUN_TIME = [*PROJECT["dependencies"], *EXTRAS["sim"], *EXTRAS["token"]]


@pytest.mark.parametrize("requirement", RUN_TIME)
def test_a_range_has_both_ends(requirement: str) -> None:
    assert re.match(r"[\w-]+(>=[\d.]+,<[\d.]+|==[\d.]+)(;|$)", requirement)


@pytest.mark.parametrize("requirement", RUN_TIME)
def test_a_requirement_has_its_reason_beside_it(requirement: str) -> None:
    line = next(number for number, text in enumerate(PYPROJECT.splitlines()) if f'"{requirement}"' in text)
    before, here = PYPROJECT.splitlines()[line - 1 : line + 1]
    assert "# " in here or before.lstrip().startswith("#")


def test_the_lowest_versions_are_the_lower_ends() -> None:
    lower = {re.sub(r"(>=|==)([\d.]+).*", r"==\2", requirement) for requirement in RUN_TIME}
    pinned = (TOP / "tests" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(line for line in pinned if not line.startswith("#")) == sorted(_padded(pin, pinned) for pin in lower)


def _padded(pin: str, pinned: list[str]) -> str:
    """Give 16.0.0 for 16: the range says as little as it must, the pin names a release."""
    return next((line for line in pinned if re.fullmatch(re.escape(pin) + r"(\.0)*", line)), pin)
