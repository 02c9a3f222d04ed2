"""Live streams through the audio worker as it runs: its own process, real UDP, senders of other implementations.

What is genuine is a tone of 440 Hz, what is not one of 1,370 Hz: what was captured tells them apart.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.sim.hw.streams import BAD_HZ, GOOD_HZ, captured, free_port, is_open, opus, send, share_of, stream
from tests.srtp_peer import MASTER, OTHER_MASTER, PAYLOAD_TYPE, SSRC, Peer, flipped, rtp

from ward_hw.audio import AudioError, AudioSettings, AudioWorker, Ended, Played, Playing, Position, Reception
from ward_hw.errors import MisuseError
from ward_protocol.statements import Stream, StreamCodec

HANG_GUARD_S = 60.0
FIRST_S = 20.0
NONE_REFUSED = {"malformed": 0, "other": 0, "forged": 0, "replayed": 0}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "capture.wav"


@pytest.fixture
async def audio(capture: Path) -> AsyncIterator[AudioWorker]:
    async with AudioWorker(AudioSettings(backend="null", capture=capture)) as worker, asyncio.timeout(HANG_GUARD_S):
        yield worker


async def listening(
    audio: AudioWorker, one: Stream, *, after: Position | None = None, first_s: float = FIRST_S
) -> Playing:
    """Order a stream, and wait until its port is open. What is to be sent is made before: it keeps the loop busy."""
    assert not is_open(one.port)
    playing = await audio.play_stream(one, MASTER, limit_s=one.max_s, first_s=first_s, after=after)
    while not (is_open(one.port) or playing.done):
        await asyncio.sleep(0.01)
    return playing


def reception(played: Played) -> Reception:
    assert played.stream is not None
    return played.stream


@asynccontextmanager
async def ffmpeg(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ffmpeg beside the block and wait for its end."""
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        yield process
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.capability("ffmpeg")
@pytest.mark.parametrize(
    ("codec", "rate", "channels"),
    [
        (StreamCodec.OPUS, 48_000, 1),
        (StreamCodec.OPUS, 48_000, 2),
        (StreamCodec.PCMA, 8000, 1),
        (StreamCodec.L16, 44_100, 2),
    ],
)
async def test_ffmpeg_is_heard(audio: AudioWorker, capture: Path, codec: StreamCodec, rate: int, channels: int) -> None:
    encoder = {StreamCodec.OPUS: "libopus", StreamCodec.PCMA: "pcm_alaw", StreamCodec.L16: "pcm_s16be"}[codec]
    one = stream(codec=codec, clock_rate=rate, channels=channels, ssrc=SSRC - 2**31)
    playing = await listening(audio, one)
    source = ["-re", "-f", "lavfi", "-i", f"sine={GOOD_HZ}:duration=2:sample_rate={rate}", "-ac", str(channels)]
    sink = ["-c:a", encoder, "-f", "rtp", "-payload_type", str(PAYLOAD_TYPE), "-ssrc", str(one.ssrc)]
    key = base64.b64encode(MASTER).decode()
    srtp = ["-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params", key, f"srtp://127.0.0.1:{one.port}"]
    async with ffmpeg(*source, *sink, *srtp):
        played = await playing.wait()
    heard = reception(played)
    assert heard.ended is Ended.SILENCE
    assert heard.refused == NONE_REFUSED
    assert heard.accepted >= 15  # ffmpeg packs 128 ms of A-law into one
    assert heard.position is not None
    assert heard.position.ssrc == one.ssrc
    assert 1500 < played.played_ms <= 2100
    assert played.requested_ms >= played.played_ms
    assert share_of(captured(capture), GOOD_HZ) > 0.95


