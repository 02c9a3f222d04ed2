"""Live streams for tests: tones as payloads, sent in real time, and how much of a tone is in what was captured."""

from __future__ import annotations

import asyncio
import math
import socket
import wave
from array import array
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
from tests.srtp_peer import PAYLOAD_TYPE

from ward_protocol.channel import BOX_OVERHEAD
from ward_protocol.statements import Stream, StreamCodec, Suite
from ward_protocol.statements.stream import MASTER_SIZE

RATE = 48_000
TICKS = 960
PACKET_S = TICKS / RATE
GOOD_HZ, BAD_HZ = 440, 1370
STREAM = Stream(
    port=5004,
    suite=Suite.AES_CM_128_HMAC_SHA1_80,
    keys={"hub-1": bytes(MASTER_SIZE + BOX_OVERHEAD)},
    codec=StreamCodec.OPUS,
    payload_type=PAYLOAD_TYPE,
    clock_rate=RATE,
    channels=1,
    max_s=60,
    silence_s=2,
)


def free_port(family: socket.AddressFamily = socket.AF_INET) -> int:
    """Return a UDP port that nobody has."""
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        return int(one.getsockname()[1])


def stream(**changes: Any) -> Stream:  # noqa: ANN401 - fields of a stream
    """Return a stream to a free port."""
    return replace(STREAM, **{"port": free_port(), **changes})


def is_open(port: int) -> bool:
    """Say whether somebody here has that UDP port. Trying to bind it would take it from whoever is about to."""
    lines = [line for name in ("udp", "udp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines)


@cache
def opus(seconds: float, hertz: int = GOOD_HZ, *, layout: str = "mono") -> tuple[bytes, ...]:
    """Return a tone of half the full scale as Opus payloads of 20 ms."""
    context = cast("Any", av.CodecContext.create("libopus", "w"))
    context.sample_rate, context.layout, context.format, context.time_base = RATE, layout, "s16", Fraction(1, RATE)
    channels = 2 if layout == "stereo" else 1
    payloads: list[bytes] = []
    for begin in range(0, round(seconds * RATE), TICKS):
        tone = [round(16_384 * math.sin(math.tau * hertz * (begin + n) / RATE)) for n in range(TICKS)]
        frame = av.AudioFrame(format="s16", layout=layout, samples=TICKS)
        frame.planes[0].update(array("h", [value for value in tone for _ in range(channels)]).tobytes())
        frame.sample_rate, frame.pts = RATE, begin
        payloads += [bytes(packet) for packet in context.encode(frame)]
    return tuple(payloads)


async def send(packets: Sequence[bytes | Sequence[bytes]], port: int, *, spacing_s: float = PACKET_S) -> None:
    """Send packets to this machine evenly; several in a list go one right behind the other."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for number, packet in enumerate(packets):
            await asyncio.sleep(max(0.0, begun + number * spacing_s - loop.time()))
            for datagram in [packet] if isinstance(packet, bytes) else packet:
                one.sendto(datagram, ("127.0.0.1", port))


def captured(path: Path) -> array[int]:
    """Return the samples of a capture file; none where there is no file."""
    if not path.exists():
        return array("h")
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))


def share_of(samples: array[int], hertz: int, *, piece: int = 2400) -> float:
    """Return which share of the energy is a tone of that pitch, in pieces, so that gaps do not matter."""
    tone, whole = 0.0, 0.0
    for begin in range(0, len(samples) - piece + 1, piece):
        part = samples[begin : begin + piece]
        sine = sum(value * math.sin(math.tau * hertz * n / RATE) for n, value in enumerate(part))
        cosine = sum(value * math.cos(math.tau * hertz * n / RATE) for n, value in enumerate(part))
        tone += 2 * (sine**2 + cosine**2) / piece
        whole += math.fsum(value * value for value in part)
    return tone / whole if whole else 0.0
