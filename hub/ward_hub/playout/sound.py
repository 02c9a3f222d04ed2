"""Plays what an airing sounds like: a chime, then its recording; or speech made here, where there is no recording."""

from __future__ import annotations

import asyncio
import logging
import wave
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ward_hub.chime import Signal, chime
from ward_hub.playout.script import language_of, notice, sentences, signal_of, with_notices
from ward_hub.speech import Speech, SpeechError, sweep
from ward_hub.versions import text_for
from ward_hw.audio import AudioError, AudioWorker, Part, Playing
from ward_hw.errors import HardwareError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin

log = logging.getLogger(__name__)
Recording = Callable[[], Awaitable[Path | None]]
SPARE_S = 5.0
TRIES = 3


@dataclass(slots=True)
class Heard:
    """What left the audio output during one airing, in ms, what went wrong, and what is told anyway."""

    played_ms: int = 0
    requested_ms: int = 0
    trouble: tuple[Reason, str] | None = None
    remark: str = ""


class Sound:
    """Plays bulletins through the audio worker; `folder` keeps chimes and speech, `language` the hub's own."""

    def __init__(self, audio: AudioWorker, speech: Speech, folder: Path, language: str) -> None:
        self._audio = audio
        self._speech = speech
        self._folder = folder
        self._language = language
        self._durations: dict[Path, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        for signal in Signal:
            self._chime(signal).write_bytes(chime(signal))

    async def play(
        self, bulletin: Bulletin, recording: Recording, heard: Heard, gap_s: float, notices: Sequence[str] = ()
    ) -> None:
        """Play the bulletin with its repeats, adding to `heard` as it goes; a cancelled call stops the sound at once.

        `recording` gives the recording's path, waiting for it within reason, None where there is none to be had.
        `notices` are sentences in the hub's language, spoken before the content of every repeat. A drill of which the
        hub cannot say that it is one does not sound at all, its chime neither.
        """
        try:
            begun = not bulletin.is_drill
            if begun:
                await self._play([self._chime(signal_of(bulletin))], heard)
            sounds = await self._content(bulletin, await recording(), notices, heard)
            if sounds and not begun:
                await self._play([self._chime(signal_of(bulletin))], heard)
            for turn in range(bulletin.repeats if sounds else 0):
                if turn:
                    await asyncio.sleep(gap_s)
                await self._play(sounds, heard)
        except (HardwareError, TimeoutError) as error:
            log.error("sound: %s", error)
            heard.trouble = (Reason.AUDIO_OUTPUT_FAILED, str(error))

    async def announce(self, signal: Signal | None, words: str, heard: Heard) -> None:
        """Play a chime, say words in the hub's language behind it, each where given; what cannot be said has no chime.

        Adds to `heard`. Raises SpeechError, HardwareError, TimeoutError.
        """
        said = [await self._speak(words, self._language)] if words else []
        await self._play([*([self._chime(signal)] if signal else []), *said], heard)

    async def probe(self, path: Path) -> str | None:
        """Say what is wrong with a recording, None if it decodes."""
        try:
            await self._duration_ms(path)
        except AudioError as error:
            return str(error)
        return None

    async def _content(
        self, bulletin: Bulletin, recording: Path | None, notices: Sequence[str], heard: Heard
    ) -> list[Path | Part]:
        """Return what one repeat plays; where something cannot be had, the trouble stands in `heard`."""
        try:
            before = [await self._speak(one, self._language) for one in notices]
        except SpeechError as error:
            log.error("speech: %s", error)
            heard.trouble = (Reason.AUDIO_UNAVAILABLE, "what is to be said before it could not be spoken")
            before = []
        try:
            if bulletin.is_drill:
                return await self._drill(bulletin, before, recording)
            return [*before, *([recording] if recording else await self._speech_of(bulletin))]
        except SpeechError as error:
            log.error("speech: %s", error)
        heard.trouble = (Reason.AUDIO_UNAVAILABLE, "neither its recording nor speech could be had in time")
        return []

    async def _speech_of(self, bulletin: Bulletin) -> list[Path]:
        """Return title and body as speech: of a drill sentence by sentence, so that its notice can go between."""
        text = text_for(bulletin, self._language)
        if text is None:
            raise SpeechError("speech: the bulletin has no text")
        whole = f"{text.title}.\n{text.body}"
        parts = sentences(whole) if bulletin.is_drill else [whole]
        return [await self._speak(one, text.language) for one in parts]

    async def _drill(self, bulletin: Bulletin, before: list[Path], recording: Path | None) -> list[Path | Part]:
        """Return the content with the notice that it is a drill before, within and after it."""
        language = language_of(bulletin, self._language, recorded=recording is not None)
        said = await self._speak(notice(bulletin.status, language), language)
        files = [*before, *([recording] if recording else await self._speech_of(bulletin))]
        return with_notices(said, [(path, await self._duration_ms(path)) for path in files])

    async def _speak(self, text: str, language: str) -> Path:
        return await self._speech.to_file(text, self._folder, language=language)

    async def _play(self, sounds: Sequence[Path | Part], heard: Heard) -> None:
        """Play sounds in a row; from the beginning again where the output fails, as its worker starts anew."""
        requested = sum([await self._length_ms(sound) for sound in sounds])
        heard.requested_ms += requested
        for left in reversed(range(TRIES)):
            try:
                await self._play_once(sounds, requested, heard)
            except (HardwareError, TimeoutError) as error:
                if not left:
                    raise
                log.warning("sound: %s; it begins again", error)
            else:
                return

    async def _play_once(self, sounds: Sequence[Path | Part], requested: int, heard: Heard) -> None:
        playing = await self._audio.play(sounds)
        try:
            async with asyncio.timeout(requested / 1000 + SPARE_S):
                heard.played_ms += (await playing.wait()).played_ms
        except BaseException:
            heard.played_ms += await _stop(playing)
            raise

    async def _length_ms(self, sound: Path | Part) -> int:
        part = sound if isinstance(sound, Part) else Part(sound)
        end_ms = await self._duration_ms(part.path) if part.end_ms is None else part.end_ms
        return end_ms - part.begin_ms

    async def _duration_ms(self, path: Path) -> int:
        """Return a file's duration; one from outside is tried for it, once, in a process of its own."""
        if path not in self._durations:
            ours = path.parent == self._folder
            self._durations[path] = _wav_ms(path) if ours else (await self._audio.probe(path)).duration_ms
        return self._durations[path]

    def _chime(self, signal: Signal) -> Path:
        return self._folder / f"chime-{signal}.wav"


def _wav_ms(path: Path) -> int:
    with wave.open(str(path), "rb") as file:
        return round(file.getnframes() * 1000 / file.getframerate())


async def _stop(playing: Playing) -> int:
    try:
        return (await playing.stop()).played_ms
    except AudioError as error:
        log.error("sound: %s", error)
        return error.played.played_ms if error.played else 0