async def test_libsrtp_is_heard_through_loss_disorder_and_doubles(audio: AudioWorker, capture: Path) -> None:
    packets = Peer().many(opus(2.0), first=65_500)
    order: list[list[bytes]] = [[packet] for packet in packets]
    for at in range(10, 90, 10):
        order[at] = []  # lost
        order[at + 3], order[at + 4] = order[at + 4], order[at + 3]
        order[at + 6] *= 2
    one = stream()
    playing = await listening(audio, one)
    await asyncio.gather(send(order, one.port), playing.wait())
    played = await playing.wait()
    heard = reception(played)
    assert heard.ended is Ended.SILENCE
    assert heard.accepted == 92
    assert heard.refused == NONE_REFUSED | {"replayed": 8}
    assert heard.lost >= 8
    assert heard.position == Position(SSRC, 65_599)
    assert share_of(captured(capture), GOOD_HZ) > 0.9


async def test_stereo_where_mono_was_said_is_mixed(audio: AudioWorker, capture: Path) -> None:
    packets = Peer().many(opus(1.0, layout="stereo"))
    one = stream(channels=1)
    playing = await listening(audio, one)
    await asyncio.gather(send(packets, one.port), playing.wait())
    assert reception(await playing.wait()).lost == 0
    assert share_of(captured(capture), GOOD_HZ) > 0.95


def attacks(genuine: list[bytes], payloads: Sequence[bytes]) -> list[list[bytes]]:
    """For each genuine packet what an attacker without the key can make of all that was sent before and is known."""
    chance = random.Random(7)
    out: list[list[bytes]] = []
    strangers = Peer(OTHER_MASTER)
    for number, payload in enumerate(payloads):
        known = genuine[number]
        forged = [
            rtp(number + 2, payload),  # plain RTP, in the place of what is to come
            rtp(number + 2, payload) + known[-10:],  # with the tag of another
            strangers.protect(rtp(number + 2, payload)),
            flipped(known, chance.randrange(96, 8 * len(known))),
            rtp(number + 2, payload, ssrc=SSRC + 1),
            rtp(number + 2, payload, payload_type=PAYLOAD_TYPE + 1),
            known[:20],
            chance.choice(genuine[: number + 1]),
            bytes(chance.randrange(256) for _ in range(100)),
        ]
        out.append(forged)
    return out


async def test_between_genuine_packets_nothing_else_sounds(audio: AudioWorker, capture: Path) -> None:
    genuine = Peer().many(opus(2.0))
    forged = attacks(genuine, opus(2.0, BAD_HZ))
    order = [[*bad[:5], packet, *bad[5:]] for packet, bad in zip(genuine, forged, strict=True)]
    one = stream(ssrc=SSRC)
    playing = await listening(audio, one)
    await asyncio.gather(send(order, one.port), playing.wait())
    played = await playing.wait()
    heard = reception(played)
    assert len(genuine) / 2 < heard.accepted <= len(genuine)  # a busy machine may drop some of a thousand datagrams
    assert sum(heard.refused.values()) > sum(map(len, forged)) / 2
    assert all(heard.refused.values())
    assert share_of(captured(capture), GOOD_HZ) > 0.95
    assert share_of(captured(capture), BAD_HZ) < 0.01


async def test_forgeries_alone_open_nothing_and_keep_nothing_open(audio: AudioWorker, capture: Path) -> None:
    payloads = opus(1.5, BAD_HZ)
    strangers = Peer(OTHER_MASTER)
    order = [[rtp(n, payload), strangers.protect(rtp(n, payload))] for n, payload in enumerate(payloads)]
    one = stream()
    playing = await listening(audio, one, first_s=2.0)
    _, played = await asyncio.gather(send(order, one.port), playing.wait())
    assert (played.played_ms, played.requested_ms, played.envelope) == (0, 0, ())
    heard = reception(played)
    assert (heard.ended, heard.accepted, heard.position) == (Ended.ABSENT, 0, None)
    assert heard.refused["forged"] > 0
    assert len(captured(capture)) == 0


