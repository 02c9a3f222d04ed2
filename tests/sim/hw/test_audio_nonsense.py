"""A worker that no longer speaks the language of its pipe is ended, so that nothing on air waits for it for ever."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from ward_hw.audio import AudioError, AudioSettings, AudioWorker
from ward_hw.audio.playing import Playing
from ward_hw.audio.process import WorkerProcess
from ward_hw.audio_worker import pipe

HANG_GUARD_S = 10.0
NONSENSE = {
    "a library that prints": b"ALSA lib pcm.c:8570: underrun occurred\n",
    "no JSON": pipe.LENGTH.pack(3) + b"abc",
    "no object": pipe.LENGTH.pack(2) + b"[]",
    "no event": pipe.pack({"id": 1}),
    "no number": pipe.pack({"id": 1, "event": "played", "played_ms": "many"}),
    "no reception": pipe.pack({"id": 1, "event": "played", "stream": {}}),
}


async def speaking(words: bytes) -> asyncio.subprocess.Process:
    """Start a process that says this when it is asked for anything, and then lives on."""
    code = (
        "import sys, time; sys.stdin.buffer.read(1); "
        f"sys.stdout.buffer.write({words!r}); sys.stdout.flush(); time.sleep(60)"
    )
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize("words", NONSENSE.values(), ids=NONSENSE)
async def test_a_worker_that_speaks_nonsense_is_ended_and_so_is_what_it_played(
    words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(_settings: AudioSettings, take: object) -> WorkerProcess:
        return WorkerProcess(await speaking(words), take)  # type: ignore[arg-type]

    monkeypatch.setattr(WorkerProcess, "start", start)
    async with AudioWorker(AudioSettings(backend="null")) as audio, asyncio.timeout(HANG_GUARD_S):
        playing: Playing = await audio.play([])
        with pytest.raises(AudioError, match="nonsense"):
            await playing.wait()
        while not audio.restarts:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("words", [pipe.pack({"id": 0}), pipe.pack({"id": 0, "event": "clip", "duration_ms": "long"})])
async def test_an_examiner_that_speaks_nonsense_is_a_file_that_cannot_be_used(
    words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(_settings: AudioSettings, take: object) -> WorkerProcess:
        return WorkerProcess(await speaking(words), take)  # type: ignore[arg-type]

    async with AudioWorker(AudioSettings(backend="null")) as audio, asyncio.timeout(HANG_GUARD_S):
        monkeypatch.setattr(WorkerProcess, "start", start)
        with pytest.raises(AudioError, match="nonsense"):
            await audio.probe(Path("a.wav"))
