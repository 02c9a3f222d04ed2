"""Attacks on live streams: on their port, their key, their order. Audio endpoints were re-pointed (2025)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fault.attacks.microphone import ZONE, OnAir, locked, ordered, start, stop, tone_of
from tests.fault.attacks.range import HUB, PROVINCE, WARD, Range, Run, ranged
from tests.sim.hw.streams import BAD_HZ, GOOD_HZ, free_port, is_open, opus, send
from tests.srtp_peer import MASTER, OTHER_MASTER, SSRC, Peer
from tests.statements import STRANGER

from ward_protocol import cbor
from ward_protocol.envelope import Envelope, seal, sign
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import Cancel, Event, Receipt, StatementType
from ward_sim.world import now_ms


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as both:
        yield both


def told(at: Range, one: OnAir) -> str:
    """What the audit trail says of a stream's end."""
    return next(str(line.detail["detail"]) for line in reversed(at.trail()) if "stream ended by" in str(line.detail))


def packets(seconds: int, hertz: int, master: bytes = MASTER, **changes: int) -> list[bytes]:
    return Peer(master).many(opus(1.0, hertz) * seconds, **changes)


# The port


def test_a_stream_that_nobody_ordered_is_not_heard(site: tuple[Range, Run]) -> None:
    """There is no port to send to, so there is nothing that the hub could see, or write down."""
    at, run = site
    port = free_port()

    async def play() -> None:
        async with at.attack(audited=False):
            await send(packets(2, BAD_HZ), port)
            assert not is_open(port)

    run(play())


def attacked(site: tuple[Range, Run], others: Callable[[list[bytes]], list[list[bytes]]]) -> tuple[OnAir, Receipt, str]:
    """Order a stream, send it with an attacker's packets among its own; return how it ended, and the trail's words."""
    at, run = site
    found: list[tuple[OnAir, Receipt, str]] = []

    async def play() -> None:
        async with at.attack(moved=True):
            one = ordered(at, start(at))
            await one.opens()
            genuine = packets(4, GOOD_HZ)
            await send([[packet, *more] for packet, more in zip(genuine, others(genuine), strict=True)], one.port)
            found.append((one, await one.ends(), told(at, one)))
            assert at.stage.world.witness.heard_ms("zone-2", one.begun_ms, now_ms()) == 0

    run(play())
    return found[0]


def test_packets_under_another_key_change_nothing_of_what_is_heard(site: tuple[Range, Run]) -> None:
    one, ending, words = attacked(site, lambda genuine: [[bad] for bad in packets(4, BAD_HZ, OTHER_MASTER, first=9000)])
    assert (ending.event, ending.reason) == (Event.AIRED, None)
    assert tone_of(one.heard(), GOOD_HZ) > 2
    assert tone_of(one.heard(), BAD_HZ) == 0
    assert "forged" in words
    assert words == ending.detail


def test_packets_of_another_source_change_nothing_either(site: tuple[Range, Run]) -> None:
    """Even under the right key, which a hub that was taken over has: the first authentic source is the only one."""
    one, ending, words = attacked(site, lambda genuine: [[], *([bad] for bad in packets(4, BAD_HZ, ssrc=SSRC + 1)[1:])])
    assert ending.event is Event.AIRED
    assert tone_of(one.heard(), GOOD_HZ) > 2
    assert tone_of(one.heard(), BAD_HZ) == 0
    assert "other" in words


def test_packets_that_come_again_are_heard_once(site: tuple[Range, Run]) -> None:
    _, ending, words = attacked(site, lambda genuine: [[packet] * 2 for packet in genuine])
    assert ending.event is Event.AIRED
    assert ending.evidence is not None
    assert ending.evidence.played_ms < 6500  # the chime, and four seconds once
    assert "replayed" in words


