"""What an airing sounds like: a chime, then the recording; or speech made here, where there is no recording."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ward_hub.chime import chime
from ward_hub.i18n import translator
from ward_hub.speech import Speech, SpeechError
from ward_hw.audio import AudioError, AudioWorker, Playing
from ward_hw.errors import HardwareError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Priority, Status, Text

log = logging.getLogger(__name__)
SPARE_S = 5.0
TRIES = 3


@dataclass(slots=True)
class Heard:
    """What left the audio output during one airing, in ms, and what went wrong."""

    played_ms: int = 0
    requested_ms: int = 0
    trouble: tuple[Reason, str] | None = None


class Sound:
    """Plays bulletins through the audio worker; `folder` keeps chimes and speech, `language` the hub's own."""

    def __init__(self, audio: AudioWorker, speech: Speech, folder: Path, language: str) -> None:
        self._audio = audio
        self._speech = speech
        self._folder = folder
        self._language = language
        self._durations: dict[Path, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for priority in (Priority.NORMAL, Priority.EMERGENCY):
            self._chime(priority).write_bytes(chime(emergency=priority is Priority.EMERGENCY))

    async def prepare(self) -> None:
        """Learn what every airing begins with, so that no emergency has to wait for it."""
        for priority in (Priority.EMERGENCY, Priority.NORMAL):
            await self._duration_ms(self._chime(priority))

    async def play(
        self, bulletin: Bulletin, recording: Callable[[], Awaitable[Path | None]], heard: Heard, gap_s: float
    ) -> None:
        """Play the bulletin with its repeats, adding to `heard` as it goes; a cancelled call stops the sound at once.

        `recording` gives the recording's path, waiting for it within reason, None where there is none to be had.
        """
        try:
            await self._play_paths([self._chime(bulletin.priority)], heard)
            paths = await self._content(bulletin, await recording(), heard)
            for turn in range(bulletin.repeats if paths else 0):
                if turn:
                    await asyncio.sleep(gap_s)
                await self._play_paths(paths, heard)
        except (HardwareError, TimeoutError) as error:
            log.error("sound: %s", error)
            heard.trouble = (Reason.AUDIO_OUTPUT_FAILED, str(error))

    async def probe(self, path: Path) -> str | None:
        """Say what is wrong with a recording, None if it decodes."""
        try:
            await self._duration_ms(path)
        except AudioError as error:
            return str(error)
        return None

    async def _content(self, bulletin: Bulletin, recording: Path | None, heard: Heard) -> list[Path]:
        paths: list[Path] = []
        notice = _notice(bulletin.status, self._language)
        try:
            if notice:
                paths.append(await self._speak(notice, self._language))
            if recording is not None:
                return [*paths, recording]
            text = text_for(bulletin, self._language)
            if text is not None:
                return [*paths, await self._speak(f"{text.title}.\n{text.body}", text.language)]
        except SpeechError as error:
            log.error("speech: %s", error)
            if recording is not None and bulletin.status is Status.ACTUAL:
                return [recording]
        heard.trouble = (Reason.AUDIO_UNAVAILABLE, "neither its recording nor speech could be had in time")
        return []

    async def _speak(self, text: str, language: str) -> Path:
        return await self._speech.to_file(text, self._folder, language=language)

    async def _play_paths(self, paths: list[Path], heard: Heard) -> None:
        """Play files in a row; from the beginning again where the output fails, as its worker starts anew."""
        requested = sum([await self._duration_ms(path) for path in paths])
        heard.requested_ms += requested
        for left in reversed(range(TRIES)):
            try:
                await self._play_once(paths, requested, heard)
            except (HardwareError, TimeoutError) as error:
                if not left:
                    raise
                log.warning("sound: %s; it begins again", error)
            else:
                return

    async def _play_once(self, paths: list[Path], requested: int, heard: Heard) -> None:
        playing = await self._audio.play(paths)
        try:
            async with asyncio.timeout(requested / 1000 + SPARE_S):
                heard.played_ms += (await playing.wait()).played_ms
        except BaseException:
            heard.played_ms += await _stop(playing)
            raise

    async def _duration_ms(self, path: Path) -> int:
        """Return a file's duration, asked once: trying a file takes a process of its own."""
        if path not in self._durations:
            self._durations[path] = (await self._audio.probe(path)).duration_ms
        return self._durations[path]

    def _chime(self, priority: Priority) -> Path:
        name = "emergency" if priority is Priority.EMERGENCY else "normal"
        return self._folder / f"chime-{name}.wav"


async def _stop(playing: Playing) -> int:
    try:
        return (await playing.stop()).played_ms
    except AudioError as error:
        log.error("sound: %s", error)
        return error.played.played_ms if error.played else 0


def text_for(bulletin: Bulletin, language: str) -> Text | None:
    """Return the bulletin's text in `language`, else its first."""
    for text in bulletin.texts:
        if text.language.split("-")[0].lower() == language:
            return text
    return bulletin.texts[0] if bulletin.texts else None


def _notice(status: Status, language: str) -> str:
    _ = translator(language)
    if status is Status.TEST:
        return _("This is a test. There is no danger.")
    if status is Status.EXERCISE:
        return _("This is an exercise. There is no danger.")
    return ""
