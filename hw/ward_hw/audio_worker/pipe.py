"""Messages between agent and worker: a big-endian u32 length, then that many bytes of JSON (one object)."""

from __future__ import annotations

import json
import struct
from typing import BinaryIO, cast

Message = dict[str, object]
LENGTH = struct.Struct(">I")
MAX_MESSAGE = 1 << 20


def pack(message: Message) -> bytes:
    """The bytes of a message. Raises ValueError over MAX_MESSAGE."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > MAX_MESSAGE:
        raise ValueError(f"message of {len(body)} bytes")
    return LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> Message:
    """The message in a body. Raises ValueError when it is no JSON, TypeError when no object."""
    message: object = json.loads(body)
    if not isinstance(message, dict):
        raise TypeError("message is no object")
    return cast("Message", message)


def length_of(head: bytes) -> int:
    """The length in the first four bytes. Raises ValueError over MAX_MESSAGE."""
    (length,) = LENGTH.unpack(head)
    if length > MAX_MESSAGE:
        raise ValueError(f"message of {length} bytes")
    return int(length)


def read(stream: BinaryIO) -> Message | None:
    """The next message, waiting for it; None when the other side is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    length = length_of(head)
    body = stream.read(length)
    return unpack(body) if len(body) == length else None
