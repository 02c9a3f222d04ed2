"""A drill as it is really heard: real speech, the real audio worker, and what it captured held against the chimes."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.sim.playout.listening import COARSE, likeness, moments, samples
from tests.statements import MINIMAL

from ward_hub.chime import Signal, chime
from ward_hub.playout.script import SPAN_MS, notice, sentences
from ward_hub.playout.sound import Heard, Sound
from ward_hub.speech import Speech
from ward_hw.audio import AudioSettings, AudioWorker, Part, Played
from ward_protocol.statements import Bulletin, Priority, Status, Text
from ward_sim.bulletins import load_story

pytestmark = pytest.mark.capability("espeak-ng")
HANG_GUARD_S = 120.0
THE_SAME, NOT_THE_SAME = 0.9, 0.5
SHORT = replace(MINIMAL, texts=(Text("vi", "Thử loa", "Xong."),), priority=Priority.EMERGENCY)
STORY = load_story()


async def none() -> Path | None:
    return None


@dataclass(frozen=True)
class Recorded:
    """What the audio output took, and where chimes and speech of it are kept."""

    sound: list[float]
    folder: Path

    def begins(self, path: Path, seconds: float = 1.0) -> list[float]:
        """When the beginning of that file is heard."""
        return moments(likeness(self.sound, samples(path)[: round(seconds * COARSE)]), THE_SAME)

    def most_like(self, signal: Signal) -> float:
        """How like a chime's first second anything is that was heard."""
        return max(likeness(self.sound, samples(self.folder / f"chime-{signal}.wav")[:COARSE]))


async def recorded(folder: Path, bulletin: Bulletin, notices: Sequence[str] = ()) -> Recorded:
    """Play a bulletin for real, on a device that keeps time and takes no sound."""
    capture = folder / "capture.wav"
    async with AudioWorker(AudioSettings(backend="null", capture=capture)) as audio, asyncio.timeout(HANG_GUARD_S):
        heard = Heard()
        sound = Sound(audio, Speech(words_a_minute=240), folder / "sound", "vi")
        await sound.play(bulletin, none, heard, 0.2, notices)
    assert heard.trouble is None
    assert heard.played_ms == pytest.approx(heard.requested_ms, abs=50)
    return Recorded(samples(capture), folder / "sound")


async def test_the_emergencys_signal_is_found_where_it_sounds(tmp_path: Path) -> None:
    """So that the tests below can fail."""
    heard = await recorded(tmp_path, SHORT)
    assert heard.most_like(Signal.EMERGENCY) > THE_SAME
    assert heard.most_like(Signal.DRILL) < NOT_THE_SAME
    for signal in Signal:
        assert chime(signal) == (heard.folder / f"chime-{signal}.wav").read_bytes()


@pytest.mark.parametrize("status", [Status.TEST, Status.EXERCISE])
async def test_a_drill_holds_no_signal_of_what_is_real_and_says_so_first_and_last(
    tmp_path: Path, status: Status
) -> None:
    heard = await recorded(tmp_path, replace(SHORT, status=status))
    assert heard.most_like(Signal.EMERGENCY) < NOT_THE_SAME
    assert heard.most_like(Signal.NORMAL) < NOT_THE_SAME
    assert heard.most_like(Signal.DRILL) > THE_SAME
    speech = Speech(words_a_minute=240)
    said = await speech.to_file(notice(status, "vi"), heard.folder)
    title, body = [await speech.to_file(one, heard.folder) for one in ("Thử loa.", "Xong.")]
    first, last = heard.begins(said)
    (title_at,), (body_at,) = heard.begins(title, 0.4), heard.begins(body, 0.4)
    assert first < title_at < body_at < last
    assert first == pytest.approx(1.2, abs=0.1), "behind its chime"


async def test_what_else_is_to_be_said_is_heard_between_chime_and_content(tmp_path: Path) -> None:
    late = "Phát lúc bảy giờ."
    heard = await recorded(tmp_path, SHORT, [late])
    speech = Speech(words_a_minute=240)
    (late_at,) = heard.begins(await speech.to_file(late, heard.folder))
    assert late_at == pytest.approx(3.0, abs=0.1)


@dataclass
class Orders:
    """An audio output that writes down what it is told to play, and plays it in no time."""

    orders: list[list[Part]] = field(default_factory=list)

    async def play(self, sounds: Sequence[Path | Part]) -> Orders:
        self.orders.append([one if isinstance(one, Part) else Part(one) for one in sounds])
        return self

    async def wait(self) -> Played:
        return Played(0, 0, ())


class Remembering(Speech):
    """Real speech that knows afterwards which file says what."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[Path, str] = {}

    async def to_file(self, text: str, folder: Path, *, language: str = "vi") -> Path:
        path = await super().to_file(text, folder, language=language)
        self.said[path] = text
        return path


def length_ms(part: Part) -> float:
    with wave.open(str(part.path), "rb") as file:
        whole = file.getnframes() * 1000 / file.getframerate()
    return (whole if part.end_ms is None else part.end_ms) - part.begin_ms


@pytest.mark.parametrize("status", [Status.TEST, Status.EXERCISE])
@pytest.mark.parametrize(
    "text",
    [
        STORY.test.text(),
        STORY.normal.text(),
        STORY.emergency.text("vi"),
        STORY.emergency.text("en"),
        Text("vi", "Diễn tập", STORY.normal.text().body * 6),
        Text("vi", "Số", "1234567890123456789012345678901234567890 " * 12),
        Text("en", "A sentence without an end", "and so it goes on " * 60),
    ],
    ids=lambda text: text.title[:12],
)
async def test_spoken_by_espeak_no_20_seconds_pass_without_the_notice(
    tmp_path: Path, text: Text, status: Status
) -> None:
    orders, speech = Orders(), Remembering()
    sound = Sound(cast("AudioWorker", orders), speech, tmp_path, "vi")
    await sound.play(replace(MINIMAL, status=status, texts=(text,), repeats=2), none, Heard(), 0.0)
    chimes, first, second = orders.orders
    assert [part.path.stem for part in chimes] == ["chime-drill"]
    assert first == second
    said = [speech.said[part.path] for part in first]
    ours = notice(status, text.language)
    assert said[0] == said[-1] == ours
    since, notices = 0.0, 0
    for part, words in zip(first, said, strict=True):
        notices += words == ours
        since = 0.0 if words == ours else since + length_ms(part)
        assert since <= SPAN_MS + 1, "1 ms for rounding"
    content = sum(length_ms(part) for part, words in zip(first, said, strict=True) if words != ours)
    assert notices > content / SPAN_MS + 0.99
    spoken = list(dict.fromkeys(part.path for part, words in zip(first, said, strict=True) if words != ours))
    expected = list(dict.fromkeys(sentences(f"{text.title}.\n{text.body}")))
    assert [speech.said[path] for path in spoken] == expected
