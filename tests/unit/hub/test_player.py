"""One airing over outputs that are simple objects: what begins together, fails apart, and stands in the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.virtual import run
from tests.statements import AREA, MINIMAL, STREAM

from ward_hub.config import AiringSection
from ward_hub.holds import OPEN, Closed
from ward_hub.journal import State
from ward_hub.playout.amplifiers import AmplifierOutput
from ward_hub.playout.boards import BoardOutput, BoardTrack, Layout
from ward_hub.playout.live import Live
from ward_hub.playout.player import GRACE_S, Player
from ward_hub.playout.sound import Heard, Sound
from ward_hub.playout.tracks import ZoneTrack
from ward_hub.streams import Ordered
from ward_hw.drivers.board import BoardIdent, Show
from ward_hw.errors import LinkError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Audio, Bulletin, Priority, Status, Text

SETTINGS = AiringSection()
SOUND_S = 20.0
Told = list[tuple[float, str]]


class Log:
    """What happened, in order, with the loop's time."""

    def __init__(self) -> None:
        self.told: Told = []

    def say(self, what: str) -> None:
        self.told.append((round(asyncio.get_running_loop().time(), 2), what))

    def when(self, what: str) -> float:
        return next(at for at, said in self.told if said == what)

    def words(self) -> list[str]:
        return [said for _, said in self.told]


@dataclass
class FakeAmplifier:
    """Closes after `takes` seconds, or fails then."""

    name: str
    zones: dict[str, int]
    log: Log
    takes: float = 1.0
    broken: bool = False
    tracks: list[ZoneTrack] = field(default_factory=list)

    async def carry(self, zones: Iterable[str], *, urgent: bool) -> None:
        self.tracks = [ZoneTrack(zone) for zone in zones]
        await asyncio.sleep(self.takes)
        if self.broken:
            raise LinkError(self.name, "set relays", "silence", remedy="look at the cable")
        for track in self.tracks:
            track.closed_ms, track.confirmed, track.heard_ms = 1, True, 20_000
        self.log.say(f"{self.name} carries {' '.join(zones)}{' urgently' if urgent else ''}")

    async def release(self) -> None:
        self.log.say(f"{self.name} open")
        if self.broken:
            raise LinkError(self.name, "set relays", "silence", remedy="look at the cable")

    def end_tracks(self) -> list[ZoneTrack]:
        tracks, self.tracks = self.tracks, []
        return tracks


@dataclass
class FakeBoard:
    """A board that answers, or one that has not said what it is."""

    id: str
    log: Log
    ident: BoardIdent | None = field(default_factory=lambda: BoardIdent(96, 32, 1, 16_384, 1, bytes(8)))
    show: Show | None = None

    def present(self, make: Layout) -> Show | None:
        self.show = make(self.ident) if self.ident else None
        self.log.say(f"{self.id} shows" if self.show else f"{self.id} has nothing")
        return self.show

    def clear(self) -> None:
        self.show = None
        self.log.say(f"{self.id} dark")

    def end_track(self) -> BoardTrack:
        return BoardTrack(self.id, 1, 2, 5, 5) if self.show else BoardTrack(self.id)


@dataclass
class FakeSound:
    """Sounds for SOUND_S, or complains."""

    log: Log
    trouble: tuple[Reason, str] | None = None
    notices: Sequence[str] = ()

    async def play(
        self,
        bulletin: Bulletin,
        recording: Callable[[], Awaitable[Path | None]],
        heard: Heard,
        gap_s: float,
        notices: Sequence[str] = (),
    ) -> None:
        self.log.say("sound")
        self.notices = notices
        heard.requested_ms = int(SOUND_S * 1000)
        if self.trouble:
            heard.trouble = self.trouble
            return
        try:
            await asyncio.sleep(SOUND_S)
            heard.played_ms = heard.requested_ms
        except asyncio.CancelledError:
            self.log.say("sound stopped")
            raise