async def test_what_was_recorded_is_not_heard_again_and_does_not_keep_the_line(
    audio: AudioWorker, capture: Path
) -> None:
    genuine = Peer().many(opus(0.6))
    one = stream()
    playing = await listening(audio, one)
    _, played = await asyncio.gather(send([*genuine, *genuine * 9], one.port), playing.wait())
    heard = reception(played)
    assert (heard.ended, heard.accepted) == (Ended.SILENCE, 30)
    assert heard.refused["replayed"] > 0
    assert played.played_ms <= 600
    assert len(captured(capture)) <= 0.8 * 48_000  # a gap may have been concealed


async def test_who_listens_again_hears_only_what_is_new(audio: AudioWorker, capture: Path) -> None:
    payloads = opus(1.6)
    genuine = Peer().many(payloads[:40]) + Peer().many(payloads[40:], first=41)
    one = stream()
    playing = await listening(audio, one)
    _, played = await asyncio.gather(send(genuine[:40], one.port), playing.wait())
    position = reception(played).position
    assert position == Position(SSRC, 40)
    before = len(captured(capture))
    again = await listening(audio, one, after=position)
    _, replayed = await asyncio.gather(send(genuine[:40], one.port), wait_then_stop(again))
    assert reception(replayed).refused["replayed"] == 40
    assert (replayed.played_ms, len(captured(capture))) == (0, before)
    third = await listening(audio, one, after=position)
    _, fresh = await asyncio.gather(send(genuine, one.port, spacing_s=0.01), third.wait())
    assert reception(fresh).accepted == 40
    assert reception(fresh).position == Position(SSRC, 80)
    assert fresh.played_ms > 0


async def wait_then_stop(playing: Playing) -> Played:
    await asyncio.sleep(1.5)
    return await playing.stop()


async def test_its_time_is_up_while_it_still_speaks(audio: AudioWorker) -> None:
    packets = Peer().many(opus(1.0) * 60)
    one = stream()
    playing = await audio.play_stream(one, MASTER, limit_s=1.5, first_s=FIRST_S)
    sending = asyncio.create_task(send(packets, one.port))
    played = await playing.wait()
    assert not is_open(one.port)
    assert not sending.done()
    sending.cancel()
    assert reception(played).ended is Ended.LIMIT
    assert 0 < played.played_ms <= 1600


async def test_stopped_it_ends_and_closes_its_port(audio: AudioWorker) -> None:
    packets = Peer().many(opus(1.0) * 60)
    one = stream()
    playing = await listening(audio, one)
    sending = asyncio.create_task(send(packets, one.port))
    await playing.started
    with pytest.raises(MisuseError, match="stop it first"):
        await audio.play_stream(one, MASTER, limit_s=9, first_s=1)
    await asyncio.sleep(0.3)
    played = await playing.stop(fade_ms=100)
    sending.cancel()
    assert reception(played).ended is Ended.STOPPED
    assert played.played_ms > 0
    assert not is_open(one.port)


async def test_stopped_before_the_first_packet_nothing_was_played(audio: AudioWorker) -> None:
    one = stream()
    playing = await listening(audio, one)
    played = await playing.stop()
    assert (played.played_ms, played.requested_ms) == (0, 0)
    assert reception(played).ended is Ended.STOPPED
    assert not is_open(one.port)


async def test_a_worker_killed_in_the_middle_leaves_how_far_it_was_and_no_port(audio: AudioWorker) -> None:
    one = stream()
    peer = Peer()
    packets, later = peer.many(opus(1.0) * 4), peer.many(opus(1.0), first=201)
    playing = await listening(audio, one)
    sending = asyncio.create_task(send(packets, one.port))
    await playing.started
    await asyncio.sleep(1.2)  # it tells every 500 ms how far it is
    victim = audio.pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(AudioError, match="died") as caught:
        await playing.wait()
    assert not is_open(one.port)
    await sending
    told = caught.value.played
    assert told is not None
    assert told.played_ms >= 400
    assert told.requested_ms >= told.played_ms
    heard = reception(told)
    assert heard.ended is None
    assert heard.position is not None
    assert heard.position.index > 10
    again = await listening(audio, one, after=heard.position)
    _, played = await asyncio.gather(send(later, one.port), again.wait())
    assert reception(played).accepted == 50


