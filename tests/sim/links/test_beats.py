"""The beat keeps coming: over loss and delay, through outages, restarts, new addresses, and a link that pushes not."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from tests.sim.links.rig import HANG_S, PERIOD_S, beat_with, bulletin, head, link_to, linked, reached, source

from ward_hub.links import LinkState, NotFound
from ward_sim.network import LossyLink


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.2])
async def test_a_change_is_heard_over_loss(loss: float) -> None:
    async with linked(loss, delay_s=0.03) as (at, _network, link):
        for sequence in range(1, 6):
            at.publish(bulletin(sequence))
            await beat_with(link, head(sequence))


async def test_a_change_is_pushed_and_not_waited_for() -> None:
    async with (
        asyncio.timeout(HANG_S),
        source() as at,
        LossyLink(at.address, delay_s=0.01, loss=0, seed=1) as network,
    ):
        at.beat_period = 1000.0
        async with link_to(network.uri) as link:
            await beat_with(link, head(0))
            at.publish(bulletin(1))
            await beat_with(link, head(1))


async def test_state_and_beats_through_an_outage() -> None:
    async with linked() as (at, network, link):
        await beat_with(link, head(0))
        await reached(link, LinkState.OBSERVING)
        network.up = False
        at.publish(bulletin(1))
        await reached(link, LinkState.DOWN)
        network.up = True
        await beat_with(link, head(1))
        await reached(link, LinkState.OBSERVING)


async def test_a_source_that_restarts_is_observed_again() -> None:
    async with asyncio.timeout(HANG_S), AsyncExitStack() as stack:
        first = await stack.enter_async_context(source())
        network = LossyLink(first.address, delay_s=0.01, loss=0, seed=1)
        async with network, link_to(network.uri) as link:
            await beat_with(link, head(0))
            await stack.aclose()
            async with source(network.target[1]) as second:
                second.publish(bulletin(1))
                await beat_with(link, head(1))
                second.publish(bulletin(2))
                await beat_with(link, head(2))


async def test_a_port_with_nobody_behind_it_is_down_until_somebody_comes() -> None:
    async with asyncio.timeout(HANG_S):
        async with source() as gone:
            port = gone.address[1]
        async with link_to(f"coap://127.0.0.1:{port}") as link:
            await asyncio.sleep(PERIOD_S)
            assert link.state is LinkState.DOWN
            async with source(port) as at:
                at.publish(bulletin(1))
                await beat_with(link, head(1))


async def test_a_new_address_of_the_hub_is_registered_anew() -> None:
    async with linked() as (at, network, link):
        await beat_with(link, head(0))
        network.rebind()
        at.publish(bulletin(1))
        await beat_with(link, head(1))
        at.publish(bulletin(2))
        await beat_with(link, head(2))


async def test_a_source_that_moves_is_followed() -> None:
    async with linked() as (_at, network, link), source() as other:
        await beat_with(link, head(0))
        other.publish(bulletin(1))
        network.target = other.address
        await beat_with(link, head(1))


async def test_where_nothing_is_pushed_it_is_polled() -> None:
    async with linked() as (at, _network, link):
        at.observers.notify = lambda: None  # type: ignore[method-assign] # a NAT that forgets at once
        await beat_with(link, head(0))
        await reached(link, LinkState.POLLING)
        at.publish(bulletin(1))
        await beat_with(link, head(1))
        del at.observers.notify  # pushed again
        await reached(link, LinkState.OBSERVING)


async def test_registrations_do_not_pile_up_at_the_source() -> None:
    async with linked(0.2) as (at, network, link):
        for _ in range(4):
            network.up = False
            await asyncio.sleep(4 * PERIOD_S)
            network.up = True
            at.publish(bulletin(at.heads.get("ward", 0) + 1))
            await beat_with(link, head(at.heads["ward"]))
        assert len(at.observers) == 1


async def test_a_beat_for_a_nonce_holds_it() -> None:
    async with linked(0.1) as (_at, _network, link):
        nonce = b"\x01\x02\x03\x04\x05\x06\x07\x08"
        assert nonce in await link.nonce_beat(nonce, HANG_S)


async def test_a_reader_that_leaves_and_comes_back_leaves_nothing_behind() -> None:
    async with linked() as (at, _network, link):
        for sequence in range(1, 4):
            at.publish(bulletin(sequence))
            reading = asyncio.ensure_future(beat_with(link, lambda _beat: False))
            await asyncio.sleep(PERIOD_S)
            reading.cancel()
            await asyncio.wait([reading])
        at.publish(bulletin(4))
        await beat_with(link, head(4))


async def test_closing_in_every_state_is_quick_and_clean() -> None:
    async with asyncio.timeout(HANG_S), source() as at:
        async with link_to(at.uri):
            pass
        async with link_to(at.uri) as link:
            await beat_with(link, head(0))
        async with link_to("coap://127.0.0.1:9") as link:
            await asyncio.sleep(0.1)


async def test_what_a_body_raises_comes_out_as_it_is() -> None:
    async with asyncio.timeout(HANG_S), source() as at:
        with pytest.raises(NotFound):
            async with link_to(at.uri) as link:
                await link.fetch("nothing/here", deadline=HANG_S, max_size=100)
