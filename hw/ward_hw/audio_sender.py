"""The sending end of a stream, for a ward's console and for trials: a file, or what comes through a pipe, as SRTP.

PyAV encodes; packing, protection and pace are here. PyAV opens FFmpeg's `srtp:` for output, too: but it drops the key,
prints it as an option that was not used, and sends in the clear.
"""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av

from ward_hw.audio import AudioError
from ward_hw.audio_worker.decode import BadAudio, opened
from ward_hw.audio_worker.srtp import TAG_SIZE, SessionKeys, keystream
from ward_protocol.statements import Stream, StreamCodec

Address = tuple[str, int]
_ENCODERS = {"opus": "libopus", "PCMA": "pcm_alaw", "L16": "pcm_s16be"}
_PACKET_MS = {"opus": 20, "PCMA": 20, "L16": 5}  # no packet is longer than a network carries whole
_OPUS_BIT_RATE = 32_000  # speech at its full width
_HOPS = 16
_VERSION = 0x80


class SrtpSender:
    """Makes the packets of one source; a key is good for one of these, as packets of two would reveal each other."""

    def __init__(self, master: bytes, *, payload_type: int, ssrc: int, first: int) -> None:
        self._keys = SessionKeys.of(master)
        self._salt = int.from_bytes(self._keys.salt, "big") << 16
        self._payload_type = payload_type
        self._ssrc = ssrc
        self._index = first

    def packet(self, payload: bytes, timestamp: int) -> bytes:
        """Return the next packet. Ref: RFC 3711 §3.3."""
        index, self._index = self._index, self._index + 1
        ssrc = self._ssrc
        header = struct.pack(">BBHII", _VERSION, self._payload_type, index & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        start = self._salt ^ ssrc << 64 ^ index << 16
        packet = header + keystream(self._keys.cipher, start, payload)
        tag = hmac.digest(self._keys.auth, packet + struct.pack(">I", index >> 16), "sha1")
        return packet + tag[:TAG_SIZE]


def send(
    path: Path,
    stream: Stream,
    master: bytes,
    to: Sequence[Address],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send a sound file, mixed to mono, in real time to addresses and ports; return how many ms were sent.

    `master` is the stream's master key and salt. Nobody tells whether it is received, and a datagram that cannot be
    sent is lost; the first one must go. Raises AudioError.
    """
    ssrc = secrets.randbits(32) if stream.ssrc is None else stream.ssrc
    # Below the half, so that no receiver takes the first packets for late ones of a round before. RFC 3711 §3.3.1
    sender = SrtpSender(master, payload_type=stream.payload_type, ssrc=ssrc, first=secrets.randbits(15))
    begun, offset, sent = clock(), secrets.randbits(32), 0
    try:
        with contextlib.ExitStack() as stack:
            outs = [(stack.enter_context(_socket(host)), (host, port)) for host, port in to]
            for payload, ticks in _payloads(path, stream):
                sleep(max(0.0, begun + sent / stream.clock_rate - clock()))
                _send(outs, sender.packet(payload, offset + sent), must=not sent)
                sent += ticks
    except BadAudio as error:
        raise AudioError(f"send {path.name}", str(error), remedy="choose another file") from error
    return sent * 1000 // stream.clock_rate


def _socket(host: str) -> socket.socket:
    version = ipaddress.ip_address(host).version
    one = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _HOPS)
    if version == 6:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
    return one


def _send(outs: Iterable[tuple[socket.socket, Address]], packet: bytes, *, must: bool) -> None:
    for one, address in outs:
        try:
            one.sendto(packet, address)
        except OSError as error:
            if must:
                reason = f"{error.strerror}"
                raise AudioError(f"send to {address[0]}", reason, remedy="see how this machine reaches it") from error


def _payloads(path: Path, stream: Stream) -> Iterator[tuple[bytes, int]]:
    """The encoded sound, in payloads of so many clock ticks. Raises BadAudio."""
    context = av.CodecContext.create(_ENCODERS[stream.codec], "w")
    if not isinstance(context, av.AudioCodecContext):
        raise TypeError(f"{stream.codec} is no codec of sound")
    rate = stream.clock_rate
    context.sample_rate, context.layout, context.format = rate, "mono", "s16"
    context.time_base = Fraction(1, rate)
    if stream.codec is StreamCodec.OPUS:
        context.bit_rate = _OPUS_BIT_RATE
    ticks = rate * _PACKET_MS[stream.codec] // 1000
    with opened(path) as file:
        for number, samples in enumerate(_cut(file.samples(rate, 0.0), 2 * ticks)):
            for payload in _encoded(context, _frame(samples, number * ticks, rate)):
                yield payload, ticks


def _encoded(context: av.AudioCodecContext, frame: av.AudioFrame) -> list[bytes]:
    packets = cast("Any", context).encode(frame)  # av leaves the type of a packet's stream open
    return [bytes(packet) for packet in packets]


def _cut(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The samples in pieces of `size` bytes, the last filled up with silence."""
    rest = b""
    for piece in pieces:
        rest += piece
        while len(rest) >= size:
            yield rest[:size]
            rest = rest[size:]
    if rest:
        yield rest.ljust(size, b"\0")


def _frame(samples: bytes, at: int, rate: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
    frame.planes[0].update(samples.ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    return frame
