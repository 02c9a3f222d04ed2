"""Attacks by people who hold one true key, and by time: quotas, one officer's word, keys that were lost or that end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.fault.attacks.range import AREA, PROVINCE, SHORT, WARD, Range, Run, ranged

from ward_protocol import cbor
from ward_protocol.envelope import Envelope, seal, sign
from ward_protocol.keys import Algorithm, Signer, kid_of
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import (
    Action,
    Audience,
    Authority,
    Cancel,
    Event,
    Grants,
    Order,
    Priority,
    Quota,
    Role,
    RoleKeys,
    Root,
    StatementType,
)

CLUB = "club"
DAY_S = 86_400
NEUTRAL = b"\1" + bytes(31)  # of Ed25519's curve; as a key it fits a signature that anyone can write (RFC 8032 §5.1.7)


class Anyone:
    """Signs what it likes in the name of the neutral point, and has no secret: R is that point, s is 0."""

    public: Any = SimpleNamespace(kid=kid_of(NEUTRAL), algorithm=Algorithm.EDDSA)

    def sign(self, message: bytes) -> bytes:
        assert message
        return NEUTRAL + bytes(32)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as both:
        yield both


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Range, Run]]:
    """A range of one test, which cuts the power."""
    with ranged(tmp_path) as both:
        yield both


def granted(at: Range, name: str) -> Authority:
    """What an authority is granted by the newest grants."""
    found = at.stage.source.grants.statement().authority(name)
    assert found is not None
    return found


async def grant(at: Range, *changed: Authority) -> None:
    """Publish the next grants, in which these authorities are as given; nobody touches the hub."""
    source = at.stage.source
    before = source.grants.statement()
    names = {one.id for one in changed}
    kept = tuple(one for one in before.authorities if one.id not in names)
    new = replace(before, version=before.version + 1, root_version=source.root.newest, authorities=(*kept, *changed))
    await in_force(at, sign(new, [at.stage.offices._grant]), Grants)


async def in_force(at: Range, document: bytes, kind: type[Root | Grants]) -> None:
    at.stage.source.publish_document(document, kind)
    digest = Envelope.open(document).digest
    await at.until(lambda: at.receipts(digest), "the hub says that it has taken it")


async def ends(at: Range, data: bytes, event: Event) -> None:
    digest = Envelope.open(data).digest
    await at.until(lambda: any(one.event is event for one in at.receipts(digest)), f"it ends as {event.name}")


# One key, and what it may


def test_more_than_its_quota(alone: tuple[Range, Run]) -> None:
    """Two bulletins a day, each twice: a third is refused, also by a hub that began anew, and so is one thrice over."""
    at, run = alone

    async def play() -> None:
        key = Signer.generate()
        club = replace(granted(at, WARD), id=CLUB, keys={key.kid: key.public.raw}, quota=Quota(bulletins=2, repeats=2))
        at.stage.offices._authors[CLUB] = key
        await grant(at, club)
        for _ in range(2):
            await ends(at, at.publish(at.bulletin(CLUB, texts=SHORT)), Event.AIRED)
        async with at.attack() as before:
            at.publish(at.bulletin(CLUB, repeats=3))
            await at.refused(Reason.QUOTA_EXCEEDED, before)
            at.publish(at.bulletin(CLUB))
            await at.refused(Reason.QUOTA_EXCEEDED, before, 2)
        await at.power_cut()
        async with at.attack() as before:
            at.publish(at.bulletin(CLUB))
            await at.refused(Reason.QUOTA_EXCEEDED, before)

    run(play())


def test_a_key_for_which_anyone_can_sign(site: tuple[Range, Run]) -> None:
    """Who hands in such a key can say of all that is aired in their name that it was somebody else, and it may be."""
    at, run = site

    async def play() -> None:
        source = at.stage.source
        grants = source.grants.statement()
        listed = replace(granted(at, WARD), id=CLUB)
        plain = to_map(replace(grants, version=grants.version + 1, authorities=(*grants.authorities, listed)))
        plain[5][-1][2] = {kid_of(NEUTRAL): NEUTRAL}
        data = seal(StatementType.GRANTS, cbor.encode(plain), [at.stage.offices._grant])
        async with at.attack() as before:
            with at.serving(grants=(grants.version + 1, data)):
                await at.refused(Reason.MALFORMED_STATEMENT, before)
                at.serve(seal(StatementType.BULLETIN, cbor.encode(to_map(at.bulletin(CLUB))), [Anyone()]), CLUB)
                await at.refused(Reason.UNKNOWN_KEY, before)

    run(play())


def test_one_officer_says_that_there_is_no_danger(site: tuple[Range, Run]) -> None:
    """To call an emergency false, aloud, takes as many as to call it: one stolen key keeps nobody in bed."""
    at, run = site

    async def play() -> None:
        words = at.bulletin(PROVINCE, priority=Priority.EMERGENCY, texts=SHORT)
        data = at.publish(words, [*at.by(PROVINCE), *at.stage.offices._quorum[:2]])
        await ends(at, data, Event.AIRED)
        async with at.attack() as before:
            now, target = int(time.time()), Envelope.open(data).digest
            at.publish(Cancel(PROVINCE, at.next(PROVINCE), now, now + 600, Audience((AREA,)), target, announce=True))
            await at.refused(Reason.THRESHOLD_NOT_MET, before)

    run(play())


def test_one_officer_silences_an_emergency(site: tuple[Range, Run]) -> None:
    """An order that reaches emergencies takes the quorum; without it, the next one would not be heard."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            now = int(time.time())
            for action in (Action.SILENCE, Action.BLANK, Action.STOP):
                order = Order(
                    PROVINCE, at.next(PROVINCE), now, now + 600, Audience((AREA,)), Priority.EMERGENCY, action
                )
                at.serve(sign(order, at.by(PROVINCE)), PROVINCE)
            await at.refused(Reason.THRESHOLD_NOT_MET, before, 3)

    run(play())


