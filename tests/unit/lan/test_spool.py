"""Uploads, one thing at a time; all of them at once are in tests/property/lan."""

from __future__ import annotations

from pathlib import Path

import pytest

from ward_hub.lan.spool import IDLE_S, OLD_S, STALLED_S, Bounds, Key, Most, Part, Spool, Trouble, Upload
from ward_hub.staging import Staging

A, B = (Key(peer, (peer, 1), (b"push",), ()) for peer in ("a", "b"))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(Staging(tmp_path / "incoming", 0), Bounds(Most(1, 100), Most(1, 100)))


def part(offset: int, data: bytes, size1: int = 0) -> Part:
    return Part(offset, data, 50, size1)


def begun(spool: Spool, now: float = 0.0) -> Upload:
    taken = spool.take(A, part(0, b"ab"), now)
    assert isinstance(taken, Upload)
    return taken


def test_what_is_being_judged_stays_however_long_that_takes(spool: Spool) -> None:
    begun(spool).busy = True
    spool.sweep(2 * OLD_S)
    assert spool.get(A) is not None
    assert spool.take(B, part(0, b"x"), 2 * OLD_S) is Trouble.FULL
    spool.close()


def test_silence_ends_it(spool: Spool) -> None:
    begun(spool)
    spool.sweep(IDLE_S)
    assert spool.get(A) is not None
    spool.sweep(IDLE_S + 0.1)
    assert spool.get(A) is None


def test_one_that_goes_on_for_ever_ends_too(spool: Spool) -> None:
    begun(spool)
    for step in range(1, int(OLD_S) // 20 + 2):
        spool.take(A, part(0, b"ab"), step * 20.0)
    upload = spool.get(A)
    assert upload is not None
    assert upload.began > 0, "it was dropped, and begun anew by its own block 0"
    spool.close()


def test_a_stalled_one_makes_room_and_a_live_one_does_not(spool: Spool) -> None:
    begun(spool)
    assert spool.take(B, part(0, b"x"), STALLED_S) is Trouble.FULL
    assert isinstance(spool.take(B, part(0, b"x"), STALLED_S + 0.1), Upload)
    assert spool.get(A) is None
    spool.close()


def test_what_is_announced_counts_before_it_has_come(tmp_path: Path) -> None:
    spool = Spool(Staging(tmp_path / "incoming", 0), Bounds(Most(2, 60), Most(2, 60)))
    assert isinstance(spool.take(A, part(0, b"a", size1=50), 0.0), Upload)
    assert spool.octets == 50
    assert spool.take(A._replace(tags=(b"t",)), part(0, b"a", size1=11), 0.0) is Trouble.FULL
    assert isinstance(spool.take(A._replace(tags=(b"t",)), part(0, b"a", size1=10), 0.0), Upload)
    spool.close()


@pytest.mark.parametrize("size1", [50, 0])
def test_one_that_is_too_slow_to_be_whole_makes_room_and_one_that_will_be_does_not(spool: Spool, size1: int) -> None:
    """Of 50 bytes, announced or the most there may be, one is due each 18 s."""
    assert isinstance(spool.take(A, part(0, b"a", size1), 0.0), Upload)
    for step in range(1, 4):
        spool.take(A, part(0, b"a", size1), step * 5.0)
    assert spool.take(B, part(0, b"x"), 18.0) is Trouble.FULL
    assert isinstance(spool.take(B, part(0, b"x"), 18.1), Upload)
    assert spool.get(A) is None
    spool.close()