def test_a_recorded_stream_is_not_heard_again_under_the_next_order(site: tuple[Range, Run]) -> None:
    """Dallas 2017. The next stream has another key, so nothing of the recording is authentic: only the chime sounds."""
    at, run = site

    async def play() -> None:
        recording = packets(4, BAD_HZ)
        first = ordered(at, start(at))
        await first.opens()
        await send(recording, first.port)
        await first.ends()
        assert tone_of(first.heard(), BAD_HZ) > 2
        async with at.attack(moved=True):
            second = ordered(at, start(at, master=OTHER_MASTER))
            await second.opens()
            await send(recording, second.port)
            ending = await second.ends()
            assert (ending.event, ending.reason) == (Event.PARTLY, Reason.STREAM_LOST)
            assert "refused: 200 forged" in told(at, second)
            assert tone_of(second.heard(), BAD_HZ) == 0

    run(play())


def test_what_was_heard_before_a_power_cut_is_not_heard_after_it(tmp_path: Path) -> None:
    with ranged(tmp_path) as (at, run):
        run(_power_cut(at))


async def _power_cut(at: Range) -> None:
    recording = packets(4, BAD_HZ)
    one = ordered(at, start(at))
    await one.opens()
    await send(recording, one.port)
    await at.stage.hub.kill()
    assert one.ending() is None
    await at.until(at.all_quiet, "relays open by their lease")
    begun = now_ms()
    await at.stage.hub.start()
    await send(recording, one.port)
    ending = await one.ends()
    assert (ending.event, ending.reason) == (Event.PARTLY, Reason.INTERRUPTED)
    assert not at.stage.world.witness.anything_moved(begun, now_ms())
    assert any(line.detail.get("reason") == "interrupted" for line in at.trail())
    await at.next_good_bulletin_airs()


async def by_order(at: Range, one: OnAir) -> None:
    at.publish(stop(at))


async def by_cancel(at: Range, one: OnAir) -> None:
    now = int(time.time())
    at.publish(Cancel(WARD, at.next(), now, now + 60, one.order.audience, one.digest))


async def at_the_hub(at: Range, one: OnAir) -> None:
    assert one.digest.hex() in await at.command("stop")


async def by_silence(at: Range, one: OnAir) -> None:
    """It waits then, and its time passes."""
    await at.command("silence")
    await at.until(at.all_quiet, "it is silent", 5)


async def by_nobody(at: Range, one: OnAir) -> None:
    """By its time."""


@pytest.mark.parametrize(
    ("end", "max_s", "event", "reason"),
    [
        (by_nobody, 6, Event.AIRED, None),
        (by_order, 60, Event.PARTLY, Reason.STOPPED),
        (by_cancel, 60, Event.CANCELLED, Reason.CANCELLED),
        (at_the_hub, 60, Event.PARTLY, Reason.STOPPED),
        (by_silence, 9, Event.PARTLY, Reason.INTERRUPTED),
    ],
)
def test_it_ends_though_its_sender_goes_on(
    site: tuple[Range, Run],
    end: Callable[[Range, OnAir], Awaitable[None]],
    max_s: int,
    event: Event,
    reason: Reason | None,
) -> None:
    """Receivers stayed locked for want of an end mark (2014): an end here needs nothing of who speaks."""
    at, run = site

    async def play() -> None:
        endless = packets(60, GOOD_HZ)
        one = ordered(at, start(at, said={"max_s": max_s}))
        await one.opens()
        sending = asyncio.create_task(send(endless, one.port))
        await at.until(lambda: one.heard_ms() > 1500, "it is heard")
        await end(at, one)
        ending = await one.ends()
        assert not sending.done()
        sending.cancel()
        assert (ending.event, ending.reason) == (event, reason)
        await at.command("resume")
        await at.next_good_bulletin_airs()

    run(play())


# The key


