"""A bundle: statements and recordings in one file, for a stick that is carried to a hub. Pure.

    header   16 bytes   WARDHUB and a zero byte, version 1 (2 bytes), number of items (2), size of the file (4)
    item     40 bytes   kind (1), zeros (3), size (4), SHA-256 (32); then its bytes
    ...

Numbers are unsigned, the most significant byte first. Items stand in the order of their kinds, so that what is needed
to judge the others comes first. Nothing but these heads is read before an item is judged by itself; the container
says nothing that anybody trusts, and needs no signature.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple

from ward_hub.errors import HubError
from ward_protocol.envelope import MAX_SIZE
from ward_protocol.statements.bulletin import MAX_AUDIO

NAME = "wardhub.bundle"
MOST = 64 * 2**20
MOST_ITEMS = 512
MAGIC, VERSION = b"WARDHUB\0", 1
HEADER, HEAD = struct.Struct(">8sHHI"), struct.Struct(">B3sI32s")


class BundleError(HubError):
    """It is no bundle, or a damaged one; the message says what and where."""


class Kind(IntEnum):
    """What an item is, in the order in which items stand."""

    ROOT = 1
    GRANTS = 2
    BEAT = 3
    STATEMENT = 4
    RECORDING = 5

    @property
    def limit(self) -> int:
        """The largest size in bytes."""
        return MAX_AUDIO if self is Kind.RECORDING else MAX_SIZE


class Item(NamedTuple):
    """Where an item's bytes stand in the file, and what their SHA-256 is said to be."""

    kind: Kind
    offset: int
    size: int
    sha256: bytes


def index(read: Callable[[int, int], bytes], size: int) -> list[Item]:
    """Return the items of a bundle of `size` bytes; `read` gives so many bytes at an offset, fewer at the end.

    Raises BundleError, without having read any item's bytes.
    """
    if size > MOST:
        raise BundleError(f"it has {size} bytes, a bundle at most {MOST}")
    head = read(0, HEADER.size)
    if len(head) != HEADER.size or not head.startswith(MAGIC):
        raise BundleError("it is no bundle: make one with `wardhub bundle create`")
    _, version, count, total = HEADER.unpack(head)
    if version != VERSION:
        raise BundleError(f"it is a bundle of version {version}, this program reads {VERSION}: make it anew, or update")
    if total != size:
        raise BundleError(f"it has {size} bytes and says {total}: it was cut off or damaged; copy it again")
    if not 1 <= count <= MOST_ITEMS:
        raise BundleError(f"it says that it holds {count} items; a bundle holds 1 to {MOST_ITEMS}")
    items: list[Item] = []
    at = HEADER.size
    for number in range(1, count + 1):
        item = _item(read(at, HEAD.size), number, at + HEAD.size, size)
        if items and item.kind < items[-1].kind:
            raise BundleError(f"item {number} is a {item.kind.name.lower()} behind a {items[-1].kind.name.lower()}")
        items.append(item)
        at = item.offset + item.size
    if at != size:
        raise BundleError(f"{size - at} bytes stand behind the last item")
    return items


def joined(parts: Iterable[tuple[Kind, bytes]]) -> bytes:
    """Return the bundle of these parts, in the order of their kinds; raises BundleError where they are too much."""
    ordered = sorted(parts, key=lambda part: part[0])
    for kind, data in ordered:
        if not 1 <= len(data) <= kind.limit:
            raise BundleError(f"a {kind.name.lower()} has 1 to {kind.limit} bytes, not {len(data)}")
    total = HEADER.size + sum(HEAD.size + len(data) for _, data in ordered)
    if total > MOST or not 1 <= len(ordered) <= MOST_ITEMS:
        raise BundleError(f"{len(ordered)} items of {total} bytes: a bundle has 1 to {MOST_ITEMS}, and {MOST} bytes")
    heads = (HEAD.pack(kind, bytes(3), len(data), hashlib.sha256(data).digest()) + data for kind, data in ordered)
    return HEADER.pack(MAGIC, VERSION, len(ordered), total) + b"".join(heads)


def _item(head: bytes, number: int, offset: int, end: int) -> Item:
    if len(head) != HEAD.size:
        raise BundleError(f"item {number} is cut off")
    code, zeros, size, sha256 = HEAD.unpack(head)
    if code not in set(Kind) or zeros != bytes(3):
        raise BundleError(f"item {number} is of a kind that this program does not know")
    kind = Kind(code)
    if not 1 <= size <= kind.limit:
        raise BundleError(f"item {number}: a {kind.name.lower()} has 1 to {kind.limit} bytes, not {size}")
    if offset + size > end:
        raise BundleError(f"item {number} says that it has {size} bytes, and {max(0, end - offset)} are there")
    return Item(kind, offset, size, sha256)
