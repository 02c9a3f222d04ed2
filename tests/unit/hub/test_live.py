"""A live stream as an airing sounds it, on a loudspeaker that takes notes: chime, notices, ends, failures, going on."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.streams import STREAM
from tests.sim.hw.virtual import run
from tests.srtp_peer import MASTER

from ward_hub.i18n import translator
from ward_hub.playout.live import FIRST_S, NOTICE_EVERY_S, REMEMBERED, Live
from ward_hub.playout.sound import TRIES, Heard, Sound
from ward_hub.speech import Speech, SpeechError
from ward_hub.streams import Ordered
from ward_hw.audio import AudioError, AudioWorker, Ended, Played, Position, Reception
from ward_protocol.reasons import Reason
from ward_protocol.statements import Priority, Status, Stream

SAID_S = 2
CHIME_S, DRILL_CHIME_S = 1, 1.2
ORDER = bytes(32)
SSRC = 7
MINUTE = replace(STREAM, max_s=60, silence_s=5)
NOTICE = translator("vi")("This is a test. There is no danger.")
EXERCISE = translator("vi")("This is an exercise. There is no danger.")


def length_s(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


class FakePlaying:
    """Sounds for its length, counted in the loop's time; what came of a stream is told by `reception`."""

    def __init__(self, length_s: float, reception: Reception | None = None, error: str = "") -> None:
        self._begun = asyncio.get_running_loop().time()
        self._length_s = length_s
        self._reception = reception
        self._error = error
        self.stopped = False

    def _played(self, ended: Ended | None) -> Played:
        passed = min(asyncio.get_running_loop().time() - self._begun, self._length_s)
        reception = self._reception and replace(self._reception, ended=ended)
        heard_ms = round(passed * 1000) if reception is None or reception.accepted else 0
        return Played(heard_ms, heard_ms, (), stream=reception)

    async def wait(self) -> Played:
        await asyncio.sleep(self._length_s)
        if self._error:
            raise AudioError("play", self._error, remedy="look", played=self._played(None))
        return self._played(self._reception.ended if self._reception else None)

    async def stop(self, fade_ms: int = 50) -> Played:
        self.stopped = True
        if self._error:
            raise AudioError("play", self._error, remedy="look", played=self._played(None))
        return self._played(Ended.STOPPED)


@dataclass
class FakeAudio:
    """A line on which somebody speaks from `begins_s` to `ends_s` of the loop's time; notes what it is told."""

    begins_s: float = 0.0
    ends_s: float = 1e9
    notes: list[str] = field(default_factory=list)
    afters: list[Position | None] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    dies_after_s: list[float] = field(default_factory=list)
    playings: list[FakePlaying] = field(default_factory=list)

    async def play(self, paths: Sequence[Path]) -> FakePlaying:
        self.notes += [path.stem for path in paths]
        return FakePlaying(sum(map(length_s, paths)))

    async def play_stream(
        self, stream: Stream, master: bytes, *, limit_s: float, first_s: float, after: Position | None
    ) -> FakePlaying:
        now = asyncio.get_running_loop().time()
        self.notes.append(f"stream for {limit_s:g}")
        self.afters.append(after)
        self.firsts.append(first_s)
        playing = self._listened(now, limit_s, first_s, stream.silence_s)
        self.playings.append(playing)
        return playing

    def _listened(self, now: float, limit_s: float, first_s: float, silence_s: float) -> FakePlaying:
        if self.ends_s <= now or self.begins_s > now + first_s:
            return FakePlaying(first_s, Reception(Ended.ABSENT, 0, {"forged": 3, "other": 0}, 0, 0, None))
        position = Position(SSRC, round(now))
        if self.dies_after_s:
            return FakePlaying(self.dies_after_s.pop(0), Reception(None, 9, {}, 0, 0, position), "the worker died")
        ended = Ended.LIMIT if now + limit_s < self.ends_s + silence_s else Ended.SILENCE
        length_s = limit_s if ended is Ended.LIMIT else self.ends_s + silence_s - now
        return FakePlaying(length_s, Reception(ended, 9, {"replayed": 0}, 0, 0, position))


