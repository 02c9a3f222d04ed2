"""The director: what airs when, what is cut short, taken back or fails, and that each bulletin ends exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.clocks import clock
from tests.journals import FILE, HUB, HUB_KEY, Inline, journal, receipts, story
from tests.sim.hw.virtual import run
from tests.statements import MINIMAL, NOW, RECALL, STREAM

from ward_hub.correction import correction
from ward_hub.holds import Closed, Hold, What
from ward_hub.journal import State, Withdrawal
from ward_hub.playout.director import CONFIRM_S, LOOK_AGAIN_S, Director
from ward_hub.playout.lateness import issue_notice
from ward_hub.playout.outcome import Outcome
from ward_hub.playout.player import Player
from ward_hub.programme import Candidate
from ward_hub.streams import Ordered
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Event, Evidence, Priority, Status, TimeTrust

LENGTH_S = 10.0
ATTEMPTS = 3
NORMAL, PRIORITY, EMERGENCY = Priority
LEVELS = {"ward": 3}


@dataclass
class FakePlayer:
    """Airs for LENGTH_S and writes down what it is told; fails as often as `faults` says."""

    now: Callable[[], float]
    told: list[tuple[float, str]] = field(default_factory=list)
    faults: int = 0
    outcome_state: State = State.AIRED
    aired: float = 0.0
    shut: list[Closed] = field(default_factory=list)
    notices: list[tuple[str, ...]] = field(default_factory=list)
    over: set[bytes] = field(default_factory=set)
    remark: str = ""
    release_s: float = 0.0

    def say(self, what: str) -> None:
        self.told.append((round(self.now(), 1), what))

    async def air(
        self,
        bulletin: Bulletin,
        recording: Callable[[], Awaitable[Path | None]],
        shut: Closed,
        stream: Ordered | None,
        notices: Sequence[str],
    ) -> None:
        begun = self.now()
        self.say(f"air {bulletin.title}")
        self.shut.append(shut)
        self.notices.append(tuple(notices))
        if self.faults:
            self.faults -= 1
            raise ZeroDivisionError("a bug of ours")
        try:
            await asyncio.sleep(LENGTH_S)
            self.say(f"end {bulletin.title}")
        except asyncio.CancelledError:
            self.say(f"cut {bulletin.title}")
            raise
        finally:
            self.aired = self.now() - begun

    async def release(self) -> None:
        self.say("release")
        if self.release_s:
            await asyncio.sleep(self.release_s)

    def is_shut_out(self, bulletin: Bulletin, shut: Closed) -> bool:
        return shut.zones is None and shut.boards is None

    def is_over(self, stream: Ordered | None) -> bool:
        return stream is not None and stream.order in self.over

    def outcome(self, attempts: int) -> Outcome:
        played, self.aired = round(self.aired * 1000), 0.0
        evidence = Evidence((), (), played_ms=played, requested_ms=10_000, attempts=attempts)
        return Outcome(self.outcome_state, None, "", evidence, self.remark)


class Studio:
    """A director over a real journal file, a fake player, and a clock of its own."""

    def __init__(self, folder: Path, trust: TimeTrust = TimeTrust.GOOD) -> None:
        loop = asyncio.get_running_loop()
        self.folder = folder
        self.clock = clock(lambda: NOW + loop.time(), trust)
        self.journal = Inline(folder / FILE, HUB, HUB_KEY, self.clock)
        self.player = FakePlayer(loop.time)
        self.director = Director(
            cast("Player", self.player),
            self.journal,
            self.clock,
            no_recording,
            max_attempts=ATTEMPTS,
            level_of=LEVELS.get,
            confirm=self.confirm,
            language="en",
        )
        self.number = 0
        self.asked: list[tuple[float, float]] = []
        self.answer: int | None = None

    async def confirm(self, within_s: float) -> TimeTrust:
        """Ask a source that answers with the time `answer` at once, or never."""
        self.asked.append((asyncio.get_running_loop().time(), within_s))
        if self.answer is None:
            await asyncio.sleep(within_s)
        else:
            self.clock.heard(self.answer, self.clock.ask())
        return self.clock.trust

    def bulletin(
        self, title: str, priority: Priority, *, begins: int = 0, life: int = 3600, status: Status = Status.ACTUAL
    ) -> Candidate:
        """Accept one of that title, not yet held."""
        self.number += 1
        digest = bytes([self.number]) * 32
        text = replace(MINIMAL.texts[0], title=title)
        start = int(self.clock.now()) + begins
        bulletin = replace(
            MINIMAL,
            sequence=self.number,
            texts=(text,),
            priority=priority,
            status=status,
            not_before=start,
            expires=start + life,
        )
        assert self.journal.ledger.accept("ward", self.number, digest, b"") is None
        return Candidate(digest, bulletin)

    def hold(
        self,
        title: str,
        priority: Priority = NORMAL,
        *,
        ready: bool = True,
        status: Status = Status.ACTUAL,
        **when: int,
    ) -> Candidate:
        candidate = replace(self.bulletin(title, priority, status=status, **when), ready=ready)
        self.director.hold(candidate)
        return candidate

    def said(self, *, but: str = "release") -> list[str]:
        return [what for _, what in self.player.told if what != but]

    def endings(self) -> list[tuple[int, Event, Reason | None]]:
        """How each ended, by number; that none ended twice is checked on the way."""
        last = [one for one in receipts(self.folder) if one.event is not Event.ACCEPTED]
        found = [(one.statement[0], one.event, one.reason) for one in last]
        assert len({number for number, _, _ in found}) == len(found)
        return found


async def no_recording(candidate: Candidate) -> Path | None:
    return None


@asynccontextmanager
async def on_air(folder: Path, trust: TimeTrust = TimeTrust.GOOD) -> AsyncIterator[Studio]:
    studio = Studio(folder, trust)
    task = asyncio.create_task(studio.director.run())
    try:
        yield studio
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        studio.journal.close()


def test_what_is_held_airs_and_then_all_is_released(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a")
            await asyncio.sleep(30)
            assert [what for _, what in studio.player.told][-3:] == ["air a", "end a", "release"]
            assert studio.endings() == [(1, Event.AIRED, None)]
            assert [line.event for line in story(tmp_path)] == ["accepted", "airing", "aired"]

    run(play())


def test_the_journal_knows_of_it_before_it_sounds(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("a")
            while not studio.said():
                await asyncio.sleep(0)
            assert studio.journal.ledger.state_of(one.digest) is State.AIRING

    run(play())


@pytest.mark.parametrize(("status", "said"), [(Status.ACTUAL, ": a"), (Status.EXERCISE, ": [EXERCISE] a")])
def test_the_log_says_whether_it_is_a_drill(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: Status, said: str
) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a", status=status)
            await asyncio.sleep(1)

    with caplog.at_level(logging.INFO):
        run(play())
    (line,) = [one for one in caplog.messages if one.startswith("airing")]
    assert line.endswith(f"attempt 1{said}")


def test_precedence_then_time(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            for title, priority in (("n", NORMAL), ("p", PRIORITY), ("e", EMERGENCY)):
                studio.director.hold(studio.bulletin(title, priority))
            await asyncio.sleep(60)
            assert studio.said() == ["air e", "end e", "air p", "end p", "air n", "end n"]

    run(play())


def test_nothing_is_released_between_two_airings(tmp_path: Path) -> None:
    """Relays and boards that both use stay as they are."""

    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a")
            studio.hold("b")
            await asyncio.sleep(60)
            words = [what for _, what in studio.player.told]
            assert words[words.index("air a") :] == ["air a", "end a", "air b", "end b", "release"]

    run(play())


def test_an_idle_hub_leaves_the_bus_alone(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("far", begins=3000)
            await asyncio.sleep(1000)
            assert [what for _, what in studio.player.told] == ["release"]

    run(play())


# Pre-emption


def test_an_emergency_cuts_in_and_what_it_cut_begins_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("n")
            await asyncio.sleep(4)
            studio.hold("e", EMERGENCY)
            await asyncio.sleep(40)
            assert studio.said() == ["air n", "cut n", "air e", "end e", "air n", "end n"]
            assert (4.0, "air e") in studio.player.told
            assert studio.endings() == [(2, Event.AIRED, None), (1, Event.AIRED, None)]
            evidence = receipts(tmp_path)[-1].evidence
            assert evidence is not None
            assert evidence.attempts == 2

    run(play())


@pytest.mark.parametrize(("first", "second"), [(EMERGENCY, EMERGENCY), (NORMAL, PRIORITY), (PRIORITY, NORMAL)])
def test_nothing_else_cuts_in(tmp_path: Path, first: Priority, second: Priority) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a", first)
            await asyncio.sleep(4)
            studio.hold("b", second)
            await asyncio.sleep(40)
            assert studio.said() == ["air a", "end a", "air b", "end b"]

    run(play())


TEST, EXERCISE = Status.TEST, Status.EXERCISE


@pytest.mark.parametrize("drill", [TEST, EXERCISE])
@pytest.mark.parametrize("priority", Priority)
def test_a_drill_cuts_short_nothing_real(tmp_path: Path, priority: Priority, drill: Status) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("real", priority)
            await asyncio.sleep(4)
            studio.hold("drill", EMERGENCY, status=drill)
            await asyncio.sleep(40)
            assert studio.said() == ["air real", "end real", "air drill", "end drill"]

    run(play())


@pytest.mark.parametrize("priority", Priority)
def test_a_real_emergency_cuts_short_every_drill(tmp_path: Path, priority: Priority) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("drill", priority, status=EXERCISE)
            await asyncio.sleep(4)
            studio.hold("real", EMERGENCY)
            await asyncio.sleep(40)
            assert studio.said() == ["air drill", "cut drill", "air real", "end real", "air drill", "end drill"]

    run(play())


def test_a_drill_of_an_emergency_cuts_short_a_drill_that_is_none(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("small", status=TEST)
            await asyncio.sleep(4)
            studio.hold("large", EMERGENCY, status=EXERCISE)
            await asyncio.sleep(4)
            studio.hold("another", EMERGENCY, status=TEST)
            await asyncio.sleep(60)
            words = ["air small", "cut small", "air large", "end large", "air another", "end another"]
            assert studio.said()[:6] == words

    run(play())


def test_whatever_is_real_goes_before_drills_that_wait(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("on air")
            studio.hold("drill", EMERGENCY, status=TEST)
            studio.hold("real")
            await asyncio.sleep(60)
            assert studio.said()[::2] == ["air on air", "air real", "air drill"]

    run(play())


def test_an_emergency_for_a_later_moment_cuts_in_at_that_moment(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("e", EMERGENCY, begins=6)
            studio.hold("n")
            await asyncio.sleep(40)
            assert studio.said()[:3] == ["air n", "cut n", "air e"]
            assert [at for at, what in studio.player.told if what == "air e"] == [pytest.approx(6, abs=0.2)]

    run(play())


def test_an_emergency_does_not_wait_for_its_recording(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("e", EMERGENCY, ready=False)
            await asyncio.sleep(20)
            assert studio.said() == ["air e", "end e"]

    run(play())


def test_what_is_cut_too_often_ends(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("n")
            for number in range(ATTEMPTS):
                await asyncio.sleep(3)
                studio.hold(f"e{number}", EMERGENCY)
                await asyncio.sleep(LENGTH_S)
            await asyncio.sleep(20)
            assert studio.said().count("air n") == ATTEMPTS
            assert (1, Event.PARTLY, Reason.INTERRUPTED) in studio.endings()

    run(play())


# What is taken back


def test_a_cancel_of_what_waits_ends_it_unaired(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("n", begins=100)
            await studio.director.drop(one.digest, State.CANCELLED, Reason.CANCELLED, "phát nhầm", issuer="ward")
            await asyncio.sleep(200)
            assert studio.said() == []
            assert studio.endings() == [(1, Event.CANCELLED, Reason.CANCELLED)]

    run(play())


def test_a_cancel_of_what_is_on_air_stops_it_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("n")
            await asyncio.sleep(4)
            await studio.director.drop(one.digest, State.CANCELLED, Reason.CANCELLED, "phát nhầm", issuer="ward")
            await asyncio.sleep(20)
            assert studio.player.told[-2:] == [(4.0, "cut n"), (4.0, "release")]
            assert studio.endings() == [(1, Event.CANCELLED, Reason.CANCELLED)]
            evidence = receipts(tmp_path)[-1].evidence
            assert evidence is not None
            assert evidence.played_ms == 4000

    run(play())


@pytest.mark.parametrize("others", [[], [NORMAL, PRIORITY], [EMERGENCY]])
def test_a_correction_takes_the_place_of_what_it_corrects_at_once(tmp_path: Path, others: list[Priority]) -> None:
    """As the agent does it: what is wrong is dropped, its correction held under the digest of the cancel."""

    async def play() -> None:
        async with on_air(tmp_path) as studio:
            wrong = studio.hold("e", EMERGENCY)
            await asyncio.sleep(1)
            for number, priority in enumerate(others):
                studio.hold(f"other {number}", priority)
            await asyncio.sleep(3)
            right = correction(wrong.bulletin, replace(RECALL, expires=NOW + 3600))
            assert right is not None
            recall = replace(studio.bulletin("the cancel", EMERGENCY), bulletin=right)
            await studio.director.drop(wrong.digest, State.CANCELLED, Reason.CANCELLED, "phát nhầm", issuer="ward")
            studio.director.hold(recall)
            await asyncio.sleep(60)
            assert studio.said()[:4] == ["air e", "cut e", "air Đính chính", "end Đính chính"]
            assert (4.0, "air Đính chính") in studio.player.told
            assert studio.endings()[:2] == [
                (wrong.digest[0], Event.CANCELLED, Reason.CANCELLED),
                (recall.digest[0], Event.AIRED, None),
            ]

    run(play())


def test_a_cancel_by_another_issuer_changes_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("n")
            await asyncio.sleep(4)
            await studio.director.drop(one.digest, State.CANCELLED, Reason.CANCELLED, "", issuer="office")
            await asyncio.sleep(20)
            assert studio.endings() == [(1, Event.AIRED, None)]

    run(play())


@pytest.mark.parametrize("turns", range(8))
def test_a_cancel_at_any_moment_of_the_beginning_ends_it_once(tmp_path: Path, turns: int) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("n")
            for _ in range(turns):
                await asyncio.sleep(0)
            await studio.director.drop(one.digest, State.CANCELLED, Reason.CANCELLED, "")
            await asyncio.sleep(20)
            assert "end n" not in studio.said()
            assert studio.endings() == [(1, Event.CANCELLED, Reason.CANCELLED)]

    run(play())


@pytest.mark.parametrize("turns", range(12))
def test_what_is_taken_back_while_another_lapses_does_not_begin(tmp_path: Path, turns: int) -> None:
    """Writing how the other ended takes its time on a slow card; what was to be next may be gone by then."""

    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("old", begins=-100, life=50)
            one = studio.hold("n")
            for _ in range(turns):
                await asyncio.sleep(0)
            await studio.director.drop(one.digest, State.NOT_AIRED, Reason.PURGED, "")
            await asyncio.sleep(20)
            assert "end n" not in studio.said()
            assert sorted(studio.endings()) == [
                (1, Event.NOT_AIRED, Reason.EXPIRED),
                (2, Event.NOT_AIRED, Reason.PURGED),
            ]
            assert studio.journal.ledger.unfinished() == []  # else the next start would air it

    run(play())


@pytest.mark.parametrize("attempts", range(1, ATTEMPTS + 1))
def test_what_is_taken_back_while_a_silence_closes_its_outputs_ends_once(
    tmp_path: Path, attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.player.release_s = 0.5
            one = studio.hold("n")
            for number in range(attempts):
                await asyncio.sleep(3)
                what = What.SILENCE if number % 2 == 0 else What.BLANK
                studio.director.hold_back([Hold(bytes(32), what, 1, EMERGENCY)])
            await asyncio.sleep(0.2)
            await studio.director.drop(one.digest, State.PARTLY, Reason.STOPPED, "")
            await asyncio.sleep(20)
            assert studio.endings() == [(1, Event.PARTLY, Reason.STOPPED)]
            assert studio.said().count("cut n") == attempts
            assert studio.journal.ledger.unfinished() == []
            assert not caplog.records or "failed" not in caplog.text

    run(play())


@pytest.mark.parametrize("turns", range(12))
def test_what_all_outputs_are_closed_to_at_any_moment_of_its_beginning_waits(tmp_path: Path, turns: int) -> None:
    """The silence may come while the journal is asked: to air nothing would end it for good."""

    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a")
            for _ in range(turns):
                await asyncio.sleep(0)
            standing = [Hold(bytes([100 + n]) * 32, what, 0, EMERGENCY) for n, what in enumerate(What)]
            studio.director.hold_back(standing)
            await asyncio.sleep(60)
            assert "end a" not in studio.said()
            assert studio.endings() == []
            studio.director.hold_back([])
            await asyncio.sleep(60)
            assert studio.player.shut[-1] == Closed()
            assert studio.endings() == [(1, Event.AIRED, None)]

    run(play())


def test_what_is_stopped_stays_so_though_the_power_goes_before_its_outputs_are_closed(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.player.release_s = 5.0  # as where an amplifier does not answer
            one = studio.hold("n")
            await asyncio.sleep(3)
            await studio.director.drop(one.digest, State.PARTLY, Reason.STOPPED, "stopped by somebody")
        with journal(tmp_path) as after:
            assert [entry.digest for entry in after.ledger.unfinished()] == [one.digest]
            found = after.ledger.withdrawal(one.digest, "ward")
            assert found == Withdrawal(one.digest, State.PARTLY, Reason.STOPPED, "stopped by somebody")

    run(play())


def test_a_recording_that_comes_too_late_brings_nothing_back(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            waits = studio.hold("n", ready=False)
            urgent = studio.hold("e", EMERGENCY, ready=False)
            await studio.director.drop(waits.digest, State.CANCELLED, Reason.CANCELLED, "")
            await asyncio.sleep(20)
            studio.director.ready(waits.digest)
            studio.director.ready(urgent.digest)
            await asyncio.sleep(20)
            assert studio.said() == ["air e", "end e"]

    run(play())


# Recordings and time


def test_a_normal_bulletin_waits_for_its_recording(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("n", ready=False)
            await asyncio.sleep(50)
            assert studio.said() == []
            studio.director.ready(one.digest)
            await asyncio.sleep(1)
            assert studio.said() == ["air n"]

    run(play())


@pytest.mark.parametrize(("priority", "heard"), [(NORMAL, False), (PRIORITY, False), (EMERGENCY, True)])
def test_a_bad_recording_refuses_all_but_an_emergency(tmp_path: Path, priority: Priority, heard: bool) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            one = studio.hold("x", priority, ready=False)
            await studio.director.recording_failed(one, Reason.AUDIO_NOT_DECODABLE, "not audio")
            await asyncio.sleep(20)
            expected = (1, Event.AIRED, None) if heard else (1, Event.REFUSED, Reason.AUDIO_NOT_DECODABLE)
            assert studio.endings() == [expected]

    run(play())


@pytest.mark.parametrize(("ready", "reason"), [(True, Reason.EXPIRED), (False, Reason.AUDIO_UNAVAILABLE)])
def test_what_expires_before_it_could_air_says_why(tmp_path: Path, ready: bool, reason: Reason) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("e", EMERGENCY)
            studio.hold("n", life=8, ready=ready)
            await asyncio.sleep(30)
            assert (2, Event.NOT_AIRED, reason) in studio.endings()

    run(play())


def test_what_was_cut_short_and_then_expired_was_not_silent(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("n", life=10)
            await asyncio.sleep(4)
            studio.hold("e", EMERGENCY)
            await asyncio.sleep(30)
            assert (1, Event.PARTLY, Reason.INTERRUPTED) in studio.endings()

    run(play())


def test_a_clock_that_is_put_right_is_noticed_soon(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("n", begins=3600, life=60)
            await asyncio.sleep(1)
            studio.clock.heard(NOW + 3601, studio.clock.ask())
            await asyncio.sleep(LOOK_AGAIN_S + 1)
            assert studio.said() == ["air n"]

    run(play())


# What fails


def test_a_player_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.player.faults = 1
            studio.hold("e", EMERGENCY)
            await asyncio.sleep(30)
            assert studio.said() == ["air e", "air e", "end e"]
            assert studio.endings() == [(1, Event.AIRED, None)]

    run(play())


def test_a_player_that_always_fails_ends_in_a_receipt_and_released(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.player.faults = 100
            studio.player.outcome_state = State.NOT_AIRED
            studio.hold("e", EMERGENCY)
            await asyncio.sleep(30)
            assert studio.said() == ["air e"] * ATTEMPTS
            assert studio.player.told[-1][1] == "release"
            assert studio.endings() == [(1, Event.NOT_AIRED, Reason.INTERRUPTED)]
            assert "ZeroDivisionError" in receipts(tmp_path)[-1].detail

    run(play())


def test_a_journal_that_cannot_be_written_airs_nothing_and_releases(tmp_path: Path) -> None:
    async def play() -> None:
        studio = Studio(tmp_path)
        with contextlib.closing(studio.journal):
            studio.hold("n")
            studio.journal.broken = frozenset({"begin"})
            with pytest.raises(sqlite3.OperationalError):
                await studio.director.run()
            assert [what for _, what in studio.player.told] == ["release"]
            assert studio.director.holds(bytes([1]) * 32)

    run(play())


def test_an_ending_that_the_journal_could_not_take_is_written_later(tmp_path: Path) -> None:
    async def play() -> None:
        studio = Studio(tmp_path)
        with contextlib.closing(studio.journal):
            one = studio.hold("n")
            studio.journal.broken = frozenset({"end"})
            with pytest.raises(sqlite3.OperationalError):
                await studio.director.run()
            assert studio.player.told[-1][1] == "release"
            assert studio.director.holds(one.digest)  # so that nobody takes it up as left over
            studio.journal.broken = frozenset()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await studio.director.run()  # as the supervisor does
            assert studio.said() == ["air n", "end n"]
            assert studio.endings() == [(1, Event.AIRED, None)]
            assert not studio.director.holds(one.digest)

    run(play())


def test_a_cancel_while_the_journal_fails_is_not_forgotten(tmp_path: Path) -> None:
    async def play() -> None:
        studio = Studio(tmp_path)
        with contextlib.closing(studio.journal):
            one = studio.hold("n")
            studio.journal.broken = frozenset({"end", "begin"})
            with pytest.raises(sqlite3.OperationalError):
                await studio.director.drop(one.digest, State.CANCELLED, Reason.CANCELLED, "")
            studio.journal.broken = frozenset()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await studio.director.run()
            assert studio.said() == []
            assert studio.endings() == [(1, Event.CANCELLED, Reason.CANCELLED)]

    run(play())


# While nothing says what time it is


def test_an_emergency_airs_once_and_its_receipt_says_how_late(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            studio.hold("e", EMERGENCY)
            await asyncio.sleep(30)
            assert studio.asked == [(0.0, CONFIRM_S)]
            assert (CONFIRM_S, "air e") in studio.player.told
            assert studio.said() == ["air e", "end e"]
            assert studio.player.notices == [(issue_notice(NOW, "en"),)]
            assert studio.endings() == [(1, Event.AIRED, None)]
            assert receipts(tmp_path)[-1].time_trust is TimeTrust.NONE
            assert "by this hub's clock, whose trust is none" in receipts(tmp_path)[-1].detail

    run(play())


def test_each_emergency_asks_for_itself(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            studio.hold("e", EMERGENCY)
            studio.hold("f", EMERGENCY)
            await asyncio.sleep(60)
            assert studio.said() == ["air e", "end e", "air f", "end f"]
            assert len(studio.asked) == 2

    run(play())


@pytest.mark.parametrize(
    ("priority", "status"),
    [(NORMAL, Status.ACTUAL), (PRIORITY, Status.ACTUAL), (EMERGENCY, Status.EXERCISE), (EMERGENCY, Status.TEST)],
)
def test_all_others_wait_until_the_time_is_known(tmp_path: Path, priority: Priority, status: Status) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            held = studio.bulletin("n", priority, begins=86_400 * 200, life=10**6, status=status)
            studio.director.hold(held)
            await asyncio.sleep(100)
            assert (studio.said(), studio.asked) == ([], [])
            studio.clock.heard(int(studio.clock.now()) + 86_400 * 200, studio.clock.ask())
            await asyncio.sleep(LOOK_AGAIN_S + 1)
            assert studio.said() == ["air n"]

    run(play())


def test_an_answer_that_shows_it_expired_ends_it_unaired(tmp_path: Path) -> None:
    """A recording of last month's emergency, brought to a hub that was without power."""

    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            one = studio.hold("e", EMERGENCY, life=60)
            studio.answer = one.bulletin.expires + 86_400 * 30
            await asyncio.sleep(30)
            assert studio.said() == []
            assert studio.endings() == [(1, Event.NOT_AIRED, Reason.EXPIRED)]

    run(play())


