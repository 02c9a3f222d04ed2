"""A source, or somebody on the way, that sends anything at all: the link survives, and recovers when it ends."""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import suppress
from pathlib import Path

import pytest
from tests.sim.links.rig import HANG_S, beat_with, bulletin, head, link_to, source

from ward_hub.links import SourceError, endpoint
from ward_sim.network import LossyLink, Mangle

AUDIO = random.Random(5).randbytes(50_000)
SHA256 = hashlib.sha256(AUDIO).digest()
RNG = random.Random(11)
# A 2.05 answer's option that is no UTF-8 where text is meant: Location-Path (8) of one byte 0xff.
BAD_TEXT = bytes.fromhex("81ff")


def truncated(data: bytes) -> bytes:
    return data[: RNG.randrange(len(data) + 1)]


def garbled(data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(RNG.randint(1, 4)):
        changed[RNG.randrange(len(changed))] = RNG.randrange(256)
    return bytes(changed)


def oversized(data: bytes) -> bytes:
    return data + bytes(60_000)


def header_only(data: bytes) -> bytes:
    return data[:4]


def noise(data: bytes) -> bytes:
    return RNG.randbytes(RNG.randrange(1, 1400))


def noise_with_our_token(data: bytes) -> bytes:
    """Keep header and token, so that what follows reaches the parser of options and a waiting request."""
    return data[: 4 + (data[0] & 15)] + RNG.randbytes(RNG.randrange(60))


def bad_text(data: bytes) -> bytes:
    return data[: 4 + (data[0] & 15)] + BAD_TEXT


def reset(data: bytes) -> bytes:
    return bytes([0x70, 0, *data[2:4]])


def code_of(code: int) -> Mangle:
    return lambda data: bytes([data[0], code, *data[2:]])


def new_numbers(data: bytes) -> bytes:
    """Put an option and a Content-Format that were never seen before into a message: aiocoap keeps each for good."""
    number = RNG.randrange(2**16)
    head = 4 + (data[0] & 15)
    content_format = b"\xc2" + RNG.randbytes(2)
    return data[:head] + content_format + b"\xe0" + (number or 1).to_bytes(2, "big")


MANGLES: list[Mangle] = [
    truncated, garbled, oversized, header_only, noise, noise_with_our_token, bad_text, reset,
    *(code_of(code) for code in (0x00, 0x01, 0x43, 0x5F, 0x80, 0x88, 0x8D, 0xA0, 0xA3, 0xE1, 0xFF)),
]  # fmt: skip


async def test_numbers_that_were_never_seen_before_do_not_stay() -> None:
    before = [len(numbers) for numbers in endpoint._NAMED]
    async with (
        asyncio.timeout(HANG_S),
        source() as at,
        LossyLink(at.address, delay_s=0, loss=0, seed=1, mangle_down=new_numbers) as network,
        link_to(network.uri) as link,
    ):
        for _ in range(3 * endpoint.NUMBERS_KEPT):
            with suppress(SourceError):
                await link.nonce_beat(b"12345678", 0.0)
        while link.line._endpoint is None or link.line._endpoint.sent < 3 * endpoint.NUMBERS_KEPT:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    kept = [len(numbers) - named for numbers, named in zip(endpoint._KEPT, before, strict=True)]
    assert 0 < max(kept) <= endpoint.NUMBERS_KEPT + 2


@pytest.mark.parametrize("mangle", MANGLES)
async def test_the_link_outlives_it_and_recovers(tmp_path: Path, mangle: Mangle) -> None:
    async with (
        asyncio.timeout(HANG_S),
        source() as at,
        LossyLink(at.address, delay_s=0.002, loss=0, seed=1, mangle_down=mangle) as network,
        link_to(network.uri) as link,
    ):
        at.put_media(AUDIO)
        at.publish(bulletin(1))
        calls = [
            link.fetch("feed/ward/1", deadline=0.4, max_size=65_536),
            link.fetch("root/1", deadline=0.4, max_size=65_536),
            link.post_receipt(bulletin(1), deadline=0.4),
            link.nonce_beat(b"12345678", 0.4),
        ]
        for found in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(found, SourceError | bytes), found
        with suppress(SourceError):  # some leave enough whole
            await link.fetch_media(SHA256, len(AUDIO), tmp_path / "a", deadline=0.6)
        network.downward.mangle = None
        at.publish(bulletin(2))
        await beat_with(link, head(2))
        assert await link.fetch("feed/ward/2", deadline=HANG_S, max_size=65_536) == bulletin(2)
        await link.fetch_media(SHA256, len(AUDIO), tmp_path / "a", deadline=HANG_S)
    assert (tmp_path / "a").read_bytes() == AUDIO