@dataclass
class FakeSpeech:
    """Speaks into files that are named by what they say."""

    mute: bool = False

    async def to_file(self, text: str, folder: Path, *, language: str) -> Path:
        if self.mute:
            raise SpeechError("no espeak-ng")
        path = folder / f"{text.replace('.', '')}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 1000, 0, "NONE", "not compressed"))
            file.writeframes(bytes(2 * 1000 * SAID_S))
        return path


class Booth:
    """Live over a fake line, a fake loudspeaker and a fake voice."""

    def __init__(self, folder: Path, audio: FakeAudio | None = None, *, mute: bool = False) -> None:
        self.audio = audio or FakeAudio()
        worker = cast("AudioWorker", self.audio)
        self.live = Live(worker, Sound(worker, cast("Speech", FakeSpeech(mute)), folder, "vi"), "vi")

    async def play(
        self,
        stream: Stream = MINUTE,
        *,
        order: bytes = ORDER,
        priority: Priority = Priority.NORMAL,
        status: Status = Status.ACTUAL,
    ) -> Heard:
        heard = Heard()
        await self.live.play(Ordered(order, stream, MASTER), heard, priority=priority, status=status)
        return heard

    @property
    def notes(self) -> list[str]:
        return self.audio.notes


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("priority", "chime"), [(Priority.NORMAL, "chime-normal"), (Priority.EMERGENCY, "chime-emergency")]
)
def test_a_chime_and_the_stream_until_nobody_speaks(tmp_path: Path, priority: Priority, chime: str) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, FakeAudio(ends_s=20))
        heard = await booth.play(priority=priority)
        assert booth.notes == [chime, f"stream for {60 - length_s(tmp_path / f'{chime}.wav'):g}"]
        assert (heard.played_ms, heard.requested_ms, heard.trouble) == (25_000, 25_000, None)
        assert (booth.audio.firsts, booth.audio.afters) == ([FIRST_S], [None])
        assert now() == 25

    run(story())


def test_its_time_is_that_of_the_order(tmp_path: Path) -> None:
    async def story() -> None:
        heard = await Booth(tmp_path).play()
        assert now() == 60
        assert heard.trouble is None

    run(story())


def test_where_nobody_speaks_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, FakeAudio(begins_s=1000))
        heard = await booth.play()
        assert now() == CHIME_S + FIRST_S
        assert (heard.played_ms, heard.requested_ms) == (1000, 1000)
        assert heard.trouble == (Reason.STREAM_LOST, "nothing authentic of the stream came within 15 s")

    run(story())


@pytest.mark.parametrize(("status", "notice"), [(Status.TEST, NOTICE), (Status.EXERCISE, EXERCISE)])
def test_a_drill_is_said_to_be_one_again_and_again(tmp_path: Path, status: Status, notice: str) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        said = notice.replace(".", "")
        heard = await booth.play(replace(MINUTE, max_s=80), status=status)
        stretch = f"stream for {NOTICE_EVERY_S:g}"
        stretches = [said, stretch, said, stretch, said, stretch, said, "stream for 10.8", said]
        assert booth.notes == ["chime-drill", *stretches]
        assert booth.audio.afters == [None, Position(SSRC, 3), Position(SSRC, 25), Position(SSRC, 47)]
        assert booth.audio.firsts == [FIRST_S, 5, 5, 5]
        assert heard.trouble is None
        assert heard.played_ms == heard.requested_ms == (80 + SAID_S) * 1000

    run(story())


def test_a_drill_whose_speaker_falls_silent_ends(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, FakeAudio(ends_s=34))
        heard = await booth.play(status=Status.TEST)
        assert [one for one in booth.notes if one.startswith("stream")] == ["stream for 20", "stream for 20"]
        assert now() == 34 + 5 + SAID_S
        assert heard.trouble is None

    run(story())


@pytest.mark.parametrize("status", [Status.TEST, Status.EXERCISE])
def test_a_drill_that_cannot_be_said_to_be_one_is_not_played(tmp_path: Path, status: Status) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, mute=True)
        heard = await booth.play(status=status)
        assert booth.notes == []
        assert heard.trouble == (Reason.AUDIO_UNAVAILABLE, "it could not be said that it is a drill")

    run(story())


def test_what_is_actual_needs_no_voice(tmp_path: Path) -> None:
    async def story() -> None:
        assert (await Booth(tmp_path, FakeAudio(ends_s=20), mute=True).play()).trouble is None

    run(story())


