"""Parts that fail begin again; an expected failure is one line in the log, any other brings its traceback."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

import pytest
from tests.sim.hw.virtual import run

from ward_hub.errors import StateError, TokenError
from ward_hub.supervisor import supervise

GONE = "token ward, key hub: cannot sign: it is gone: plug it in again"


def failing(*errors: Exception) -> list[float]:
    """Supervise a part that fails with each of `errors`, then returns; when it began, in seconds."""
    left, begun = list(errors), list[float]()

    async def part() -> None:
        begun.append(asyncio.get_running_loop().time())
        if left:
            raise left.pop(0)

    run(supervise("feeds", part))
    return [one - begun[0] for one in begun]


def test_pauses_grow() -> None:
    assert failing(*[ValueError("x")] * 4) == pytest.approx([0, 0.5, 1.5, 3.5, 7.5])


@pytest.mark.parametrize(
    "error",
    [
        TokenError(GONE),
        ExceptionGroup("unhandled errors in a TaskGroup", [TokenError(GONE), TokenError(GONE)]),
        ExceptionGroup("outer", [ExceptionGroup("inner", [TokenError(GONE)])]),
    ],
    ids=["alone", "twice", "nested"],
)
def test_what_is_expected_is_one_line(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    failing(error)
    (line,) = caplog.records
    assert line.getMessage() == f"feeds failed; it starts again in 0.5 s: {GONE}"
    assert line.exc_info is None


def test_two_things_are_both_told(caplog: pytest.LogCaptureFixture) -> None:
    failing(ExceptionGroup("both", [TokenError(GONE), StateError("pin: it is gone")]))
    assert f"pin: it is gone; {GONE}" in caplog.text


@pytest.mark.parametrize(
    "error",
    [ValueError("odd"), sqlite3.OperationalError("odd"), ExceptionGroup("odd", [TokenError(GONE), ValueError("odd")])],
    ids=["any", "disk", "one of two"],
)
def test_what_is_not_brings_its_traceback(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    failing(error)
    (line,) = caplog.records
    assert line.exc_info is not None
    assert "odd" in caplog.text
