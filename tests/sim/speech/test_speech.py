"""Speech by the real espeak-ng: voices, limits, deadline, and nothing left behind when it fails or is cancelled."""

from __future__ import annotations

import asyncio
import os
import wave
from pathlib import Path

import pytest

from ward_hub.speech import MAX_TEXT_BYTES, REGIONS, Speech, SpeechError
from ward_sim.bulletins import load_story

needs_espeak = pytest.mark.capability("espeak-ng")
SENTENCE = "Phường Hà Đông, mỗi tuần một bản tin."


def seconds(file: Path) -> float:
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        return float(sound.getnframes() / sound.getframerate())


def program(folder: Path, body: str) -> str:
    """A stand-in for espeak-ng that misbehaves on purpose; a real one cannot be made to."""
    file = folder / "espeak-bad"
    file.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


@needs_espeak
async def test_three_regions_speak_differently(tmp_path: Path) -> None:
    spoken = {voice: await Speech(voice=voice).to_file(SENTENCE, tmp_path) for voice in REGIONS}
    assert all(1.5 < seconds(file) < 6 for file in spoken.values())
    assert len({file.read_bytes() for file in spoken.values()}) == 3


@needs_espeak
async def test_the_storys_normal_bulletin_takes_12_to_20_seconds(tmp_path: Path) -> None:
    assert 12 <= seconds(await Speech().to_file(load_story().normal.spoken(), tmp_path)) <= 20


@needs_espeak
async def test_the_same_text_is_spoken_once(tmp_path: Path) -> None:
    speech = Speech()
    first = await speech.to_file("Tiếng Việt", tmp_path)
    stamp = first.stat().st_mtime_ns
    assert await speech.to_file("Tiê\u0301ng Viê\u0323t", tmp_path) == first, "decomposed text is the same text"
    assert first.stat().st_mtime_ns == stamp
    assert await speech.to_file("Tiếng Việt", tmp_path, language="en-US") != first
    assert len(list(tmp_path.iterdir())) == 2


@needs_espeak
@pytest.mark.parametrize("left", [b"", b"RIFF", bytes(100)])
async def test_what_a_power_cut_left_of_a_file_is_spoken_anew(tmp_path: Path, left: bytes) -> None:
    file = await Speech().to_file(SENTENCE, tmp_path)
    whole = file.read_bytes()
    for damaged in (left, whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        assert (await Speech().to_file(SENTENCE, tmp_path)).read_bytes() == whole


@needs_espeak
async def test_text_like_an_option_is_only_text(tmp_path: Path) -> None:
    trap = tmp_path / "trap.wav"
    await Speech().to_file(f"-w {trap} --version -f /etc/passwd", tmp_path)
    assert not trap.exists()


@needs_espeak
async def test_two_at_once_for_the_same_text_agree(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(Speech().to_file(SENTENCE, tmp_path)) for _ in range(2)]
    assert both[0].result() == both[1].result()
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_missing_program_is_said_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match=r"no-such-program is not installed; install it .*apt install espeak-ng"):
        await Speech(program="no-such-program").to_file("Một", tmp_path)


async def test_a_program_that_hangs_is_ended_at_the_deadline(tmp_path: Path) -> None:
    hanging = program(tmp_path, "exec sleep 600")
    (sound := tmp_path / "sound").mkdir()
    with pytest.raises(SpeechError, match=r"took over 0\.2 s"):
        await Speech(program=hanging, deadline=0.2).to_file("Một", sound)
    assert list(sound.iterdir()) == []


async def test_a_cancelled_caller_leaves_nothing_running(tmp_path: Path) -> None:
    os.mkfifo(started := tmp_path / "started")
    hanging = program(tmp_path, f"echo yes > {started}; exec sleep 600")
    (sound := tmp_path / "sound").mkdir()
    task = asyncio.create_task(Speech(program=hanging, deadline=600).to_file("Một", sound))
    assert await asyncio.to_thread(started.read_text) == "yes\n"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(sound.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'no voice there' >&2; exit 3", "ended with 3: no voice there"),
        ("cat >/dev/null", "made no sound"),
        ('for last; do :; done; head -c 5000 /dev/zero > "$last"', "5000 bytes of sound, over 4000"),
    ],
)
async def test_a_program_that_fails_is_reported(tmp_path: Path, body: str, said: str) -> None:
    (sound := tmp_path / "sound").mkdir()
    with pytest.raises(SpeechError, match=said):
        await Speech(program=program(tmp_path, body), max_wav_bytes=4000).to_file("Một", sound)
    assert list(sound.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        (" \n", "vi", "nothing to say"),
        ("ế" * MAX_TEXT_BYTES, "vi", f"over {MAX_TEXT_BYTES}"),
        ("Một", "tay", "no voice for language 'tay'"),
    ],
)
async def test_what_cannot_be_spoken_is_refused(tmp_path: Path, text: str, language: str, said: str) -> None:
    with pytest.raises(SpeechError, match=said):
        await Speech().to_file(text, tmp_path, language=language)


def test_a_region_without_a_voice_is_refused() -> None:
    with pytest.raises(ValueError, match="'west' is not one of north, centre, south"):
        Speech(voice="west")