def test_an_answer_in_time_makes_it_an_emergency_like_any_other(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            one = studio.hold("e", EMERGENCY)
            studio.answer = one.bulletin.issued if one.bulletin.issued > NOW else int(studio.clock.now()) + 5
            await asyncio.sleep(30)
            assert studio.said() == ["air e", "end e"]
            assert studio.player.notices == [()]
            assert receipts(tmp_path)[-1].detail == ""

    run(play())


def test_one_that_began_does_not_begin_again_before_the_time_is_known(tmp_path: Path) -> None:
    """The power went while it aired, and goes again and again: it must not sound each time the hub starts."""

    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            begun = replace(studio.bulletin("e", EMERGENCY), attempts=1)
            studio.director.hold(begun)
            await asyncio.sleep(100)
            assert (studio.said(), studio.asked) == ([], [])
            studio.clock.heard(int(studio.clock.now()), studio.clock.ask())
            await asyncio.sleep(30)
            assert studio.said() == ["air e", "end e"]

    run(play())


def test_one_that_failed_does_not_begin_again_before_the_time_is_known(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            studio.player.faults = 1
            studio.hold("e", EMERGENCY, life=600)
            await asyncio.sleep(700)
            assert studio.said() == ["air e"]
            assert studio.endings() == [(1, Event.PARTLY, Reason.INTERRUPTED)]

    run(play())


def test_one_that_is_stopped_says_how_late_it_began(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            one = studio.hold("e", EMERGENCY)
            await asyncio.sleep(CONFIRM_S + 1)
            await studio.director.drop(one.digest, State.PARTLY, Reason.STOPPED, "stopped at the hub")
            await asyncio.sleep(1)
            assert studio.endings() == [(1, Event.PARTLY, Reason.STOPPED)]
            assert receipts(tmp_path)[-1].detail.startswith("stopped at the hub; aired ")

    run(play())


def test_one_that_is_taken_back_while_the_source_is_asked_does_not_air(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path, TimeTrust.NONE) as studio:
            one = studio.hold("e", EMERGENCY)
            await asyncio.sleep(1)
            await studio.director.drop(one.digest, State.CANCELLED, Reason.CANCELLED, "phát nhầm", issuer="ward")
            await asyncio.sleep(30)
            assert studio.said() == []
            assert studio.endings() == [(1, Event.CANCELLED, Reason.CANCELLED)]

    run(play())


# Streams


def test_what_came_of_a_stream_is_told_however_it_ends(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as one:
            one.player.remark = "9 packets"
            whole, cut, dropped = one.hold("whole"), one.hold("cut"), one.hold("dropped")
            await asyncio.sleep(LENGTH_S + 1)
            one.hold("siren", EMERGENCY)
            await asyncio.sleep(2 * LENGTH_S + 2)
            await one.director.drop(dropped.digest, State.PARTLY, Reason.STOPPED, "stopped")
            await asyncio.sleep(1)
            lines = story(tmp_path)
            ended = {one.statement: one.detail["detail"] for one in lines if one.event in {"aired", "partly"}}
            assert (ended[whole.digest], ended[dropped.digest]) == ("9 packets", "stopped; 9 packets")
            cuts = [(one.statement, one.detail["why"]) for one in lines if one.event == "interrupted"]
            assert cuts == [(cut.digest, "cut short by an emergency; 9 packets")]

    run(play())


def test_a_stream_whose_time_was_up_while_it_waited_ends_and_moves_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as one:
            candidate = one.bulletin("live", NORMAL)
            one.director.hold(replace(candidate, stream=Ordered(candidate.digest, STREAM, bytes(30))))
            await asyncio.sleep(3)
            one.hold("siren", EMERGENCY)
            await asyncio.sleep(1)
            one.player.over.add(candidate.digest)
            await asyncio.sleep(60)
            assert one.said() == ["air live", "cut live", "air siren", "end siren"]
            assert one.endings() == [(2, Event.AIRED, None), (1, Event.PARTLY, Reason.INTERRUPTED)]

    run(play())
