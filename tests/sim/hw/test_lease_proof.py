"""A board is tried before it is trusted: one that opens by itself, and those that do not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from tests.sim.hw.products import RelayBoard
from tests.sim.hw.virtual import Line, run

from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.errors import LinkTimeout, MisuseError, PeerError
from ward_hw.lease_proof import PATIENCE_S, TIME_S, LeaseProof, prove_lease
from ward_hw.profile import load_profile

PROFILE = "waveshare/modbus-rtu-relay-16ch"
RELAY = 15


@dataclass
class Sticky(RelayBoard):
    """Its timed order is an ordinary one."""

    def flash(self, number: int, steps: int) -> None:
        self.switch(number, True)


@dataclass
class Stubborn(RelayBoard):
    """An order that is given again does not begin its time anew."""

    def flash(self, number: int, steps: int) -> None:
        if not self.relays[number]:
            super().flash(number, steps)


@dataclass
class Deaf(RelayBoard):
    """It answers a timed order and does nothing."""

    def flash(self, number: int, steps: int) -> None:
        pass


def tried(board: RelayBoard, *, echo: bool = False, profile: str = PROFILE, relay: int = RELAY) -> LeaseProof:
    async def story() -> LeaseProof:
        line = Line(9600, units=[board], echo=echo)
        async with ModbusBus("virtual", 9600, timeout=0.1, opener=line.open) as bus:
            return await prove_lease(bus, board.unit, load_profile(profile), relay)

    return run(story())


@pytest.mark.parametrize("echo", [True, False])
def test_a_board_that_opens_by_itself_is_proven(echo: bool) -> None:
    board = RelayBoard(count=16)
    proof = tried(board, echo=echo)
    assert proof.holds
    assert [proof.once, proof.again] == [pytest.approx(TIME_S, abs=0.25)] * 2
    assert not any(board.relays)


def test_one_that_stays_closed_is_not_and_is_opened() -> None:
    board = Sticky(count=16)
    assert tried(board) == LeaseProof(None, None)
    assert not tried(board).holds
    assert not any(board.relays)


def test_one_whose_second_order_begins_no_time_is_not() -> None:
    proof = tried(Stubborn(count=16))
    assert proof.again == pytest.approx(TIME_S - 2, abs=0.25)
    assert not proof.holds


@pytest.mark.parametrize(
    ("once", "again", "holds"),
    [(3.1, 3.4, True), (3.6, 3.0, False), (2.4, 3.0, False), (3.0, None, False), (None, 3.0, False)],
)
def test_both_times_must_be_right(once: float | None, again: float | None, holds: bool) -> None:
    assert LeaseProof(once, again).holds is holds
    assert PATIENCE_S > 2 * TIME_S


def test_one_that_does_not_close_says_so() -> None:
    with pytest.raises(PeerError, match="unit 1: prove the lease: the relay does not close"):
        tried(Deaf(count=16))


def test_what_cannot_be_tried_is_refused() -> None:
    with pytest.raises(MisuseError, match="relays are 0 to 15"):
        tried(RelayBoard(count=16), relay=16)
    with pytest.raises(MisuseError, match="have no timed order"):
        tried(RelayBoard(count=16), profile="wardhub/amp8", relay=0)
    with pytest.raises(LinkTimeout):
        absent()


def absent() -> LeaseProof:
    async def story() -> LeaseProof:
        async with ModbusBus("virtual", 9600, timeout=0.1, opener=Line(9600).open) as bus:
            return await prove_lease(bus, 1, load_profile(PROFILE), RELAY)

    return run(story())


def test_without_the_proof_no_amplifier_is_driven_by_it() -> None:
    async def story() -> None:
        async with ModbusBus("virtual", 9600, timeout=0.1, opener=Line(9600).open) as bus:
            with pytest.raises(MisuseError, match="try it with `wardhub bus lease`"):
                Amplifier("amp-1", bus, 1, load_profile(PROFILE), clock=asyncio.get_running_loop().time)

    run(story())
