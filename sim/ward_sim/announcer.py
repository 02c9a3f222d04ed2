"""The source's announcer: real speech by espeak-ng, encoded as Opus the way a studio would deliver it."""

from __future__ import annotations

import asyncio
import io
import shutil
from fractions import Fraction

import av

from ward_sim.offices import Recording

PROGRAM = "espeak-ng"
SPEAK_S = 20.0
BIT_RATE = 24_000
RATE = 48_000


class AnnouncerError(Exception):
    """No speech could be made; the message says what is missing."""


async def announce(text: str, voice: str = "vi", words_a_minute: int = 170) -> Recording:
    """Speak `text` and return it as Opus in Ogg; raises AnnouncerError where espeak-ng is missing or fails."""
    if shutil.which(PROGRAM) is None:
        raise AnnouncerError("espeak-ng is missing: install the system package espeak-ng")
    speaker = await asyncio.create_subprocess_exec(
        PROGRAM, "-v", voice, "-s", str(words_a_minute), "--stdin", "--stdout",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with asyncio.timeout(SPEAK_S):
        wave, _ = await speaker.communicate(text.encode())
    if speaker.returncode or not wave:
        raise AnnouncerError(f"espeak-ng ended with status {speaker.returncode}")
    return await asyncio.to_thread(_to_opus, wave)


def _to_opus(wave: bytes) -> Recording:
    """Return a WAV file's sound as mono Opus."""
    out = io.BytesIO()
    samples = 0
    # espeak-ng writes WAV to a pipe with a length it cannot know; the demuxer reads to the end all the same.
    with av.open(io.BytesIO(wave), "r", format="wav") as source, av.open(out, "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=RATE, layout="mono")  # pyright: ignore[reportUnknownMemberType]
        stream.bit_rate = BIT_RATE
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        for decoded in source.decode(audio=0):
            for frame in resampler.resample(decoded):
                frame.time_base, frame.pts = Fraction(1, RATE), samples
                samples += frame.samples
                target.mux(stream.encode(frame))  # pyright: ignore[reportUnknownMemberType]
        target.mux(stream.encode(None))  # pyright: ignore[reportUnknownMemberType]
    return Recording(out.getvalue(), "audio/ogg", samples * 1000 // RATE)
