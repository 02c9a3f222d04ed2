"""The sending end: heard by our worker, opened by libsrtp, received by ffmpeg; at the pace of the sound."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import select
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pylibsrtp import Policy, Session
from tests.sim.hw.sounds import tone
from tests.sim.hw.streams import GOOD_HZ, captured, free_port, is_open, share_of, stream
from tests.srtp_peer import MASTER, PAYLOAD_TYPE

from ward_hw.audio import AudioError, AudioSettings, AudioWorker, Ended
from ward_hw.audio_sender import send
from ward_hw.audio_worker.rtp import duration, header
from ward_protocol.statements import Stream, StreamCodec

HANG_GUARD_S = 60.0


def datagrams(one: socket.socket) -> list[bytes]:
    out: list[bytes] = []
    while select.select([one], [], [], 0)[0]:
        out.append(one.recv(4096))
    return out


@pytest.mark.parametrize(
    ("codec", "rate", "packet_ms"),
    [(StreamCodec.OPUS, 48_000, 20), (StreamCodec.PCMA, 8000, 20), (StreamCodec.L16, 48_000, 5)],
)
def test_libsrtp_opens_what_it_sends(tmp_path: Path, codec: StreamCodec, rate: int, packet_ms: int) -> None:
    path = tone(tmp_path / "a.wav", 0.5)
    waits: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inlet:
        inlet.bind(("127.0.0.1", 0))
        port = inlet.getsockname()[1]
        one = stream(port=port, codec=codec, clock_rate=rate)
        sent_ms = send(path, one, MASTER, [("127.0.0.1", port)], clock=lambda: 0.0, sleep=waits.append)
        packets = datagrams(inlet)
    assert sent_ms == 500
    assert max(map(len, packets)) < 1200
    assert waits == [number * packet_ms / 1000 for number in range(len(packets))]
    heads = [header(packet) for packet in packets]
    assert {head.payload_type for head in heads} == {PAYLOAD_TYPE}
    assert heads[0].sequence < 2**15
    session = Session(Policy(key=MASTER, ssrc_type=Policy.SSRC_SPECIFIC, ssrc_value=heads[0].ssrc))
    plain = [session.unprotect(packet) for packet in packets]
    assert [duration(codec, 1, packet[12:]) for packet in plain] == [rate * packet_ms // 1000] * (500 // packet_ms)
    steps = {(after.timestamp - before.timestamp) % 2**32 for before, after in itertools.pairwise(heads)}
    assert steps == {rate * packet_ms // 1000}


def test_each_time_another_source_unless_one_is_named(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 0.02)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inlet:
        inlet.bind(("127.0.0.1", 0))
        port = inlet.getsockname()[1]
        for one in (stream(), stream(), stream(ssrc=2**32 - 1)):
            send(path, one, MASTER, [("127.0.0.1", port)])
        first, second, third = (header(packet) for packet in datagrams(inlet))
    assert first.ssrc != second.ssrc
    assert first.sequence != second.sequence or first.timestamp != second.timestamp
    assert third.ssrc == 2**32 - 1


def test_several_hubs_get_the_same(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 0.1)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        four.bind(("127.0.0.1", 0))
        six.bind(("::1", 0))
        send(path, stream(), MASTER, [("127.0.0.1", four.getsockname()[1]), ("::1", six.getsockname()[1])])
        heard = datagrams(four)
        assert len(heard) == 5
        assert datagrams(six) == heard


def test_a_way_that_does_not_exist_is_told_at_once(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 5)
    with pytest.raises(AudioError, match=r"send to 255\.255\.255\.255"):  # broadcast, which nobody allowed
        send(path, stream(), MASTER, [("255.255.255.255", 5004)])
    with pytest.raises(AudioError, match="choose another file"):
        send(tmp_path / "absent.wav", stream(), MASTER, [("127.0.0.1", 5004)])


async def heard_by_the_worker(tmp_path: Path, one: Stream, *sound: str, stdin: bytes | None = None) -> None:
    """Run `wardhub speak` as a process against the worker."""
    key = tmp_path / "key"
    key.write_bytes(base64.b64encode(MASTER))
    key.chmod(0o600)
    capture = tmp_path / "capture.wav"
    async with AudioWorker(AudioSettings(backend="null", capture=capture)) as audio, asyncio.timeout(HANG_GUARD_S):
        playing = await audio.play_stream(one, MASTER, limit_s=60, first_s=30)
        while not is_open(one.port):
            await asyncio.sleep(0.01)
        command = [sys.executable, "-m", "ward_hub", "speak", "--to", f"127.0.0.1:{one.port}", "--key-file", str(key)]
        speaker = await asyncio.create_subprocess_exec(*command, *sound, stdin=subprocess.PIPE)
        await speaker.communicate(stdin)
        played = await playing.wait()
    assert speaker.returncode == os.EX_OK
    assert played.stream is not None
    assert played.stream.ended is Ended.SILENCE
    assert sum(played.stream.refused.values()) == 0
    assert played.played_ms > 1000
    assert share_of(captured(capture), GOOD_HZ) > 0.95


async def test_the_command_is_heard(tmp_path: Path) -> None:
    await heard_by_the_worker(tmp_path, stream(), str(tone(tmp_path / "a.opus", 1.5)))


async def test_what_comes_through_a_pipe_is_heard(tmp_path: Path) -> None:
    sound = tone(tmp_path / "a.wav", 1.5).read_bytes()
    one = stream(codec=StreamCodec.PCMA, clock_rate=8000, payload_type=8)
    arguments = ["--codec", "PCMA", "--payload-type", "8", "-"]
    await heard_by_the_worker(tmp_path, one, *arguments, stdin=sound)


@pytest.mark.capability("ffmpeg")
async def test_ffmpeg_receives_it(tmp_path: Path) -> None:
    one = replace(stream(), port=free_port() & ~1)
    description = tmp_path / "stream.sdp"
    description.write_text(
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {one.port} RTP/SAVP {PAYLOAD_TYPE}\n"
        f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2\n"
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{base64.b64encode(MASTER).decode()}\n"
    )
    out = tmp_path / "heard.wav"
    whitelist = ["-protocol_whitelist", "file,udp,rtp,srtp,crypto"]
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", *whitelist, "-i", str(description)]
    process = await asyncio.create_subprocess_exec(*command, "-t", "1", "-ac", "1", "-ar", "48000", str(out))
    async with asyncio.timeout(HANG_GUARD_S):
        while not is_open(one.port):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(send, tone(tmp_path / "a.wav", 3), one, MASTER, [("127.0.0.1", one.port)])
        await process.wait()
    assert share_of(captured(out), GOOD_HZ) > 0.95
