"""What an airing sounds like, on a loudspeaker that takes notes: chime, notice, recording or speech, failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.virtual import run
from tests.statements import MINIMAL

from ward_hub.i18n import translator
from ward_hub.playout.sound import TRIES, Heard, Sound, text_for
from ward_hub.speech import Speech, SpeechError
from ward_hw.audio import AudioError, AudioWorker, Clip, Played
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Priority, Status, Text

CLIP_MS = 4000
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
    """Takes what is to be played, names only; fails as often as `failures` says."""

    names: list[str] = field(default_factory=list)
    failures: int = 0
    undecodable: frozenset[str] = frozenset()

    async def probe(self, path: Path) -> Clip:
        if path.name in self.undecodable:
            raise AudioError(f"probe {path.name}", "not audio", remedy="ask for another")
        return Clip(CLIP_MS, "pcm", 48_000, 1)

    async def play(self, paths: Sequence[Path]) -> FakePlaying:
        if self.failures:
            self.failures -= 1
            raise broken()
        self.names += [path.stem for path in paths]
        return FakePlaying(CLIP_MS * len(paths))


@dataclass
class FakeSpeech:
    """Speaks into files that are named by what they say."""

    mute: bool = False

    async def to_file(self, text: str, folder: Path, *, language: str) -> Path:
        if self.mute:
            raise SpeechError("no espeak-ng")
        return folder / f"{language}: {text}"


@dataclass
class Booth:
    """Sound over a fake loudspeaker and a fake voice."""

    folder: Path
    audio: FakeAudio = field(default_factory=FakeAudio)
    speech: FakeSpeech = field(default_factory=FakeSpeech)
    heard: Heard = field(default_factory=Heard)

    async def play(self, bulletin: Bulletin, recording: Path | None = None) -> list[str]:
        async def given() -> Path | None:
            return recording

        waiting: Callable[[], Awaitable[Path | None]] = given
        sound = Sound(cast("AudioWorker", self.audio), cast("Speech", self.speech), self.folder, "vi")
        await sound.play(bulletin, waiting, self.heard, GAP_S)
        return self.audio.names


RECORDING = Path("/media/recording")
SPOKEN = f"vi: {MINIMAL.texts[0].title}.\n{MINIMAL.texts[0].body}"
TEST_NOTICE = f"vi: {translator('vi')('This is a test. There is no danger.')}"


def test_a_chime_and_the_recording(tmp_path: Path) -> None:
    async def story() -> None:
        booth = Booth(tmp_path)
        assert await booth.play(MINIMAL, RECORDING) == ["chime-normal", "recording"]
        assert (booth.heard.played_ms, booth.heard.requested_ms) == (2 * CLIP_MS, 2 * CLIP_MS)
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
        assert asyncio.get_running_loop().time() == pytest.approx(4 * CLIP_MS / 1000 + 2 * GAP_S)

    run(story())


def test_a_test_is_said_to_be_one_each_time(tmp_path: Path) -> None:
    async def story() -> None:
        names = await Booth(tmp_path).play(replace(MINIMAL, status=Status.TEST, repeats=2), RECORDING)
        assert names == ["chime-normal", Path(TEST_NOTICE).stem, "recording", Path(TEST_NOTICE).stem, "recording"]

    run(story())


@pytest.mark.parametrize("status", [Status.TEST, Status.EXERCISE])
def test_a_drill_that_cannot_be_said_to_be_one_is_not_played(tmp_path: Path, status: Status) -> None:
    async def story() -> None:
        booth = Booth(tmp_path, speech=FakeSpeech(mute=True))
        assert await booth.play(replace(MINIMAL, status=status), RECORDING) == ["chime-normal"]
        assert booth.heard.trouble is not None
        assert booth.heard.trouble[0] is Reason.AUDIO_UNAVAILABLE

    run(story())


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
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait([task])
        assert (booth.heard.played_ms, booth.heard.requested_ms) == (5000, 2 * CLIP_MS)

    run(story())


def test_a_recording_that_does_not_decode_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        audio = FakeAudio(undecodable=frozenset({"bad.ogg"}))
        sound = Sound(cast("AudioWorker", audio), cast("Speech", FakeSpeech()), tmp_path, "vi")
        assert "not audio" in (await sound.probe(tmp_path / "bad.ogg") or "")
        assert await sound.probe(tmp_path / "good.ogg") is None

    run(story())


def test_the_text_of_the_hubs_language_or_else_the_first() -> None:
    english, vietnamese = Text("en", "a", "b"), Text("vi-VN", "c", "d")
    both = replace(MINIMAL, texts=(english, vietnamese))
    assert text_for(both, "vi") == vietnamese
    assert text_for(both, "km") == english
    assert text_for(replace(MINIMAL, texts=()), "vi") is None
