"""Freshness: proofs are asked for when they are wanted, and what is wrong with beats and clock becomes an alarm."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.clocks import Machine
from tests.journals import FILE, HUB, HUB_KEY, Inline, receipts, rows
from tests.sim.hw.virtual import run
from tests.statements import BEAT_KEY, GRANTS, NOW, ROOT, STRANGER

from ward_hub.alarms import FIRST_STILL_S, Alarms
from ward_hub.clock import KEEP_S
from ward_hub.config import ClockSection
from ward_hub.freshness import UNPROVEN_S, Freshness
from ward_hub.journal import Ledger
from ward_hub.keeper import Keeper
from ward_hub.links import LinkDown, LinkState, SourceLink
from ward_hub.trust import Trust
from ward_protocol.envelope import Sealed, sign
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Beat, Event, TimeTrust

SETTINGS = ClockSection()
DAY_S = 86_400
NONE, COARSE, GOOD = TimeTrust


@dataclass
class FakeLink:
    """A source in memory, whose clock is the truth and `behind_s`; deaf to nonces where it does not answer them."""

    now: Callable[[], float]
    state: LinkState = LinkState.OBSERVING
    behind_s: float = 0.0
    answers: bool = True
    by: object = BEAT_KEY
    changes: dict[str, object] = field(default_factory=dict)
    asked: list[float] = field(default_factory=list)
    recorded: bytes | None = None

    def beat(self, nonce: bytes | None = None) -> bytes:
        one = Beat(int(self.now() - self.behind_s), 1, 1, {"ward": 1}, nonce)
        return sign(replace(one, **self.changes), [self.by])  # type: ignore[arg-type,list-item]

    async def nonce_beat(self, nonce: bytes, deadline: float) -> bytes:
        self.asked.append(asyncio.get_running_loop().time())
        if not self.answers or self.state is LinkState.DOWN:
            await asyncio.sleep(deadline)
            raise LinkDown("nothing answered")
        await asyncio.sleep(0.1)
        return self.recorded or self.beat(nonce)


class World:
    """A hub's clock, journal and freshness, and the source above them, on a virtual clock."""

    def __init__(self, folder: Path, settings: ClockSection = SETTINGS, off_s: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        self.folder = folder
        self.slept_s = 0.0
        self.machine = Machine(system=0.0)
        self.clock = self.machine.clock()
        self.clock._monotonic = loop.time  # the machine's system clock stands wrong, and nobody vouches for it
        self.clock.system._read = loop.time
        self.journal = Inline(folder / FILE, HUB, HUB_KEY, self.clock)
        self.clock.restore(self.journal.ledger.clock(), int(NOW - off_s))
        self.alarms = Alarms(self.journal, self.clock)
        self.alarms.restore(self.journal.ledger.alarms())
        self.keeper = Keeper(Trust(ROOT, GRANTS), self.journal, self.clock, loop.time)
        self.link = FakeLink(lambda: NOW + loop.time())
        self.freshness = Freshness(
            link=cast("SourceLink", self.link),
            take=self.take,
            clock=self.clock,
            journal=self.journal,
            alarms=self.alarms,
            trust=lambda: self.keeper.trust,
            settings=settings,
        )

    async def take(self, data: bytes) -> None:
        """Take a beat as the intake does."""
        with contextlib.suppress(StatementError):
            await self.keeper.take(Sealed.read(data))

    async def beat_on(self, seconds: float, period: float = 2.0) -> None:
        """Let the source's beats come for so long."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self.take(self.link.beat())
            await asyncio.sleep(period)

    @property
    def standing(self) -> dict[Reason, str]:
        return {one.kind: one.detail for one in self.alarms.standing}


@asynccontextmanager
async def world(folder: Path, settings: ClockSection = SETTINGS, off_s: float = 0.0) -> AsyncIterator[World]:
    one = World(folder, settings, off_s)
    tasks = [asyncio.create_task(part()) for part in (one.freshness.run, one.alarms.run)]
    try:
        yield one
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        one.journal.close()


# Asking


def test_a_proof_is_asked_for_at_the_start_then_each_hour(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            assert one.clock.trust is NONE
            await asyncio.sleep(2)
            assert one.clock.trust is GOOD
            assert len(one.link.asked) == 1
            await one.beat_on(3 * SETTINGS.confirm_s, period=20)
            assert [round(at / SETTINGS.confirm_s) for at in one.link.asked] == [0, 1, 2, 3]

    run(play())


def test_while_the_source_is_down_it_is_not_asked_and_then_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.state = LinkState.DOWN
            await asyncio.sleep(500)
            assert one.link.asked == []
            one.link.state = LinkState.POLLING
            await asyncio.sleep(3)
            assert one.clock.trust is GOOD

    run(play())


def test_a_source_that_does_not_answer_is_asked_ever_more_rarely(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.answers = False
            await asyncio.sleep(700)
            assert 10 < len(one.link.asked) < 16
            one.link.answers = True
            await asyncio.sleep(70)
            assert one.clock.trust is GOOD

    run(play())


def test_a_step_that_needs_a_proof_gets_one(tmp_path: Path) -> None:
    """The hub was off for a month: its first beats are refused, until one holds its nonce."""

    async def play() -> None:
        async with world(tmp_path, off_s=30 * DAY_S) as one:
            await asyncio.sleep(2)
            assert one.clock.trust is GOOD
            assert one.clock.now() == pytest.approx(one.link.now(), abs=2)
            assert one.standing == {}

    run(play())


@pytest.mark.parametrize("answer", ["another", "none", "stranger", "recorded"])
def test_what_does_not_answer_this_nonce_proves_nothing(tmp_path: Path, answer: str) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            if answer == "stranger":
                one.link.by = STRANGER
            elif answer == "recorded":
                one.link.recorded = one.link.beat(b"of another time!")
            else:
                one.link.changes = {"nonce": None if answer == "none" else b"of another hub!!"}
            await asyncio.sleep(60)
            assert one.clock.trust is (NONE if answer == "stranger" else COARSE)

    run(play())


@pytest.mark.parametrize(("answers", "trust", "takes_s"), [(True, GOOD, 0.1), (False, NONE, 3.0)])
def test_an_emergency_gets_its_answer_within_its_time(
    tmp_path: Path, answers: bool, trust: TimeTrust, takes_s: float
) -> None:
    async def play() -> None:
        one = World(tmp_path)
        with contextlib.closing(one.journal):
            one.link.answers = answers
            assert await one.freshness.confirm(3.0) is trust
            assert asyncio.get_running_loop().time() == pytest.approx(takes_s)

    run(play())


def test_a_question_that_is_out_already_is_waited_for(tmp_path: Path) -> None:
    async def play() -> None:
        one = World(tmp_path)
        with contextlib.closing(one.journal):
            first, second = await asyncio.gather(one.freshness.confirm(3.0), one.freshness.confirm(3.0))
            assert first is second is GOOD
            assert len(one.link.asked) == 1

    run(play())


def test_a_question_in_vain_does_not_make_an_emergency_wait_longer(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.answers = False
            await asyncio.sleep(2)
            begun = asyncio.get_running_loop().time()
            assert await one.freshness.confirm(3.0) is NONE
            assert asyncio.get_running_loop().time() - begun == pytest.approx(3.0)

    run(play())


# A frozen, silent, older source


def test_a_beat_that_stands_still_is_an_alarm_and_its_end_is_told(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            await one.beat_on(100)
            assert one.standing == {}
            await asyncio.sleep(SETTINGS.frozen_s - 5)
            assert one.standing == {}
            await asyncio.sleep(20)
            assert "the source answers, and the newest beat is" in one.standing[Reason.BEAT_FROZEN]
            await one.beat_on(FIRST_STILL_S + 10)
            assert one.standing == {}
            edges = [(one.event, one.reason, one.statement) for one in receipts(tmp_path)]
            assert edges == [
                (Event.ALARM, Reason.BEAT_FROZEN, bytes(32)),
                (Event.ALARM_CLEARED, Reason.BEAT_FROZEN, bytes(32)),
            ]

    run(play())


def test_a_beat_that_falls_behind_is_an_alarm_though_it_moves(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            await one.beat_on(10)
            while one.link.behind_s < SETTINGS.frozen_s + 3:
                await one.beat_on(2)
                one.link.behind_s += 1
                assert one.standing == {} or one.link.behind_s > SETTINGS.frozen_s
            await one.beat_on(4)
            assert "s old" in one.standing[Reason.BEAT_FROZEN]

    run(play())


def test_a_link_that_has_just_come_up_has_time_to_bring_its_beat(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            await one.beat_on(10)
            for _ in range(30):
                one.link.state = LinkState.DOWN
                await asyncio.sleep(300)
                one.link.state = LinkState.OBSERVING
                await asyncio.sleep(SETTINGS.frozen_s / 2)
                await one.beat_on(10)
            assert one.standing == {}

    run(play())


def test_recordings_played_at_their_pace_are_an_alarm(tmp_path: Path) -> None:
    """Yesterday's beats, one every two seconds: their times move, and none holds the nonce of today."""

    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.answers = False
            await one.beat_on(UNPROVEN_S - 20)
            assert (one.standing, one.clock.trust) == ({}, COARSE)
            await one.beat_on(60)
            assert "none holds this hub's nonce" in one.standing[Reason.BEAT_FROZEN]
            one.link.answers = True
            await one.beat_on(100 + FIRST_STILL_S)
            assert (one.standing, one.clock.trust) == ({}, GOOD)

    run(play())


def test_a_source_that_answers_with_nothing_that_counts_is_frozen_not_silent(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.by = STRANGER
            await asyncio.sleep(SETTINGS.silent_s + 10)
            assert list(one.standing) == [Reason.BEAT_FROZEN]

    run(play())


def test_an_hour_without_a_beat_is_an_alarm(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            await one.beat_on(100)
            one.link.state = LinkState.DOWN
            await asyncio.sleep(SETTINGS.silent_s - 5)
            assert one.standing == {}
            await asyncio.sleep(20)
            assert list(one.standing) == [Reason.SOURCE_SILENT]
            one.link.state = LinkState.OBSERVING
            await one.beat_on(FIRST_STILL_S + 10)
            assert one.standing == {}

    run(play())


def test_a_hub_that_never_heard_its_source_says_so_too(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path, ClockSection(silent_s=120)) as one:
            one.link.state = LinkState.DOWN
            await asyncio.sleep(130)
            assert one.standing == {Reason.SOURCE_SILENT: "no beat for over 120 s"}

    run(play())


def test_an_alarm_of_the_last_run_stands_until_the_source_is_heard(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.state = LinkState.DOWN
            await asyncio.sleep(SETTINGS.silent_s + 10)
        async with world(tmp_path) as again:
            again.link.state = LinkState.DOWN
            await asyncio.sleep(FIRST_STILL_S + 10)
            assert list(again.standing) == [Reason.SOURCE_SILENT]
            again.link.state = LinkState.OBSERVING
            await again.beat_on(FIRST_STILL_S + 10)
            assert again.standing == {}

    run(play())


def test_a_source_that_shows_less_than_before_is_an_alarm(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.changes = {"heads": {"ward": 9}}
            await one.beat_on(10)
            one.link.changes = {"heads": {"ward": 4}}
            await one.beat_on(10)
            assert one.standing == {Reason.BEAT_ROLLED_BACK: "the beat shows ward/4, after ward/9"}
            assert one.keeper.trust.beat is not None
            assert one.keeper.trust.beat.heads == {"ward": 4}  # taken all the same: a restored source is followed
            one.link.changes = {"heads": {"ward": 9}}
            await one.beat_on(FIRST_STILL_S + 10)
            assert one.standing == {}

    run(play())


# The clock


def test_a_time_that_no_nonce_makes_believable_is_an_alarm_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path, off_s=-10) as one:
            one.link.behind_s = -500 * DAY_S
            await asyncio.sleep(5)
            assert "with this hub's nonce shows a time" in one.standing[Reason.TIME_STEP_REFUSED]
            one.link.behind_s = 0
            await asyncio.sleep(70)
            await one.beat_on(FIRST_STILL_S + 10)
            assert (one.standing, one.clock.trust) == ({}, GOOD)

    run(play())


def test_a_time_ahead_that_stays_unproven_is_an_alarm_after_a_while(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            await asyncio.sleep(3)
            one.link.answers = False
            one.link.behind_s = -3 * DAY_S
            for _ in range(SETTINGS.frozen_s + 5):
                await one.take(one.link.beat())
                if _ == 10:
                    assert one.standing == {}
                await asyncio.sleep(1)
            assert "without this hub's nonce shows a time" in one.standing[Reason.TIME_STEP_REFUSED]

    run(play())


def test_a_clock_that_was_moved_away_is_an_alarm_until_it_is_put_right(tmp_path: Path) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        async with world(tmp_path) as one:
            one.clock.system._read = one.link.now
            await one.beat_on(10)
            one.clock.system._read = lambda: one.link.now() - 4000
            await one.beat_on(10)
            assert one.standing == {Reason.CLOCK_STEPPED: "the system's clock was moved by -4000 s"}
            assert one.clock.now() == pytest.approx(NOW + loop.time(), abs=2)
            one.clock.system._read = one.link.now
            await one.beat_on(FIRST_STILL_S + 10)
            assert one.standing == {}

    run(play())


def test_ntp_against_the_source_is_an_alarm(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            one.machine.ntp = True
            one.clock.system._read = lambda: one.link.now() + 600
            await asyncio.sleep(5)
            await one.beat_on(10)
            assert "from the source's time" in one.standing[Reason.CLOCK_STEPPED]

    run(play())


# What is kept


def test_the_floor_is_kept_as_time_goes_on_and_not_more_often(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as one:
            await asyncio.sleep(5)
            writes = 0
            before = one.journal.ledger.clock()
            for _ in range(720):
                await asyncio.sleep(10)
                kept = one.journal.ledger.clock()
                assert kept is not None
                writes += kept != before
                before = kept
                assert one.link.now() - kept.floor <= KEEP_S + 15
            assert 7 <= writes <= 7200 / KEEP_S
            assert rows(tmp_path, "SELECT count(*) FROM document WHERE kind = 'clock'") == [(1,)]

    run(play())


def test_a_start_without_a_source_keeps_counting(tmp_path: Path) -> None:
    """Weeks without a link and then a cut: the hub does not begin again where it last heard a beat."""

    async def play() -> None:
        async with world(tmp_path) as one:
            one.link.state = LinkState.DOWN
            await asyncio.sleep(5 * 3600)
            kept = await one.journal.do(Ledger.clock)
            assert kept is not None
            assert kept.floor >= NOW + 5 * 3600 - KEEP_S - 5

    run(play())
