"""Speech from text by espeak-ng, where a bulletin has no recording.

espeak-ng is under the GPL-3 and stays a program of its own: it is started, fed text on its standard input and
leaves a file; nothing of it is linked, imported or shipped. Text never stands on a command line, where other
users would see it and a leading dash would be an option.

Ref: espeak-ng(1): `-v` voice, `-s` words a minute, `-b 1` UTF-8 input, `--stdin`, `-w` WAV output.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import unicodedata
import wave
from typing import TYPE_CHECKING, NoReturn

from ward_hub.errors import HubError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

# Names of espeak-ng's voices. Ref: espeak-ng 1.51, `espeak-ng --voices=vi`.
REGIONS = {"north": "vi", "centre": "vi-vn-x-central", "south": "vi-vn-x-south"}
MAX_TEXT_BYTES = 8_192  # about 8 minutes at 160 words a minute
MAX_WAV_BYTES = 64 * 1024 * 1024
MOST_KEPT_BYTES = 128 * 1024 * 1024  # 50 minutes: several times what one bulletin can make
_KILL_GRACE_S = 2.0
_STDERR_SHOWN = 200


class SpeechError(HubError):
    """No speech was made; the message says why and what to do."""


class Speech:
    """Speaks text into WAV files; Vietnamese in the accent of `voice` (north, centre or south).

    `program` is espeak-ng, by name or path; `deadline` in seconds holds for one text; `words_a_minute` is
    espeak-ng's speed (80 to 450). In a folder stay at most `most_kept_bytes`: what was said longest ago goes first.
    """

    def __init__(
        self,
        *,
        program: str = "espeak-ng",
        voice: str = "north",
        deadline: float = 10.0,
        words_a_minute: int = 160,
        max_wav_bytes: int = MAX_WAV_BYTES,
        most_kept_bytes: int = MOST_KEPT_BYTES,
    ) -> None:
        if voice not in REGIONS:
            raise ValueError(f"voice {voice!r} is not one of {', '.join(REGIONS)}; correct the setting")
        self._program = program
        self._voices = {"vi": REGIONS[voice], "en": "en"}
        self._deadline = deadline
        self._speed = words_a_minute
        self._max_wav_bytes = max_wav_bytes
        self._most_kept_bytes = most_kept_bytes
        self._said: dict[Path, None] = {}  # by this run, in the order in which it was said last

    async def to_file(self, text: str, folder: Path, *, language: str = "vi") -> Path:
        """Speak `text` into a WAV file in `folder` (mono s16, 22,050 Hz), named by what is said and how.

        The same text is spoken once while its file is kept; that appears whole or not at all. Raises SpeechError when
        espeak-ng is missing, fails, takes longer than the deadline, the text or the sound is over its limit, or the
        disk takes nothing.
        """
        data = self._checked(text)
        voice = self._voice(language)
        name = hashlib.sha256(f"{voice} {self._speed}\n".encode() + data).hexdigest()[:32]
        target = folder / f"speech-{name}.wav"
        if _sounds(target):
            self._note(target)
            return target
        part = folder / f".speech-{name}-{os.getpid()}-{id(asyncio.current_task()):x}.part"
        try:
            await self._speak(data, voice, part)
            self._judge(part)
            part.replace(target)
            self._note(target)
            self._make_room(folder)
        except OSError as error:  # whoever airs something goes on without
            raise SpeechError(
                f"speech: it cannot be made, or cannot be kept in {folder}: {error}; see the disk"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return target

    def _note(self, said: Path) -> None:
        self._said.pop(said, None)
        self._said[said] = None

    def _make_room(self, folder: Path) -> None:
        """Remove what was said longest ago, not by the clock, which may be set: the newest stays in any case."""
        turn = {path: number for number, path in enumerate(self._said, 1)}
        kept = sorted(folder.glob("speech-*.wav"), key=lambda path: turn.get(path, 0))
        over = sum(path.stat().st_size for path in kept) - self._most_kept_bytes
        for path in kept[:-1]:
            if over <= 0:
                return
            over -= path.stat().st_size
            path.unlink()
            self._said.pop(path, None)

    def _checked(self, text: str) -> bytes:
        data = unicodedata.normalize("NFC", text).replace("\0", " ").encode("utf-8", "replace")
        if not data.strip():
            raise SpeechError("speech: there is nothing to say; give the bulletin a title or a body")
        if len(data) > MAX_TEXT_BYTES:
            raise SpeechError(f"speech: {len(data)} bytes of text, over {MAX_TEXT_BYTES}; shorten the bulletin")
        return data

    def _voice(self, language: str) -> str:
        voice = self._voices.get(language.partition("-")[0].lower())
        if voice is None:
            raise SpeechError(f"speech: no voice for language {language!r}; send a recording with the bulletin")
        return voice

    async def _speak(self, data: bytes, voice: str, into: Path) -> None:
        try:
            async with asyncio.timeout(self._deadline), self._started(voice, into) as process:
                _, complaint = await process.communicate(data)
        except TimeoutError as error:
            raise SpeechError(
                f"speech: {self._program} took over {self._deadline:g} s; shorten the text or allow more"
            ) from error
        if process.returncode:
            said = complaint.decode(errors="replace").strip()[:_STDERR_SHOWN]
            raise SpeechError(f"speech: {self._program} -v {voice} ended with {process.returncode}: {said}")

    @contextlib.asynccontextmanager
    async def _started(self, voice: str, into: Path) -> AsyncGenerator[asyncio.subprocess.Process, None]:
        """The running program; killed and waited for if it outlives the block."""
        found = shutil.which(self._program)
        if found is None:
            self._missing()
        process = await asyncio.create_subprocess_exec(
            found,
            *("-v", voice, "-s", str(self._speed), "-b", "1", "--stdin", "-w", str(into)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                with contextlib.suppress(TimeoutError):  # what ends the block is what its caller hears of
                    await asyncio.wait_for(asyncio.shield(process.wait()), _KILL_GRACE_S)

    def _missing(self) -> NoReturn:
        raise SpeechError(
            f"speech: {self._program} is not installed; install it (Debian: apt install espeak-ng), "
            "or send bulletins with a recording"
        )

    def _judge(self, made: Path) -> None:
        size = made.stat().st_size if made.exists() else 0
        if size > self._max_wav_bytes:
            raise SpeechError(f"speech: {size} bytes of sound, over {self._max_wav_bytes}; shorten the bulletin")
        if not _sounds(made):
            raise SpeechError(f"speech: {self._program} made no sound; check its voices with --voices=vi")


def sweep(folder: Path) -> None:
    """Remove what a power cut left half spoken; nobody may be speaking into the folder."""
    for left in folder.glob(".speech-*.part"):
        left.unlink()


def _sounds(file: Path) -> bool:
    """Say whether there is sound in a WAV file: a power cut may leave one of no length behind a good name."""
    try:
        with wave.open(str(file), "rb") as sound:
            return file.stat().st_size >= sound.getnframes() * sound.getsampwidth() > 0
    except (OSError, EOFError, wave.Error):
        return False
