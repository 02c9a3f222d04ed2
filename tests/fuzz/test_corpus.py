"""The fuzzer's corpus, once: findings of earlier runs stay mended, and the seeds stay what they are meant to be."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz.target import GOOD, check
from tests.unit.protocol.test_envelope import REFUSED

CORPUS = sorted(Path(__file__).with_name("corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_replayed(path: Path) -> None:
    check(path.read_bytes())


@pytest.mark.parametrize("data", GOOD)
def test_what_is_signed_passes_the_check(data: bytes) -> None:
    check(data)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_passes_the_check(name: str) -> None:
    check(REFUSED[name][0]())
