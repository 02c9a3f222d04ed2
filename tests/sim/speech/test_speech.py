"""Speech by the real espeak-ng: voices, limits, deadline, and nothing left behind when it fails or is cancelled."""

from __future__ import annotations

import asyncio
import os
import wave
from pathlib import Path

import pytest

from ward_hub.speech import MAX_TEXT_BYTES, REGIONS, Speech, SpeechError, sweep
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


async def test_a_program_that_does_not_even_die_keeps_no_cancellation_from_its_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that waits for a card that is stuck cannot be killed; what is on air is cut short all the same."""
    immortal: list[asyncio.subprocess.Process] = []
    fed = asyncio.Event()
    process = asyncio.subprocess.Process
    kill, communicate = process.kill, process.communicate

    async def feed(one: asyncio.subprocess.Process, data: bytes) -> tuple[bytes, bytes]:
        fed.set()
        return await communicate(one, data)

    def survive(one: asyncio.subprocess.Process) -> None:
        immortal.append(one)

    monkeypatch.setattr(process, "communicate", feed)
    monkeypatch.setattr(process, "kill", survive)
    monkeypatch.setattr("ward_hub.speech._KILL_GRACE_S", 0.05)
    hanging = program(tmp_path, "exec sleep 600")
    task = asyncio.create_task(Speech(program=hanging, deadline=600).to_file("Một", tmp_path))
    await fed.wait()
    task.cancel()
    await asyncio.wait([task])
    (survivor,) = immortal
    kill(survivor)
    await survivor.wait()
    assert task.cancelled()


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


async def test_a_program_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    """As with no memory, or with nothing more to be read from the card: an airing goes on with its chime."""
    broken = tmp_path / "espeak-broken"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(SpeechError, match="Exec format error"):
        await Speech(program=str(broken)).to_file("Một", tmp_path)


async def test_a_disk_that_takes_no_file_is_reported(tmp_path: Path) -> None:
    (folder := tmp_path / "sound").mkdir()
    speech = Speech(program=sounding(tmp_path))
    file = await speech.to_file("Một", folder)
    file.unlink()
    file.mkdir()
    with pytest.raises(SpeechError, match="cannot be kept"):
        await speech.to_file("Một", folder)


def sounding(folder: Path) -> str:
    """A stand-in that makes a tenth of a second of silence, 4,454 bytes, of everything."""
    with wave.open(str(folder / "silence.wav"), "wb") as sound:
        sound.setparams((1, 2, 22_050, 0, "NONE", ""))
        sound.writeframes(bytes(4410))
    return program(folder, f'for last; do :; done; cat > /dev/null; cp {folder / "silence.wav"} "$last"')


async def test_speech_that_is_kept_has_a_bound_and_goes_by_when_it_was_last_said(tmp_path: Path) -> None:
    """A ward's bulletins of some years would fill the card, and a full card has no journal."""
    (folder := tmp_path / "sound").mkdir()
    (chime := folder / "chime-normal.wav").write_bytes(bytes(9000))
    (earlier := folder / "speech-00.wav").write_bytes(bytes(9000))
    speech = Speech(program=sounding(tmp_path), most_kept_bytes=3 * 5000)
    first, second = [await speech.to_file(one, folder) for one in ("Một", "Hai")]
    assert not earlier.exists(), "of an earlier run, so it was said before all others"
    third = await speech.to_file("Ba", folder)
    assert await speech.to_file("Một", folder) == first
    fourth = await speech.to_file("Bốn", folder)
    assert set(folder.iterdir()) == {chime, first, third, fourth}
    assert await speech.to_file("Hai", folder) == second
    assert set(folder.iterdir()) == {chime, first, fourth, second}


async def test_one_that_is_over_the_bound_alone_is_kept_until_the_next(tmp_path: Path) -> None:
    (folder := tmp_path / "sound").mkdir()
    speech = Speech(program=sounding(tmp_path), most_kept_bytes=1)
    assert (await speech.to_file("Một", folder)).exists()
    last = await speech.to_file("Hai", folder)
    assert list(folder.iterdir()) == [last]


def test_what_a_power_cut_left_half_spoken_is_swept_away(tmp_path: Path) -> None:
    (kept := tmp_path / "speech-00.wav").touch()
    (tmp_path / ".speech-00-123-ab.part").write_bytes(bytes(100))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [kept]


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