class FakeLive:
    """Plays each stream for ten seconds; one that has begun is over afterwards."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.begun: list[tuple[Ordered, Priority, Status]] = []

    async def play(self, one: Ordered, heard: Heard, *, priority: Priority, status: Status) -> None:
        self.log.say("stream")
        self.begun.append((one, priority, status))
        heard.remark = "9 packets"
        await asyncio.sleep(10)
        heard.played_ms = heard.requested_ms = 10_000

    def is_over(self, order: bytes) -> bool:
        return any(one.order == order for one, _, _ in self.begun)


class Ward:
    """Two amplifiers with two zones each, two boards, sound, and a player over them."""

    def __init__(self) -> None:
        self.log = Log()
        self.amplifiers = [FakeAmplifier(f"amp-{n}", {f"z{n}a": 1, f"z{n}b": 2}, self.log) for n in (1, 2)]
        self.boards = [FakeBoard(f"board-{n}", self.log) for n in (1, 2)]
        self.sound = FakeSound(self.log)
        self.live = FakeLive(self.log)
        self.player = Player(
            amplifiers=cast("list[AmplifierOutput]", self.amplifiers),
            boards=cast("list[BoardOutput]", self.boards),
            sound=cast("Sound", self.sound),
            live=cast("Live", self.live),
            settings=SETTINGS,
            language="vi",
            first_show_id=7,
        )

    async def air(self, **changes: object) -> None:
        await self.player.air(replace(MINIMAL, **changes), no_recording)  # type: ignore[arg-type]


async def no_recording() -> Path | None:
    return None


def audience(zones: tuple[str, ...] = (), boards: tuple[str, ...] = ()) -> Audience:
    return Audience((AREA,), (), zones, boards)


def test_all_of_it_begins_together_and_ends_with_evidence() -> None:
    async def story() -> None:
        ward = Ward()
        await ward.air()
        outcome = ward.player.outcome(1)
        assert outcome.state is State.AIRED
        assert [zone.zone for zone in outcome.evidence.zones] == ["z1a", "z1b", "z2a", "z2b"]
        assert [board.board for board in outcome.evidence.boards] == ["board-1", "board-2"]
        assert (outcome.evidence.played_ms, outcome.evidence.requested_ms) == (20_000, 20_000)
        assert ward.log.when("board-1 shows") == 0
        assert ward.log.when("sound") == 1.0
        assert ward.log.when("amp-1 open") == pytest.approx(1 + SOUND_S + SETTINGS.tail_ms / 1000)

    run(story())


def test_a_slow_amplifier_holds_the_others_up_only_briefly() -> None:
    async def story() -> None:
        ward = Ward()
        ward.amplifiers[1].takes = 10
        await ward.air()
        assert ward.log.when("sound") == pytest.approx(1 + GRACE_S)

    run(story())


def test_an_amplifier_that_is_not_ready_before_the_sound_is_over_carries_nothing() -> None:
    """Its relays close no more, the others open in time, and its zones are not claimed."""

    async def story() -> None:
        ward = Ward()
        ward.amplifiers[1].takes = 60
        await ward.air(texts=())
        outcome = ward.player.outcome(1)
        assert "amp-2 carries z2a z2b" not in ward.log.words()
        assert ward.log.when("amp-1 open") == pytest.approx(1 + GRACE_S + SOUND_S + SETTINGS.tail_ms / 1000, abs=0.01)
        assert (outcome.state, outcome.reason) == (State.PARTLY, Reason.RELAY_UNCONFIRMED)

    run(story())


def test_a_broken_amplifier_takes_nothing_along() -> None:
    async def story() -> None:
        ward = Ward()
        ward.amplifiers[0].broken = True
        await ward.air()
        outcome = ward.player.outcome(1)
        assert (outcome.state, outcome.reason) == (State.PARTLY, Reason.RELAY_UNCONFIRMED)
        assert "sound" in ward.log.words()
        assert {"amp-1 open", "amp-2 open"} <= set(ward.log.words())

    run(story())


def test_without_any_amplifier_nothing_is_played_and_boards_still_show() -> None:
    async def story() -> None:
        ward = Ward()
        for amplifier in ward.amplifiers:
            amplifier.broken = True
        await ward.air()
        outcome = ward.player.outcome(1)
        assert "sound" not in ward.log.words()
        assert (outcome.state, outcome.reason) == (State.PARTLY, Reason.RELAY_UNCONFIRMED)

    run(story())


def test_without_boards_the_loudspeakers_carry_it() -> None:
    async def story() -> None:
        ward = Ward()
        ward.boards.clear()
        ward.player._boards = []
        await ward.air(priority=Priority.EMERGENCY)
        assert ward.player.outcome(1).state is State.AIRED
        assert "amp-1 carries z1a z1b urgently" in ward.log.words()

    run(story())


def test_only_the_audience_is_spoken_to() -> None:
    async def story() -> None:
        ward = Ward()
        await ward.air(audience=audience(("z2b",), ("board-2",)))
        assert {"amp-1 carries ", "amp-2 carries z2b", "board-1 dark", "board-2 shows"} <= set(ward.log.words())
        evidence = ward.player.outcome(1).evidence
        assert [zone.zone for zone in evidence.zones] == ["z2b"]
        assert [board.board for board in evidence.boards] == ["board-2"]

    run(story())


def test_an_audience_that_is_not_here_is_no_output() -> None:
    async def story() -> None:
        ward = Ward()
        await ward.air(audience=audience(("elsewhere",), ("elsewhere",)))
        outcome = ward.player.outcome(1)
        assert (outcome.state, outcome.reason) == (State.NOT_AIRED, Reason.NO_OUTPUT)
        assert "sound" not in ward.log.words()

    run(story())


def test_a_board_that_has_not_answered_stands_in_the_evidence() -> None:
    async def story() -> None:
        ward = Ward()
        ward.boards[0].ident = None
        await ward.air()
        outcome = ward.player.outcome(1)
        assert (outcome.state, outcome.reason) == (State.PARTLY, Reason.BOARD_UNCONFIRMED)
        assert outcome.evidence.boards[0].compared == 0

    run(story())


def test_a_board_too_small_for_it_says_so() -> None:
    async def story() -> None:
        ward = Ward()
        ward.boards[0].ident = BoardIdent(16, 16, 1, 16_384, 1, bytes(8))
        await ward.air(status=Status.EXERCISE)
        outcome = ward.player.outcome(1)
        assert (outcome.state, outcome.reason) == (State.PARTLY, Reason.TEXT_TOO_LONG)
        assert "board-1" in outcome.detail

    run(story())


def test_without_text_boards_are_dark_and_not_missed() -> None:
    async def story() -> None:
        ward = Ward()
        await ward.air(texts=())
        assert ward.player.outcome(1).evidence.boards == ()
        assert {"board-1 dark", "board-2 dark"} <= set(ward.log.words())

    run(story())


def test_the_hubs_language_is_shown() -> None:
    async def story() -> None:
        ward = Ward()
        long = Text("en", "x", "word " * 100)
        await ward.air(texts=(long, Text("vi", "Tin", "Ngắn")))
        show = ward.boards[0].show
        assert show is not None
        assert max(window.strip.width for window in show.windows) < 500

    run(story())


def test_a_board_shows_a_long_text_to_its_end() -> None:
    async def story() -> None:
        ward = Ward()
        text = Text("vi", "Tin", "Người dân chú ý. " * 60)
        await ward.air(texts=(text,))
        show = ward.boards[0].show
        assert show is not None
        window = show.windows[-1]
        seconds = (window.strip.width + window.w) / window.scroll_px_s
        assert asyncio.get_running_loop().time() >= seconds - 0.01
        assert seconds > SOUND_S + 10

    run(story())


def test_what_is_to_be_said_before_reaches_the_sound() -> None:
    async def story() -> None:
        ward = Ward()
        await ward.player.air(MINIMAL, no_recording, notices=["Bản tin này được phát lúc 7 giờ."])
        assert ward.sound.notices == ["Bản tin này được phát lúc 7 giờ."]
        await ward.air()
        assert not ward.sound.notices

    run(story())


def test_trouble_with_the_sound_is_the_reason() -> None:
    async def story() -> None:
        ward = Ward()
        ward.sound.trouble = (Reason.AUDIO_OUTPUT_FAILED, "no device")
        await ward.air()
        assert ward.player.outcome(1).reason is Reason.AUDIO_OUTPUT_FAILED

    run(story())


def test_cut_short_the_sound_stops_and_outputs_stay_for_what_follows() -> None:
    async def story() -> None:
        ward = Ward()
        airing = asyncio.create_task(ward.air())
        await asyncio.sleep(5)
        airing.cancel()
        await asyncio.wait([airing])
        assert ward.log.told[-1] == (5.0, "sound stopped")
        assert not any("open" in word or "dark" in word for word in ward.log.words())
        assert len(ward.player.outcome(1).evidence.zones) == 4
        await ward.player.release()
        assert ward.log.words()[-4:] == ["board-1 dark", "board-2 dark", "amp-1 open", "amp-2 open"]

    run(story())


def test_evidence_is_of_this_airing_alone() -> None:
    """One that was cut before it began has none, whatever was measured before it."""

    async def story() -> None:
        ward = Ward()
        await ward.air()
        ward.player.outcome(1)
        never = asyncio.create_task(ward.air())
        never.cancel()
        await asyncio.wait([never])
        evidence = ward.player.outcome(2).evidence
        assert (evidence.zones, evidence.boards, evidence.played_ms, evidence.attempts) == ((), (), 0, 2)

    run(story())


def test_each_show_has_a_number_of_its_own() -> None:
    async def story() -> None:
        ward = Ward()
        numbers = []
        for _ in range(2):
            await ward.air()
            numbers += [board.show.show_id for board in ward.boards if board.show]
        assert len(set(numbers)) == 4

    run(story())


# What orders, or commands at the hub, close

Z1, ALL_ZONES = frozenset({"z1a", "z1b"}), frozenset({"z1a", "z1b", "z2a", "z2b"})
MUTE: dict[str, object] = {"texts": (), "audio": (Audio(bytes(32), 1, "audio/ogg", 1),)}


@pytest.mark.parametrize(
    ("shut", "changes", "waits"),
    [
        (OPEN, {}, False),
        (Closed(None, None), {}, True),
        (Closed(zones=None), {}, False),  # boards are left
        (Closed(zones=None), MUTE, True),  # nothing to show on them
        (Closed(ALL_ZONES, frozenset({"board-1", "board-2"})), {}, True),
        (Closed(ALL_ZONES, frozenset({"board-1"})), {}, False),
        (Closed(Z1, None), {}, False),
        (Closed(Z1, None), {"audience": audience(("z1a",))}, True),
        (Closed(Z1, None), {"audience": audience(("z1a", "z2a"))}, False),
        (Closed(None, frozenset({"board-2"})), {"audience": audience((), ("board-2",))}, True),
        (Closed(None, None), {"audience": audience(("elsewhere",), ("elsewhere",))}, False),  # it ends as no output
    ],
)
def test_what_waits_is_what_has_nothing_left_here(shut: Closed, changes: dict[str, object], waits: bool) -> None:
    ward = Ward()
    assert ward.player.is_shut_out(replace(MINIMAL, **changes), shut) is waits  # type: ignore[arg-type]


def test_a_ward_without_boards_waits_in_silence() -> None:
    ward = Ward()
    ward.player._boards = []
    assert ward.player.is_shut_out(MINIMAL, Closed(zones=None))
    ward.player._amplifiers = []
    assert not ward.player.is_shut_out(MINIMAL, Closed(zones=None))


def test_what_is_closed_is_left_out_and_the_outcome_says_by_whom() -> None:
    async def story() -> None:
        ward = Ward()
        shut = Closed(Z1, frozenset({"board-2"}), ("a command at the hub", "order 7 of province"))
        await ward.player.air(MINIMAL, no_recording, shut)
        assert {"amp-1 carries ", "amp-2 carries z2a z2b", "board-1 shows", "board-2 dark"} <= set(ward.log.words())
        outcome = ward.player.outcome(1)
        assert (outcome.state, outcome.reason) == (State.PARTLY, Reason.SILENCED)
        assert outcome.detail == "closed by a command at the hub and order 7 of province: board-2, z1a, z1b"

    run(story())


def test_a_stream_sounds_in_place_of_its_bulletin_s_text() -> None:
    async def story() -> None:
        ward = Ward()
        stream = Ordered(bytes(32), STREAM, bytes(30))
        assert not ward.player.is_over(stream)
        drill = replace(MINIMAL, priority=Priority.PRIORITY, status=Status.TEST)
        await ward.player.air(drill, no_recording, OPEN, stream)
        assert ward.live.begun == [(stream, Priority.PRIORITY, Status.TEST)]
        assert "sound" not in ward.log.words()
        assert ward.log.when("board-1 shows") == 0
        outcome = ward.player.outcome(1)
        assert (outcome.state, outcome.detail, outcome.remark) == (State.AIRED, "", "9 packets")
        assert ward.player.is_over(stream)
        assert not ward.player.is_over(None)
        await ward.air()
        assert ward.player.outcome(1).remark == ""

    run(story())
