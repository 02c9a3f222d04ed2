"""Echo: a value proves itself for its address and a minute, and for nothing else."""

from __future__ import annotations

import pytest

from ward_hub.lan.echo import LIFE_S, TIMES, Echo

HOST = "192.168.1.7"
ECHO = Echo(bytes(32))


def test_it_is_fresh_for_a_minute() -> None:
    value = ECHO.value(HOST, 1000.0)
    assert [ECHO.fresh(value, HOST, at) for at in (1000.0, 1000.9, 1000 + LIFE_S)] == [True] * 3
    assert not ECHO.fresh(value, HOST, 1001 + LIFE_S)


def test_it_is_not_fresh_before_its_time() -> None:
    """A clock that only grows makes none, so it was made in another start, or by somebody else."""
    assert not ECHO.fresh(ECHO.value(HOST, 1000.0), HOST, 999.0)


@pytest.mark.parametrize("other", ["192.168.1.8", "192.168.1.70", "", "::1"])
def test_it_is_bound_to_its_address(other: str) -> None:
    assert not ECHO.fresh(ECHO.value(HOST, 1000.0), other, 1000.0)


def test_it_is_bound_to_this_start() -> None:
    assert not Echo(bytes(31) + b"\1").fresh(ECHO.value(HOST, 1000.0), HOST, 1000.0)


@pytest.mark.parametrize("cut", [0, 1, 4, 11, 13])
def test_another_length_is_none(cut: int) -> None:
    assert not ECHO.fresh((ECHO.value(HOST, 1000.0) + b"\0")[:cut], HOST, 1000.0)


def test_every_bit_counts() -> None:
    value = ECHO.value(HOST, 1000.0)
    for bit in range(8 * len(value)):
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        assert not ECHO.fresh(bytes(changed), HOST, 1000.0)


def test_the_time_may_come_round() -> None:
    value = ECHO.value(HOST, TIMES - 5.0)
    assert ECHO.fresh(value, HOST, TIMES + 5.0)
    assert len(value) == 12
