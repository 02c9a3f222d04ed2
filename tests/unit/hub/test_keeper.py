"""The keeper, its clock and what they say together of a source: whether the ward is on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.clocks import Machine
from tests.journals import FILE, HUB, HUB_KEY, story
from tests.statements import BEAT, BEAT_KEY, GRANTS, NOW, ROOT, ROOT_KEY, signer

from ward_hub.clock import STEP_S, Clock
from ward_hub.journal import Journal
from ward_hub.keeper import CUT_OFF_S, Keeper
from ward_hub.trust import Trust
from ward_protocol.envelope import Sealed, sign
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Beat, Role, RoleKeys, TimeTrust


class Seat:
    """A keeper over a real journal, and a machine whose clocks a test moves."""

    def __init__(self, journal: Journal, machine: Machine, clock: Clock) -> None:
        self.journal, self.machine, self.clock = journal, machine, clock
        self.keeper = Keeper(Trust(ROOT, GRANTS), journal, clock, lambda: machine.monotonic)

    async def hear(self, ahead_s: float = 0, *, nonce: bytes = b"") -> Beat:
        """Take a beat of the machine's true time and so many seconds."""
        beat = replace(BEAT, time=int(self.machine.true + ahead_s), nonce=nonce or None)
        await self.keeper.take(Sealed.read(sign(beat, [BEAT_KEY])))
        return beat


@contextmanager
def seat(folder: Path) -> Iterator[Seat]:
    machine = Machine()
    clock = machine.clock()
    with Journal(folder / FILE, HUB, HUB_KEY, clock) as journal:
        clock.restore(journal.ledger.clock(), journal.ledger.newest_beat())
        yield Seat(journal, machine, clock)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Seat]:
    with seat(tmp_path) as one:
        yield one


async def test_a_source_whose_beat_stands_still_is_none(at: Seat) -> None:
    await at.hear(nonce=at.clock.ask())
    for _ in range(20):
        at.machine.wait(CUT_OFF_S / 20)
        await at.hear(-at.machine.monotonic + 1000)  # always the same one
    assert not at.keeper.cut_off()
    at.machine.wait(1)
    assert at.keeper.cut_off()
    await at.hear()
    assert not at.keeper.cut_off()


@pytest.mark.parametrize(
    ("ahead_s", "reason"), [(3 * STEP_S, Reason.TIME_STEP_TOO_LARGE), (-3600, Reason.TIME_WENT_BACK)]
)
async def test_beats_of_another_time_are_refused_and_are_no_source(at: Seat, ahead_s: int, reason: Reason) -> None:
    await at.hear(nonce=at.clock.ask())
    before, trust = at.clock.now(), at.keeper.trust
    for _ in range(20):
        at.machine.wait(CUT_OFF_S / 20 + 1)
        with pytest.raises(StatementError) as error:
            await at.hear(ahead_s)
        assert error.value.reason is reason
    assert at.keeper.cut_off()
    assert at.keeper.trust is trust
    assert at.clock.now() == pytest.approx(before + CUT_OFF_S + 20)


async def test_a_proof_that_another_beat_overtook_counts_for_the_clock_alone(at: Seat) -> None:
    await at.hear(nonce=at.clock.ask())
    nonce = at.clock.ask()
    at.machine.wait(2)
    newest = await at.hear()
    await at.hear(-1, nonce=nonce)
    assert at.keeper.trust.beat == newest
    assert at.clock.confirmed_at == at.machine.monotonic


async def test_a_root_that_takes_a_beat_key_away_takes_its_time_along(at: Seat, tmp_path: Path) -> None:
    fresh = signer(88)
    roles = {**ROOT.roles, Role.BEAT: RoleKeys(1, (fresh.kid,))}
    after = replace(ROOT, version=2, issued=NOW, keys={**ROOT.keys, fresh.kid: fresh.public.raw}, roles=roles)
    await at.hear(nonce=at.clock.ask())
    await at.hear(STEP_S - 60)
    assert at.clock.now() > NOW + STEP_S - 61
    await at.keeper.take(Sealed.read(sign(after, [ROOT_KEY])))
    assert at.clock.now() < NOW + 60
    assert at.keeper.trust.beat is None
    assert at.journal.ledger.newest_beat() == 0
    assert [one.event for one in story(tmp_path)] == ["clock-recovered", "document"]
    true = replace(BEAT, time=NOW + 1, root_version=2)
    await at.keeper.take(Sealed.read(sign(true, [fresh])))
    assert at.keeper.trust.beat == true


async def test_a_root_that_only_adds_one_leaves_the_clock_alone(at: Seat) -> None:
    fresh = signer(88)
    kids = (*ROOT.roles[Role.BEAT].kids, fresh.kid)
    roles = {**ROOT.roles, Role.BEAT: RoleKeys(1, kids)}
    after = replace(ROOT, version=2, issued=NOW, keys={**ROOT.keys, fresh.kid: fresh.public.raw}, roles=roles)
    await at.hear(nonce=at.clock.ask())
    await at.hear(STEP_S - 60)
    await at.keeper.take(Sealed.read(sign(after, [ROOT_KEY])))
    assert at.clock.now() > NOW + STEP_S - 61


async def test_the_first_beat_of_a_run_keeps_the_clock(at: Seat) -> None:
    """An agent that ends right after it, network and all, knows the time when it starts again."""
    await at.hear(nonce=at.clock.ask())
    kept = at.journal.ledger.clock()
    assert kept is not None
    assert kept.known
    again = at.machine.clock()
    again.restore(kept, at.journal.ledger.newest_beat())
    assert again.trust is TimeTrust.COARSE
