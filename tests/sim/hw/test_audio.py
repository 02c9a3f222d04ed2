"""The audio worker as it runs: its own process, a null sound device that keeps real time, a capture file.

Sounds are short; that they take time is the only reason these tests do.
"""

from __future__ import annotations

import asyncio
import os
import signal
import wave
from array import array
from pathlib import Path

import pytest
from tests.sim.hw.sounds import tone

from ward_hw.audio import AudioError, AudioSettings, AudioWorker, Part
from ward_hw.errors import MisuseError

HANG_GUARD_S = 30.0


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "capture.wav"


@pytest.fixture
def settings(capture: Path) -> AudioSettings:
    return AudioSettings(backend="null", capture=capture, recycle_s=0.2)


def captured(path: Path) -> array[int]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 48_000)
        return array("h", file.readframes(file.getnframes()))


async def other_worker(audio: AudioWorker, old: int | None) -> int:
    """Wait until a worker with another process id is there."""
    async with asyncio.timeout(HANG_GUARD_S):
        while (pid := audio.pid) is None or pid == old:
            await asyncio.sleep(0.01)
    return pid


@pytest.mark.parametrize("suffix", [".wav", ".opus", ".flac", ".mp3"])
async def test_a_file_is_described_by_decoding_it(tmp_path: Path, settings: AudioSettings, suffix: str) -> None:
    path = tone(tmp_path / f"a{suffix}", 1.5, stereo=True)
    async with AudioWorker(settings) as audio:
        clip = await audio.probe(path)
    assert clip.duration_ms == pytest.approx(1500, abs=60)
    assert (clip.sample_rate, clip.channels) == (48_000, 2)
    assert clip.codec[:3] in {"pcm", "opu", "fla", "mp3"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not decode"),
        (b"RIFF\0\0\0\0WAVE", "does not decode|no sound"),
        (bytes(range(256)) * 64, "does not decode"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "does not decode"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", "does not decode"),
    ],
    ids=["empty", "half a header", "noise", "playlist", "concatenation"],
)
async def test_what_is_no_sound_is_refused_with_a_reason(
    tmp_path: Path, settings: AudioSettings, data: bytes, reason: str
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(data)
    async with AudioWorker(settings) as audio:
        with pytest.raises(AudioError, match=reason) as caught:
            await audio.probe(path)
    assert caught.value.reason


async def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, settings: AudioSettings) -> None:
    path = tone(tmp_path / "a.flac", 4)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    async with AudioWorker(settings) as audio:
        with pytest.raises(AudioError, match=r"cut off: .* s of 4\.0 s|does not decode"):
            await audio.probe(path)
        with pytest.raises(AudioError, match="cannot be read"):
            await audio.probe(tmp_path / "absent.wav")


async def test_what_was_output_is_captured_measured_and_counted(
    tmp_path: Path, settings: AudioSettings, capture: Path
) -> None:
    loud, soft = tone(tmp_path / "a.wav", 0.5, level=0.5), tone(tmp_path / "b.opus", 0.5, level=0.05)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([loud, soft], lead_in_ms=200)
        await playing.started
        played = await playing.wait()
    assert played.played_ms == pytest.approx(1000, abs=20)
    assert played.requested_ms == played.played_ms
    assert played.underruns == 0
    loudness = 0.5 * 32767 / 2**0.5
    assert played.envelope[1:4] == pytest.approx([loudness] * 3, rel=0.02)
    assert played.envelope[6:9] == pytest.approx([loudness / 10] * 3, rel=0.1)
    samples = captured(capture)
    assert not any(samples[:9600])
    assert len(samples) == 9600 + played.played_ms * 48


async def test_parts_of_a_file_are_played_with_others_in_between(
    tmp_path: Path, settings: AudioSettings, capture: Path
) -> None:
    loud, soft = tone(tmp_path / "a.opus", 0.9, level=0.5), tone(tmp_path / "b.wav", 0.3, level=0.05)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([soft, Part(loud, 0, 400), soft, Part(loud, 400, 700), soft])
        played = await playing.wait()
    assert played.played_ms == played.requested_ms == 1600
    levels = [level > 2000 for level in played.envelope]
    assert levels == [False] * 3 + [True] * 4 + [False] * 3 + [True] * 3 + [False] * 3
    assert len(captured(capture)) == 1600 * 48


