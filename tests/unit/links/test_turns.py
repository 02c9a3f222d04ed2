"""Turns: urgent traffic holds bulk transfers, nested too; one bulk transfer at a time."""

from __future__ import annotations

import asyncio

from ward_hub.links.turns import Turns


async def test_free_only_when_the_last_urgent_has_gone() -> None:
    turns = Turns()
    with turns.urgent():
        with turns.urgent():
            assert not turns.free
        assert not turns.free
        waiting = asyncio.ensure_future(turns.wait_free())
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    assert turns.free


async def test_an_urgent_one_that_fails_frees_the_link() -> None:
    turns = Turns()
    try:
        with turns.urgent():
            raise ValueError
    except ValueError:
        assert turns.free


async def test_one_bulk_transfer_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    async def bulk() -> None:
        nonlocal inside, most
        async with turns.bulk():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(bulk() for _ in range(5)))
    assert most == 1