def test_an_output_that_fails_goes_on_behind_what_was_heard(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, FakeAudio(ends_s=40, dies_after_s=[4.0, 6.0]))
        heard = await booth.play()
        assert booth.notes == ["chime-normal", "stream for 59", "stream for 55", "stream for 49"]
        assert booth.audio.afters == [None, Position(SSRC, 1), Position(SSRC, 5)]
        assert heard.trouble is None
        assert heard.played_ms == 45_000

    run(story())


def test_an_output_that_stays_broken_is_the_trouble(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, FakeAudio(dies_after_s=[1.0] * 99))
        heard = await booth.play()
        assert len(booth.audio.playings) == TRIES
        assert heard.trouble is not None
        assert heard.trouble[0] is Reason.AUDIO_OUTPUT_FAILED
        assert "the worker died" in heard.trouble[1]
        assert heard.played_ms == (CHIME_S + TRIES) * 1000

    run(story())


async def cut_short(booth: Booth, after_s: float, heard: Heard, **more: bytes) -> None:
    status, priority = Status.ACTUAL, Priority.NORMAL
    airing = booth.live.play(Ordered(more.get("order", ORDER), MINUTE, MASTER), heard, priority=priority, status=status)
    task = asyncio.create_task(airing)
    await asyncio.sleep(after_s)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


def test_cut_short_it_stops_at_once_and_what_was_heard_counts(tmp_path: Path) -> None:
    async def story() -> None:
        booth, heard = Booth(tmp_path), Heard()
        await cut_short(booth, 12, heard)
        assert now() == 12
        assert booth.audio.playings[0].stopped
        assert (heard.played_ms, heard.requested_ms) == (12_000, 12_000)

    run(story())


def test_begun_again_it_goes_on_behind_what_was_heard_and_gets_no_more_time(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        await cut_short(booth, 12, Heard())
        await asyncio.sleep(8)
        await booth.play()
        assert booth.notes == ["chime-normal", "stream for 59", "chime-normal", "stream for 39"]
        assert booth.audio.afters == [None, Position(SSRC, 1)]
        assert not booth.live.is_over(bytes([1]) * 32)
        assert now() == 60

    run(story())


def test_begun_again_after_its_time_nothing_sounds(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        await cut_short(booth, 12, Heard())
        await asyncio.sleep(60)
        heard = await booth.play()
        assert booth.notes == ["chime-normal", "stream for 59"]
        assert booth.live.is_over(ORDER)
        assert (heard.requested_ms, heard.trouble) == (0, None)
        late = Booth(tmp_path, FakeAudio(begins_s=1e9))
        await cut_short(late, 1, Heard())
        await asyncio.sleep(60)
        assert (await late.play()).trouble is not None

    run(story())


def test_each_order_has_its_own_time_and_the_newest_are_remembered(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        for number in range(REMEMBERED + 1):
            await cut_short(booth, 3, Heard(), order=bytes([number]) * 32)
        assert booth.audio.afters == [None] * (REMEMBERED + 1)
        assert len(booth.live._runs) == REMEMBERED
        await cut_short(booth, 3, Heard(), order=bytes([REMEMBERED]) * 32)
        assert booth.audio.afters[-1] is not None

    run(story())


def test_what_was_refused_is_a_warning_without_the_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        heard = await Booth(tmp_path, FakeAudio(begins_s=1000)).play()
        assert heard.remark == "stream ended by absent; 0 packets accepted, 0 lost, refused: 3 forged"

    run(story())
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    expected = "stream: absent after 0 ms; packets: 0 accepted, 0 lost, 0 left out, refused: 3 forged"
    assert warning.getMessage() == expected
    assert MASTER.hex() not in caplog.text
    assert str(MASTER) not in caplog.text
    assert "master" not in repr(Ordered(ORDER, MINUTE, MASTER))


def test_what_came_in_all_stretches_is_told_as_one(tmp_path: Path) -> None:
    async def story() -> None:
        booth, heard = Booth(tmp_path, FakeAudio(dies_after_s=[1.0])), Heard()
        await cut_short(booth, 12, heard)
        assert heard.remark == "stream ended by stopped; 18 packets accepted, 0 lost, refused: none"
        assert (await booth.play()).remark == "stream ended by limit; 27 packets accepted, 0 lost, refused: none"

    run(story())
