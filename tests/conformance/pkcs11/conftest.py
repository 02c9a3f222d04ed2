"""The token that these tests use, new for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.softhsm import SoftHsm, softhsm


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    with softhsm(tmp_path / "hsm", monkeypatch) as one:
        yield one
