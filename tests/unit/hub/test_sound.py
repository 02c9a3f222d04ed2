"""What an airing sounds like, on a loudspeaker that takes notes: chime, notice, recording or speech, failures."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.virtual import run
from tests.statements import MINIMAL

from ward_hub.playout.script import notice
from ward_hub.playout.sound import TRIES, Heard, Sound
from ward_hub.speech import Speech, SpeechError
from ward_hw.audio import AudioError, AudioWorker, Clip, Part, Played
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Priority, Status, Text

CLIP_MS = 4000
CHIME_MS = {"chime-normal": 1000, "chime-emergency": 3000, "chime-drill": 1200}
GAP_S = 1.0


def broken() -> AudioError:
    return AudioError("play", "no device", remedy="look at the cable")


class FakePlaying:
    """Sounds for its length, counted in the loop's time."""

    def __init__(self, length_ms: int) -> None:
        self._begun = asyncio.get_running_loop().time()
        self._length_ms = length_ms

    def _played(self) -> Played:
        passed = round((asyncio.get_running_loop().time() - self._begun) * 1000)
        return Played(min(passed, self._length_ms), self._length_ms, ())

    async def wait(self) -> Played:
        await asyncio.sleep(self._length_ms / 1000)
        return self._played()

    async def stop(self, fade_ms: int = 50) -> Played:
        return self._played()


@dataclass
class FakeAudio:
    """Takes what is to be played, names only; fails as often as `failures` says. Recordings have `clip_ms`."""

    names: list[str] = field(default_factory=list)
    failures: int = 0
    undecodable: frozenset[str] = frozenset()
    clip_ms: int = CLIP_MS

    async def probe(self, path: Path) -> Clip:
        if path.name in self.undecodable:
            raise AudioError(f"probe {path.name}", "not audio", remedy="ask for another")
        return Clip(self.clip_ms, "pcm", 48_000, 1)

    async def play(self, sounds: Sequence[Path | Part]) -> FakePlaying:
        if self.failures:
            self.failures -= 1
            raise broken()
        parts = [one if isinstance(one, Part) else Part(one) for one in sounds]
        self.names += [named(part) for part in parts]
        return FakePlaying(sum(self._length(part) for part in parts))

    def _length(self, part: Part) -> int:
        known = CHIME_MS.get(part.path.stem, self.clip_ms if part.path == RECORDING else CLIP_MS)
        return (known if part.end_ms is None else part.end_ms) - part.begin_ms


def named(part: Part) -> str:
    """The file's name, with the seconds that are played of it where that is not the whole."""
    if (part.begin_ms, part.end_ms) == (0, None):
        return part.path.stem
    return f"{part.path.stem} {part.begin_ms // 1000}-{'' if part.end_ms is None else part.end_ms // 1000}"


@dataclass
class FakeSpeech:
    """Speaks into files of CLIP_MS that are named by what they say; without a voice for `mute` texts, or at all."""

    mute: bool | frozenset[str] = False

    async def to_file(self, text: str, folder: Path, *, language: str) -> Path:
        if self.mute is True or (self.mute and text in self.mute):
            raise SpeechError("no espeak-ng")
        path = folder / f"{language}: {text}"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 1000, 0, "NONE", ""))
            file.writeframes(bytes(2 * CLIP_MS))
        return path


@dataclass
class Booth:
    """Sound over a fake loudspeaker and a fake voice."""

    folder: Path
    audio: FakeAudio = field(default_factory=FakeAudio)
    speech: FakeSpeech = field(default_factory=FakeSpeech)
    heard: Heard = field(default_factory=Heard)

    async def play(
        self, bulletin: Bulletin, recording: Path | None = None, *, notices: Sequence[str] = ()
    ) -> list[str]:
        async def given() -> Path | None:
            return recording

        waiting: Callable[[], Awaitable[Path | None]] = given
        sound = Sound(cast("AudioWorker", self.audio), cast("Speech", self.speech), self.folder, "vi")
        await sound.play(bulletin, waiting, self.heard, GAP_S, notices)
        return self.audio.names