def test_whoever_reads_the_order_cannot_speak(site: tuple[Range, Run]) -> None:
    """It lies open at the source: the key is not in it, and nothing that is in it is a key."""
    at, run = site

    async def play() -> None:
        async with at.attack(moved=True):
            order = start(at)
            assert order.stream is not None
            data, box = sign(order, at.by()), order.stream.keys[HUB]
            assert MASTER not in data
            assert MASTER[:16] not in data
            one = ordered(at, order)
            await one.opens()
            guesses = [Peer(box[begin : begin + 30]).many(opus(0.2, BAD_HZ)) for begin in range(0, 48, 4)]
            await send([packet for guess in guesses for packet in guess], one.port)
            ending = await one.ends()
            assert ending.reason is Reason.STREAM_LOST
            assert "forged" in told(at, one)
            assert tone_of(one.heard(), BAD_HZ) == 0

    run(play())


def refuses(site: tuple[Range, Run], make: Callable[[Range], bytes], reason: Reason, issuer: str = WARD) -> None:
    """What is served in the issuer's next place is refused for that reason, and no port is opened."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            at.serve(make(at), issuer)
            await at.refused(reason, before)

    run(play())


def test_a_key_in_the_clear_is_not_taken(site: tuple[Range, Run]) -> None:
    def clear(at: Range) -> bytes:
        fields = to_map(start(at))
        fields[13] = {**fields[13], 3: {HUB: MASTER}}
        return seal(StatementType.ORDER, cbor.encode(fields), at.by())

    refuses(site, clear, Reason.MALFORMED_STATEMENT)


def test_a_key_that_is_locked_for_another_hub_plays_nothing(site: tuple[Range, Run]) -> None:
    def other(at: Range) -> bytes:
        keys = {"hub-xx-yyyyy": locked(at, at.next())[HUB]}
        return sign(start(at, said={"keys": keys}), at.by())

    refuses(site, other, Reason.STREAM_KEY_MISSING)


def test_a_key_that_is_copied_into_an_order_of_another_authority_plays_nothing(site: tuple[Range, Run]) -> None:
    def copied(at: Range) -> bytes:
        keys = locked(at, at.next(PROVINCE), issuer=WARD)
        return sign(start(at, PROVINCE, said={"keys": keys}), at.by(PROVINCE))

    refuses(site, copied, Reason.STREAM_KEY_MISSING, PROVINCE)


# The order


def test_an_order_by_keys_that_nobody_granted(site: tuple[Range, Run]) -> None:
    refuses(site, lambda at: sign(start(at), [STRANGER]), Reason.UNKNOWN_KEY)


@pytest.mark.parametrize("field", [b"\x01\x19\x13\x8c", b"\x09\x6b239.192.7.7"])
def test_a_port_or_a_group_that_was_changed_on_the_way(site: tuple[Range, Run], field: bytes) -> None:
    """Port 5004, key 1; the group, key 9: in the signed bytes, so another is a bad signature."""

    def changed(at: Range) -> bytes:
        data = sign(start(at, said={"port": 5004, "address": "239.192.7.7"}), at.by())
        assert data.count(field) == 1
        return data.replace(field, field[:-1] + bytes([field[-1] ^ 1]))

    refuses(site, changed, Reason.BAD_SIGNATURE)


def test_an_order_that_comes_again(site: tuple[Range, Run]) -> None:
    at, run = site

    async def play() -> None:
        order = start(at)
        data = at.publish(order)
        one = OnAir(at, order, Envelope.open(data).digest)
        await one.opens()
        at.publish(stop(at))
        await one.ends()
        async with at.attack() as before:
            at.serve(data)
            await at.refused(Reason.REPLAYED, before)
            assert not is_open(one.port)
        assert at.stage.world.witness.heard_ms(ZONE, one.begun_ms, now_ms()) < 5000

    run(play())


def test_an_order_that_came_too_late(site: tuple[Range, Run]) -> None:
    def late(at: Range) -> bytes:
        past = int(time.time()) - 1
        return sign(replace(start(at), issued=past - 60, expires=past), at.by())

    refuses(site, late, Reason.EXPIRED)
