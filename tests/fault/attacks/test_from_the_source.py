"""Attacks by whoever holds the source, or the way from it: forged, cut, changed, replayed, re-targeted, downgraded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from tests.fault.attacks.range import AREA, PROVINCE, Range, Run, ranged
from tests.statements import STRANGER

from ward_protocol import cbor
from ward_protocol.envelope import Envelope, seal, sign
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import (
    Action,
    Audience,
    Beat,
    Cancel,
    Event,
    Grants,
    Order,
    Priority,
    Root,
    StatementType,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as both:
        yield both


def refuses(site: tuple[Range, Run], make: Callable[[Range], bytes], reason: Reason) -> None:
    """What a hijacked source serves in the ward's next place is refused for that reason."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            at.serve(make(at))
            await at.refused(reason, before)

    run(play())


def test_forged_by_keys_that_nobody_granted(site: tuple[Range, Run]) -> None:
    refuses(site, lambda at: sign(at.bulletin(priority=Priority.EMERGENCY), [STRANGER]), Reason.UNKNOWN_KEY)


def test_cut_off_in_the_middle(site: tuple[Range, Run]) -> None:
    refuses(site, lambda at: sign(at.bulletin(), at.by())[:-7], Reason.MALFORMED_CBOR)


def test_one_letter_changed(site: tuple[Range, Run]) -> None:
    refuses(site, lambda at: sign(at.bulletin(), at.by()).replace(b"ba.", b"BA."), Reason.BAD_SIGNATURE)


def test_sent_to_others_than_its_author_meant(site: tuple[Range, Run]) -> None:
    """The audience is signed: a bulletin for another ward's hub, with this one's name put into it."""
    other = Audience((AREA,), ("hub-xx-yyyyy",), ("none",), ("board-1",))
    refuses(
        site,
        lambda at: sign(at.bulletin(audience=other), at.by()).replace(b"hub-xx-yyyyy", b"hub-an-thinh"),
        Reason.BAD_SIGNATURE,
    )


def test_what_was_meant_for_another_hub(site: tuple[Range, Run]) -> None:
    other = Audience((AREA,), ("hub-xx-yyyyy",), ("none",), ("board-1",))
    refuses(site, lambda at: sign(at.bulletin(audience=other), at.by()), Reason.NOT_FOR_THIS_HUB)


def test_beyond_the_area_of_its_grant(site: tuple[Range, Run]) -> None:
    refuses(site, lambda at: sign(at.bulletin(audience=Audience(("vn",))), at.by()), Reason.AREA_NOT_GRANTED)


def test_a_higher_priority_than_granted(site: tuple[Range, Run]) -> None:
    """One officer and two of the quorum: from inside the ward that is one person too few."""
    refuses(
        site,
        lambda at: sign(at.bulletin(priority=Priority.EMERGENCY), [*at.by(), *at.stage.offices._quorum[:2]]),
        Reason.THRESHOLD_NOT_MET,
    )


def test_an_emergency_by_its_author_alone(site: tuple[Range, Run]) -> None:
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            urgent = at.bulletin(PROVINCE, priority=Priority.EMERGENCY)
            at.serve(sign(urgent, at.by(PROVINCE)), PROVINCE)
            await at.refused(Reason.THRESHOLD_NOT_MET, before)

    run(play())


def test_out_of_date(site: tuple[Range, Run]) -> None:
    past = int(time.time()) - 1
    refuses(site, lambda at: sign(at.bulletin(not_before=past - 9, expires=past), at.by()), Reason.EXPIRED)


def test_a_siren_eleven_times_over(site: tuple[Range, Run]) -> None:
    """Dallas 2017: repeats are capped by the form of a bulletin, before any grant is asked."""

    def eleven(at: Range) -> bytes:
        fields = to_map(at.bulletin(repeats=10))
        return seal(StatementType.BULLETIN, cbor.encode({**fields, 12: 11}), at.by())

    refuses(site, eleven, Reason.MALFORMED_STATEMENT)


@pytest.mark.parametrize("action", [Action.STOP, Action.SILENCE, Action.BLANK, Action.PURGE])
def test_forged_orders(site: tuple[Range, Run], action: Action) -> None:
    def forged(at: Range) -> bytes:
        return sign(order(at, action), [STRANGER])

    refuses(site, forged, Reason.UNKNOWN_KEY)


def test_an_order_to_point_the_hub_at_another_source(site: tuple[Range, Run]) -> None:
    """Audio endpoints re-pointed (2025): addresses come in signed orders of who may change settings, only."""

    def other(at: Range) -> bytes:
        return sign(order(at, Action.CONFIGURATION, settings={"source.uri": "coap://192.0.2.1"}), at.by())

    refuses(site, other, Reason.KIND_NOT_GRANTED)