async def test_what_authenticates_and_is_no_sound_is_lost(audio: AudioWorker, capture: Path) -> None:
    payloads = list(opus(1.0))
    payloads[20] = bytes([payloads[20][0]]) + b"\xff" * 40
    payloads[30] = b""
    payloads[40] = b"\xfb"
    packets = Peer().many(payloads)
    one = stream()
    playing = await listening(audio, one)
    await asyncio.gather(send(packets, one.port), playing.wait())
    heard = reception(await playing.wait())
    assert heard.accepted == 48
    assert heard.refused == NONE_REFUSED | {"malformed": 2}
    assert heard.lost >= 2
    assert share_of(captured(capture), GOOD_HZ) > 0.9


async def test_a_port_that_another_has_is_an_error_of_the_order(audio: AudioWorker) -> None:
    one = stream()
    first = await listening(audio, one)
    async with AudioWorker(AudioSettings(backend="null")) as other:
        playing = await other.play_stream(one, MASTER, limit_s=9, first_s=9)
        with pytest.raises(AudioError, match=f"UDP port {one.port} cannot be opened"):
            await playing.wait()
    await first.stop()


async def test_the_key_stands_in_no_command_line_and_no_error(audio: AudioWorker) -> None:
    one = stream()
    playing = await listening(audio, one)
    for written in (Path(f"/proc/{audio.pid}/cmdline").read_bytes(), Path(f"/proc/{audio.pid}/environ").read_bytes()):
        assert MASTER not in written
        assert MASTER.hex().encode() not in written
        assert base64.b64encode(MASTER) not in written
    await playing.stop()
    wrong = await audio.play_stream(one, b"", limit_s=9, first_s=9)
    with pytest.raises(AudioError) as caught:
        await wrong.wait()
    assert MASTER.hex() not in str(caught.value)


async def test_a_worker_that_waits_for_an_order_holds_no_cipher_and_no_port(audio: AudioWorker) -> None:
    while audio.pid is None:
        await asyncio.sleep(0.01)
    assert "cryptography" not in Path(f"/proc/{audio.pid}/maps").read_text()
    assert not [one for one in Path(f"/proc/{audio.pid}/fd").iterdir() if "socket" in str(one.readlink())]


FLOOD = """
import os, socket, sys, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
head = bytes.fromhex(sys.argv[2])
end = time.monotonic() + 3
sent = 0
while time.monotonic() < end:
    for _ in range(200):
        one.sendto(head + sent.to_bytes(4, "big") * 40, ("127.0.0.1", int(sys.argv[1])))
        sent += 1
    time.sleep(0.004)
print(sent)
"""


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def test_a_flood_takes_neither_memory_nor_the_end_of_the_stream(
    audio: AudioWorker, capture: Path, tmp_path: Path
) -> None:
    genuine = Peer().many(opus(1.0) * 6)
    one = stream(ssrc=SSRC)
    playing = await listening(audio, one)
    sending = asyncio.create_task(send(genuine, one.port))
    await playing.started
    pid = audio.pid
    assert pid is not None
    before = resident_kb(pid)
    program = tmp_path / "flood.py"
    program.write_text(FLOOD)
    head = genuine[0][:12].hex()
    command = ["python3", "-S", str(program), str(one.port), head]
    flood = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await flood.communicate()
    grown = resident_kb(pid) - before
    sending.cancel()
    played = await playing.wait()
    heard = reception(played)
    assert heard.ended is Ended.SILENCE
    assert sum(heard.refused.values()) > 100
    assert sum(heard.refused.values()) < int(output)  # what is too much is dropped unread
    assert heard.accepted <= len(genuine)
    assert grown < 8 * 1024
    assert share_of(captured(capture), GOOD_HZ) > 0.5


def test_the_helper_sees_an_open_port() -> None:
    port = free_port()
    assert not is_open(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", port))
        assert is_open(port)