# Keys that end


def test_a_stolen_authors_key_after_it_was_replaced(site: tuple[Range, Run]) -> None:
    """By grants alone, with overlap: both keys air for a while, then the old one is nobody's. No hub is touched."""
    at, run = site

    async def play() -> None:
        old, new, pid = at.stage.offices.author(WARD), Signer.generate(), at.stage.hub.pid
        both = {one.kid: one.public.raw for one in (old, new)}
        await grant(at, replace(granted(at, WARD), keys=both))
        for signer in (old, new):
            await ends(at, at.publish(at.bulletin(texts=SHORT), [signer]), Event.AIRED)
        at.stage.offices._authors[WARD] = new
        await grant(at, replace(granted(at, WARD), keys={new.kid: new.public.raw}))
        async with at.attack() as before:
            at.serve(sign(at.bulletin(), [old]))
            await at.refused(Reason.UNKNOWN_KEY, before)
        assert at.stage.hub.pid == pid

    run(play())


def test_stolen_grant_and_beat_keys_after_the_next_root(site: tuple[Range, Run]) -> None:
    """IPAWS 2019: every receiver had to be touched by hand. Here the next root comes as everything comes."""
    at, run = site

    async def play() -> None:
        offices, source, pid = at.stage.offices, at.stage.source, at.stage.hub.pid
        config = at.stage.hub.config.read_bytes()
        old_grant, old_beat, grant_key, beat_key = offices._grant, offices._beat, Signer.generate(), Signer.generate()
        root = source.root.statement()

        def next_root(version: int, beats: list[Signer]) -> bytes:
            holders = [*offices._roots, grant_key, *beats, *offices._quorum]
            roles = {
                **root.roles,
                Role.GRANT: RoleKeys(1, (grant_key.kid,)),
                Role.BEAT: RoleKeys(1, tuple(one.kid for one in beats)),
            }
            keys = {one.kid: one.public.raw for one in holders}
            return sign(replace(root, version=version, keys=keys, roles=roles), offices._roots[:2])

        # With overlap: beats of either key count while the source changes over.
        await in_force(at, next_root(2, [old_beat, beat_key]), Root)
        await ends(at, at.publish(at.bulletin(texts=SHORT)), Event.AIRED)  # what was granted stays granted
        offices._grant, offices._beat = grant_key, beat_key
        await grant(at)
        await in_force(at, next_root(3, [beat_key]), Root)
        await grant(at)
        async with at.attack() as before:
            stolen = replace(source.grants.statement(), version=9, authorities=())
            with at.serving(grants=(9, sign(stolen, [old_grant]))):
                await at.refused(Reason.UNKNOWN_KEY, before)
            with at.serving(beat=lambda beat: sign(replace(beat, heads={WARD: 9999}), [old_beat])):
                await at.refused(Reason.UNKNOWN_KEY, before, 2)
        assert at.stage.hub.pid == pid
        assert at.stage.hub.config.read_bytes() == config

    run(play())


def test_what_ends_is_told_weeks_before_and_then_may_nothing(alone: tuple[Range, Run]) -> None:
    """Nobody is surprised, and the hub goes on: it is an authority that ends, and nothing is bricked by it."""
    at, run = alone

    async def play() -> None:
        key, soon = Signer.generate(), int(time.time()) + 2
        fair = replace(granted(at, WARD), id="fair", keys={key.kid: key.public.raw}, not_after=soon)
        at.stage.offices._authors["fair"] = key
        await grant(at, fair, replace(granted(at, WARD), not_after=soon + 20 * DAY_S))
        async with at.attack() as before:
            await at.until(lambda: time.time() > soon, "its time has come")
            at.publish(at.bulletin("fair"))
            await at.refused(Reason.AUTHORITY_EXPIRED, before)
        await at.power_cut()
        for told in ("authority ward ends in 20 days", "authority fair ended on"):
            await at.until(lambda told=told: told in at.stage.hub.tail(50), f"the log says: {told}")  # type: ignore[misc]

    run(play())