RECORDING = Path("/media/recording")
TITLE, BODY = MINIMAL.texts[0].title, MINIMAL.texts[0].body
SPOKEN = f"vi: {TITLE}.\n{BODY}"
DRILLS = [Status.TEST, Status.EXERCISE]
LATE = "Bản tin này được phát lúc 7 giờ."


def said(text: str, language: str = "vi") -> str:
    """The name of the file that says it."""
    return Path(f"{language}: {text}").stem


def notice_of(status: Status, language: str = "vi") -> str:
    return said(notice(status, language), language)


def test_a_chime_and_the_recording(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        assert await booth.play(MINIMAL, RECORDING) == ["chime-normal", "recording"]
        assert (booth.heard.played_ms, booth.heard.requested_ms) == (1000 + CLIP_MS, 1000 + CLIP_MS)
        assert booth.heard.trouble is None
        assert (tmp_path / "chime-normal.wav").read_bytes()[:4] == b"RIFF"

    run(story())


def test_speech_where_there_is_no_recording(tmp_path: Path) -> None:
    async def story() -> None:
        urgent = replace(MINIMAL, priority=Priority.EMERGENCY)
        assert await Booth(tmp_path).play(urgent) == ["chime-emergency", Path(SPOKEN).stem]

    run(story())


def test_repeats_with_a_pause_and_one_chime(tmp_path: Path) -> None:
    async def story() -> None:
        names = await Booth(tmp_path).play(replace(MINIMAL, repeats=3), RECORDING)
        assert names == ["chime-normal", "recording", "recording", "recording"]
        assert asyncio.get_running_loop().time() == pytest.approx(1 + 3 * CLIP_MS / 1000 + 2 * GAP_S)

    run(story())


# Drills


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("status", DRILLS)
def test_a_drill_says_so_before_and_after_each_time(tmp_path: Path, status: Status, priority: Priority) -> None:
    async def story() -> None:
        one = notice_of(status)
        drill = replace(MINIMAL, status=status, priority=priority, repeats=2)
        names = await Booth(tmp_path).play(drill, RECORDING)
        assert names == ["chime-drill", one, "recording", one, one, "recording", one]

    run(story())


@pytest.mark.parametrize("status", DRILLS)
def test_a_drill_that_is_spoken_says_so_between_its_sentences(tmp_path: Path, status: Status) -> None:
    async def story() -> None:
        body = " ".join(f"Câu {number}." for number in range(1, 9))
        drill = replace(MINIMAL, status=status, texts=(Text("vi", TITLE, body),))
        one, title = notice_of(status), said(f"{TITLE}.")
        first, second = ([said(f"Câu {number}.") for number in numbers] for numbers in (range(1, 5), range(5, 9)))
        assert await Booth(tmp_path).play(drill) == ["chime-drill", one, title, *first, one, *second, one]

    run(story())


def test_a_long_recording_of_a_drill_is_parted_by_notices(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, audio=FakeAudio(clip_ms=50_000))
        one = notice_of(Status.TEST)
        names = await booth.play(replace(MINIMAL, status=Status.TEST), RECORDING)
        parts = ["recording 0-20", "recording 20-40", "recording 40-"]
        assert names == ["chime-drill", one, parts[0], one, parts[1], one, parts[2], one]
        assert booth.heard.requested_ms == booth.heard.played_ms == 1200 + 4 * CLIP_MS + 50_000

    run(story())


def test_the_notice_of_a_drill_is_in_the_language_of_the_bulletin(tmp_path: Path) -> None:
    async def story() -> None:
        drill = replace(MINIMAL, status=Status.TEST, texts=(Text("en", "Trial", "Nothing to do."),))
        one = notice_of(Status.TEST, "en")
        trial = [said("Trial.", "en"), said("Nothing to do.", "en")]
        assert await Booth(tmp_path).play(drill) == ["chime-drill", one, *trial, one]

    run(story())


@pytest.mark.parametrize("recording", [RECORDING, None])
@pytest.mark.parametrize("status", DRILLS)
def test_a_drill_that_cannot_be_said_to_be_one_does_not_sound(
    tmp_path: Path, status: Status, recording: Path | None
) -> None:
    async def story() -> None:
        for mute in (True, frozenset([notice(status, "vi")])):
            booth = Booth(tmp_path, speech=FakeSpeech(mute=mute))
            assert await booth.play(replace(MINIMAL, status=status), recording) == []
            assert booth.heard.requested_ms == 0
            assert booth.heard.trouble is not None
            assert booth.heard.trouble[0] is Reason.AUDIO_UNAVAILABLE

    run(story())


def test_a_drill_half_of_which_cannot_be_spoken_does_not_sound(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, speech=FakeSpeech(mute=frozenset([BODY])))
        assert await booth.play(replace(MINIMAL, status=Status.TEST)) == []

    run(story())


def test_a_drill_on_an_output_that_fails_begins_again_with_its_notice(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        task = asyncio.create_task(booth.play(replace(MINIMAL, status=Status.TEST), RECORDING))
        await asyncio.sleep(1)
        booth.audio.failures = TRIES - 1
        names = await task
        one = notice_of(Status.TEST)
        assert names == ["chime-drill", one, "recording", one]
        assert booth.heard.trouble is None

    run(story())


# What else is said before


@pytest.mark.parametrize("recording", [RECORDING, None])
def test_what_is_to_be_said_before_is_said_before_each_repeat(tmp_path: Path, recording: Path | None) -> None:
    async def story() -> None:
        urgent = replace(MINIMAL, priority=Priority.EMERGENCY, repeats=2)
        names = await Booth(tmp_path).play(urgent, recording, notices=[LATE, "Chú ý."])
        turn = [said(LATE), said("Chú ý."), "recording" if recording else Path(SPOKEN).stem]
        assert names == ["chime-emergency", *turn, *turn]

    run(story())


def test_in_a_drill_it_stands_behind_the_drills_own_notice(tmp_path: Path) -> None:
    async def story() -> None:
        names = await Booth(tmp_path).play(replace(MINIMAL, status=Status.TEST), RECORDING, notices=[LATE])
        one = notice_of(Status.TEST)
        assert names == ["chime-drill", one, said(LATE), "recording", one]

    run(story())


def test_an_alert_is_not_withheld_for_want_of_what_is_to_be_said_before(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, speech=FakeSpeech(mute=frozenset([LATE])))
        urgent = replace(MINIMAL, priority=Priority.EMERGENCY)
        assert await booth.play(urgent, notices=[LATE]) == ["chime-emergency", Path(SPOKEN).stem]
        assert booth.heard.trouble == (Reason.AUDIO_UNAVAILABLE, "what is to be said before it could not be spoken")

    run(story())


# What fails


@pytest.mark.parametrize(("recording", "heard"), [(RECORDING, ["chime-normal", "recording"]), (None, ["chime-normal"])])
def test_without_a_voice_only_recordings_are_heard(tmp_path: Path, recording: Path | None, heard: list[str]) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, speech=FakeSpeech(mute=True))
        assert await booth.play(MINIMAL, recording) == heard
        assert (booth.heard.trouble is None) == (recording is not None)

    run(story())


def test_an_output_that_fails_once_begins_again(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, audio=FakeAudio(failures=TRIES - 1))
        assert await booth.play(MINIMAL, RECORDING) == ["chime-normal", "recording"]
        assert booth.heard.trouble is None

    run(story())


def test_an_output_that_stays_broken_is_the_trouble(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, audio=FakeAudio(failures=1000))
        assert await booth.play(MINIMAL, RECORDING) == []
        assert booth.heard.trouble is not None
        assert booth.heard.trouble[0] is Reason.AUDIO_OUTPUT_FAILED
        assert "no device" in booth.heard.trouble[1]

    run(story())


def test_cut_short_what_was_heard_until_then_counts(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        task = asyncio.create_task(booth.play(MINIMAL, RECORDING))
        await asyncio.sleep(4.5)
        task.cancel()
        await asyncio.wait([task])
        assert (booth.heard.played_ms, booth.heard.requested_ms) == (4500, 1000 + CLIP_MS)

    run(story())


def test_a_recording_that_does_not_decode_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        audio = FakeAudio(undecodable=frozenset({"bad.ogg"}))
        sound = Sound(cast("AudioWorker", audio), cast("Speech", FakeSpeech()), tmp_path, "vi")
        assert "not audio" in (await sound.probe(RECORDING.with_name("bad.ogg")) or "")
        assert await sound.probe(RECORDING) is None

    run(story())
