"""A live stream as residents hear it: the hub's part and the worker as they run, a sender of another make."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.sounds import tone
from tests.sim.hw.streams import GOOD_HZ, captured, is_open, opus, send, share_of, stream
from tests.srtp_peer import MASTER, Peer

from ward_hub.playout import live as module
from ward_hub.playout.live import Live
from ward_hub.playout.sound import Heard, Sound
from ward_hub.speech import Speech
from ward_hub.streams import Ordered
from ward_hw.audio import AudioSettings, AudioWorker
from ward_protocol.statements import Priority, Status, Stream

HANG_GUARD_S = 90.0
ORDER = bytes(32)
RATE = 48_000
SAID_S, DRILL_CHIME_S = 0.4, 1.2


class Voice:
    """Says everything as the tone of these tests, so that what it says is found among silence."""

    async def to_file(self, text: str, folder: Path, *, language: str) -> Path:
        path = folder / "said.wav"
        return path if path.exists() else tone(path, SAID_S)


async def opened(one: Stream) -> None:
    while not is_open(one.port):
        await asyncio.sleep(0.01)


async def closed(one: Stream) -> None:
    while is_open(one.port):
        await asyncio.sleep(0.01)


async def test_a_worker_that_dies_on_air_is_replaced_and_the_stream_goes_on(tmp_path: Path) -> None:
    one, heard, capture = stream(), Heard(), tmp_path / "capture.wav"
    packets = Peer().many(opus(1.0) * 12)
    async with AudioWorker(AudioSettings(backend="null", capture=capture)) as audio, asyncio.timeout(HANG_GUARD_S):
        live = Live(audio, Sound(audio, cast("Speech", Voice()), tmp_path / "sound", "vi"), "vi")
        playing = live.play(Ordered(ORDER, one, MASTER), heard, priority=Priority.NORMAL, status=Status.ACTUAL)
        airing = asyncio.create_task(playing)
        await opened(one)
        sending = asyncio.create_task(send(packets, one.port))
        await asyncio.sleep(2)
        victim = audio.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await closed(one)
        await opened(one)
        await sending
        await airing
        assert audio.restarts == 1
    assert heard.trouble is None
    assert 6000 < heard.played_ms <= heard.requested_ms <= 13_100  # chime and stream, less what passed meanwhile
    assert share_of(captured(capture)[RATE:], GOOD_HZ) > 0.9


async def test_a_drill_is_interrupted_by_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NOTICE_EVERY_S", 1.0)
    one, heard, capture = stream(max_s=12), Heard(), tmp_path / "capture.wav"
    silence = Peer().many([b"\xf8\xff\xfe"] * 900)  # what libopus makes of digital silence
    async with AudioWorker(AudioSettings(backend="null", capture=capture)) as audio, asyncio.timeout(HANG_GUARD_S):
        live = Live(audio, Sound(audio, cast("Speech", Voice()), tmp_path / "sound", "vi"), "vi")
        playing = live.play(Ordered(ORDER, one, MASTER), heard, priority=Priority.EMERGENCY, status=Status.TEST)
        airing = asyncio.create_task(playing)
        await opened(one)
        sending = asyncio.create_task(send(silence, one.port))
        await airing
        sending.cancel()
    assert heard.trouble is None
    samples = captured(capture)[round((DRILL_CHIME_S + SAID_S) * RATE) :]
    loud = [max(samples[at : at + 4800]) > 8000 for at in range(0, len(samples) - 4800, 4800)]
    begins = [at for at in range(1, len(loud)) if loud[at] and not loud[at - 1]]
    assert len(begins) >= 2
    assert loud[-2]
    assert all(later - earlier <= 16 for earlier, later in itertools.pairwise(begins))  # tenths of a second