async def test_a_stopped_order_of_parts_tells_what_it_would_have_been(tmp_path: Path, settings: AudioSettings) -> None:
    path = tone(tmp_path / "a.wav", 10)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([Part(path, 0, 4000), Part(path, 4000, 5000), Part(path, 9000)])
        await playing.started
        assert (await playing.stop()).requested_ms == 6000


async def test_gain_and_limit(tmp_path: Path, settings: AudioSettings, capture: Path) -> None:
    path = tone(tmp_path / "a.wav", 0.4, level=0.5)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        soft = await (await audio.play([path], gain_db=-20)).wait()
        assert soft.envelope[2] == pytest.approx(0.05 * 32767 / 2**0.5, rel=0.02)
        await (await audio.play([path], gain_db=20)).wait()
    assert 0.8 * 32767 < max(captured(capture)) < 0.95 * 32767


async def test_a_stopped_sound_fades_and_tells_what_was_played(
    tmp_path: Path, settings: AudioSettings, capture: Path
) -> None:
    path = tone(tmp_path / "a.wav", 20)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([path])
        await playing.started
        with pytest.raises(MisuseError, match="stop it first"):
            await audio.play([path])
        await asyncio.sleep(0.3)
        played = await playing.stop(fade_ms=100)
        assert await playing.stop() == played
    assert 300 <= played.played_ms < 10_000
    assert played.requested_ms == 20_000
    samples = captured(capture)
    assert len(samples) == pytest.approx(played.played_ms * 48, abs=48)
    assert max(samples[-480:]) < max(samples) / 5


async def test_a_sound_stopped_in_its_lead_in_was_not_played(tmp_path: Path, settings: AudioSettings) -> None:
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([tone(tmp_path / "a.wav", 1)], lead_in_ms=20_000)
        played = await playing.stop()
    assert (played.played_ms, played.requested_ms, played.envelope) == (0, 1000, ())


async def test_a_worker_killed_in_the_middle_ends_the_sound_with_what_was_heard_and_is_replaced(
    tmp_path: Path, settings: AudioSettings, capture: Path
) -> None:
    path = tone(tmp_path / "a.wav", 20)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([path])
        await playing.started
        while len(captured(capture)) < 1200 * 48:  # the worker tells every 500 ms how far it is
            await asyncio.sleep(0.05)
        victim = audio.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(AudioError, match="died") as caught:
            await playing.wait()
        assert caught.value.played is not None
        assert caught.value.played.played_ms >= 400
        await other_worker(audio, victim)
        assert audio.restarts == 1
        before = capture.stat().st_size  # a killed worker may have written samples that the header does not know yet
        again = await audio.play([tone(tmp_path / "b.wav", 0.3)])
        assert (await again.wait()).played_ms == 300
    assert capture.stat().st_size == before + 300 * 48 * 2


async def test_a_file_that_fails_half_way_is_told_with_what_was_played(tmp_path: Path, settings: AudioSettings) -> None:
    good = tone(tmp_path / "a.wav", 0.3)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([good, tmp_path / "absent"])
        with pytest.raises(AudioError, match="cannot be read") as caught:
            await playing.wait()
        assert caught.value.played is not None
        assert caught.value.played.played_ms == 300
        assert (await (await audio.play([good])).wait()).played_ms == 300


async def test_examining_a_file_disturbs_nothing_on_air(tmp_path: Path, settings: AudioSettings) -> None:
    path = tone(tmp_path / "a.wav", 1.0)
    bad = tmp_path / "bad"
    bad.write_bytes(b"fLaC" + bytes(range(256)) * 400)
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([path])
        with pytest.raises(AudioError):
            await audio.probe(bad)
        assert (await playing.wait()).played_ms == 1000
        assert audio.restarts == 0


async def test_an_idle_worker_is_replaced_by_one_without_a_decoder(tmp_path: Path, settings: AudioSettings) -> None:
    async with AudioWorker(settings) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([tone(tmp_path / "a.wav", 0.1)])
        used = audio.pid
        await playing.wait()
        fresh = await other_worker(audio, used)
        maps = Path(f"/proc/{fresh}/maps").read_text()
        assert "libavcodec" not in maps
        assert "miniaudio" not in maps
        assert audio.restarts == 0


async def test_a_missing_sound_device_is_an_error_of_the_order(tmp_path: Path, capture: Path) -> None:
    if Path("/dev/snd").exists():
        pytest.skip("this machine has a sound device")
    async with AudioWorker(AudioSettings(backend="alsa")) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play([tone(tmp_path / "a.wav", 0.1)])
        with pytest.raises(AudioError, match="check the sound device"):
            await playing.wait()
