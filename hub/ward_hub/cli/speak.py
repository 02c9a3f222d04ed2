"""`wardhub speak`: sends sound to hubs that an order told to listen, from a file or a microphone behind a pipe."""

from __future__ import annotations

import argparse
import base64
import ipaddress
import os
import secrets
import sys
from pathlib import Path

from ward_hub.errors import UsageError
from ward_hub.keys.files import write_private
from ward_hub.publisher.streams import CLOCK_RATES, DYNAMIC, stream_key
from ward_protocol.channel import BOX_OVERHEAD
from ward_protocol.errors import MisuseError
from ward_protocol.schema import to_map
from ward_protocol.statements import Stream, StreamCodec, Suite
from ward_protocol.statements.stream import LONGEST_S, MASTER_SIZE

SUMMARY = "send sound as a live stream to hubs that an order told to listen for it"
STDIN = Path("/dev/stdin")

NOBODY = "nobody"  # a stream as it is sent: whom its key was locked to does not matter


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("sound", type=Path, nargs="?", help="a sound file; - for one that comes through a pipe")
    one.add_argument("--new-key", type=Path, metavar="FILE", help="make a key for one stream, in a new file, and end")
    where = "where a hub listens, or the group; IPv6 in brackets; may be given several times"
    one.add_argument("--to", metavar="ADDRESS:PORT", action="append", default=[], help=where)
    one.add_argument("--key-file", type=Path, metavar="FILE", help="the key that the order holds")
    one.add_argument("--codec", choices=[codec.value for codec in StreamCodec], default=StreamCodec.OPUS.value)
    one.add_argument("--rate", type=int, metavar="HZ", help="clock rate; 48000, of PCMA 8000")
    one.add_argument("--payload-type", type=int, default=DYNAMIC, metavar="NUMBER", help=f"as ordered; {DYNAMIC}")
    one.add_argument("--ssrc", type=int, metavar="NUMBER", help="as ordered; by chance where the order names none")


def act(chosen: argparse.Namespace) -> int:
    """Make a key, or send until the sound ends."""
    if chosen.new_key:
        _new_key(chosen.new_key)
        return os.EX_OK
    if not (chosen.sound and chosen.to and chosen.key_file):
        raise UsageError("speak: a sound, --to and --key-file are needed")
    to = [_where(one) for one in chosen.to]
    stream, master = _stream(chosen, to[0][1]), stream_key(chosen.key_file)
    from ward_hw.audio_sender import send  # noqa: PLC0415 - loads the codecs, which no other command needs

    path = STDIN if str(chosen.sound) == "-" else chosen.sound
    sent_ms = send(path, stream, master, to)
    sys.stdout.write(f"{', '.join(chosen.to)}: {sent_ms / 1000:.1f} s were sent\n")
    return os.EX_OK


def _stream(chosen: argparse.Namespace, port: int) -> Stream:
    codec = StreamCodec(chosen.codec)
    try:
        stream = Stream(
            port=port,
            suite=Suite.AES_CM_128_HMAC_SHA1_80,
            keys={NOBODY: bytes(MASTER_SIZE + BOX_OVERHEAD)},
            codec=codec,
            payload_type=chosen.payload_type,
            clock_rate=chosen.rate or CLOCK_RATES[codec],
            channels=1,
            max_s=LONGEST_S,
            ssrc=chosen.ssrc,
        )
        to_map(stream)
    except (ValueError, MisuseError) as error:
        raise UsageError(f"speak: no order could hold that: {error}") from error
    return stream


def _where(to: str) -> tuple[str, int]:
    host, _, port = to.rpartition(":")
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))), int(port)
    except ValueError as error:
        raise UsageError(f"speak: --to {to}: ADDRESS:PORT is needed, such as 192.0.2.7:5004") from error


def _new_key(path: Path) -> None:
    """Write a key as SDP has it (RFC 4568 §6.1): the base64 of master key and salt."""
    write_private(path, base64.b64encode(secrets.token_bytes(MASTER_SIZE)) + b"\n")