def order(at: Range, action: Action, **changes: object) -> Order:
    now = int(time.time())
    return Order("ward", at.next(), now, now + 600, Audience((AREA,)), Priority.PRIORITY, action, **changes)  # type: ignore[arg-type]


def test_replayed_in_its_own_place_and_in_another(site: tuple[Range, Run]) -> None:
    """Dallas 2017: a recorded command. The source offers the same again, under its number and under the next."""
    at, run = site

    async def play() -> None:
        data = at.publish(at.bulletin())
        digest = Envelope.open(data).digest
        await at.until(lambda: any(one.event is Event.AIRED for one in at.receipts(digest)), "it airs once")
        async with at.attack() as before:
            at.serve(data)
            await at.refused(Reason.REPLAYED, before)
        assert [one.event for one in at.receipts(digest)].count(Event.AIRED) == 1

    run(play())


def test_a_cancel_that_comes_before_its_target(site: tuple[Range, Run]) -> None:
    """Whoever delays one of two datagrams must not make the hub air what its author has taken back."""
    at, run = site

    async def play() -> None:
        async with at.attack():
            now = int(time.time())
            target = at.bulletin(sequence=at.next() + 1)
            data = sign(target, at.by())
            taken_back = Cancel("ward", at.next(), now, now + 600, Audience((AREA,)), Envelope.open(data).digest)
            at.publish(taken_back)
            await at.until(
                lambda: at.receipts(Envelope.open(sign(taken_back, at.by())).digest), "the cancel is accepted"
            )
            at.publish(target)
            digest = Envelope.open(data).digest
            await at.until(
                lambda: any(one.event is Event.CANCELLED for one in at.receipts(digest)), "it ends cancelled"
            )

    run(play())


# Trust documents


def test_grants_of_before_and_of_nobody(site: tuple[Range, Run]) -> None:
    """A source that names grants by a version that no hub has, and serves old ones, or its own."""
    at, run = site

    async def play() -> None:
        grants = Envelope.open(at.stage.offices.grants()).statement
        assert isinstance(grants, Grants)
        pirate = replace(grants.authorities[0], id="pirate", keys={STRANGER.kid: STRANGER.public.raw})
        own = sign(replace(grants, version=2, authorities=(pirate,)), [STRANGER])
        async with at.attack() as before:
            with at.serving(grants=(2, own)):
                await at.refused(Reason.UNKNOWN_KEY, before)
            with at.serving(grants=(2, at.stage.offices.grants())):
                await at.refused(Reason.VERSION_ROLLBACK, before)

    run(play())


def test_a_root_that_the_officers_did_not_sign(site: tuple[Range, Run]) -> None:
    at, run = site

    async def play() -> None:
        root = Envelope.open(at.stage.offices.root()).statement
        assert isinstance(root, Root)
        keys = {**root.keys, STRANGER.kid: STRANGER.public.raw}
        roles = {role: replace(one, threshold=1, kids=(STRANGER.kid,)) for role, one in root.roles.items()}
        own = sign(replace(root, version=2, keys=keys, roles=roles), [STRANGER])
        async with at.attack() as before:
            with at.serving(root=(2, own)):
                await at.refused(Reason.UNKNOWN_KEY, before)

    run(play())


def test_a_beat_of_another_key(site: tuple[Range, Run]) -> None:
    at, run = site

    def forged(beat: Beat) -> bytes:
        return sign(replace(beat, heads={"ward": 9999}), [STRANGER])

    async def play() -> None:
        async with at.attack() as before:
            with at.serving(beat=forged):
                await at.refused(Reason.UNKNOWN_KEY, before)

    run(play())


def test_heads_that_leap(site: tuple[Range, Run]) -> None:
    """With the on-line key a source may name any number of statements that are not there: the hub asks, and forgets."""
    at, run = site
    heads = iter(range(1000, 10**9, 1000))

    def leaping(beat: Beat) -> bytes:
        return at.stage.offices.sign_beat(
            replace(beat, heads={**beat.heads, "ward": next(heads), "nobody": next(heads)})
        )

    async def play() -> None:
        async with at.attack(audited=False):  # there is nothing to decide about
            asked = at.stage.link.upward.traffic.datagrams
            with at.serving(beat=leaping):
                for _ in range(150):
                    at.stage.source._changed.set()
                    await asyncio.sleep(0.02)
            assert at.stage.link.upward.traffic.datagrams > asked + 200

    run(play())
