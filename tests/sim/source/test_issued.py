"""What a careful source takes from publishers: bulletins, cancels and orders that a hub could take, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.intakes import QUORUM, WITH_QUORUM
from tests.sim.links.rig import HANG_S, linked
from tests.statements import (
    AREA,
    AUTHORITY,
    BULLETIN,
    CANCEL,
    GRANT_KEY,
    GRANTS,
    MINIMAL,
    ORDER,
    ROOT_KEY,
    SIGNER,
    signer,
)

from ward_hub.links.publish import publish
from ward_protocol.envelope import sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Action, Audience, Authority, Event, Grants, Issued, Kind, Priority, Root
from ward_sim.source import RefusedStatement
from ward_sim.source.feed import Documents, Feed
from ward_sim.stage import EVENTS

SECOND = signer(70)
TWO = replace(AUTHORITY, keys={one.kid: one.public.raw for one in (SIGNER, SECOND)})


def feed(authority: Authority = AUTHORITY, *, unchecked: bool = False) -> Feed:
    grants = sign(replace(GRANTS, authorities=(authority,)), [GRANT_KEY])
    roots = Documents([sign(WITH_QUORUM.root, [ROOT_KEY])], Root)
    return Feed(roots, Documents([grants], Grants), unchecked=unchecked)


def first(statement: Issued, **other: object) -> Issued:
    return replace(statement, sequence=1, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize("statement", [MINIMAL, CANCEL, ORDER, replace(ORDER, action=Action.SILENCE, targets=())])
def test_each_kind_takes_the_next_place(statement: Issued) -> None:
    at = feed()
    data = sign(first(statement), [SIGNER])
    assert at.publish(data) == (first(statement), True)
    assert at.publish(data) == (first(statement), False)
    assert (at.get("ward", 1), at.heads) == (data, {"ward": 1})


@pytest.mark.parametrize("urgent", [BULLETIN, replace(ORDER, priority=Priority.EMERGENCY)])
@pytest.mark.parametrize(
    ("signers", "words"),
    [
        ([SIGNER, SECOND, *QUORUM[:2]], ""),
        ([SIGNER, SECOND], "signed by 0 of the quorum's keys, 2 are needed"),
        ([SIGNER, SECOND, QUORUM[0]], "signed by 1 of the quorum's keys, 2 are needed"),
        ([SIGNER, *QUORUM], "signed by 1 of ward's keys, 2 are needed"),
    ],
)
def test_an_emergency_is_signed_by_the_quorum_as_well(urgent: Issued, signers: Sequence[Signer], words: str) -> None:
    at = feed(replace(TWO, emergency_threshold=2))
    data = sign(first(urgent), signers)
    if not words:
        assert at.publish(data)[1]
        return
    with pytest.raises(RefusedStatement, match=words):
        at.publish(data)
    assert at.heads == {}


@pytest.mark.parametrize(
    ("words", "statement", "authority"),
    [
        ("ward may issue no order", ORDER, replace(AUTHORITY, kinds=(Kind.BULLETIN,))),
        ("ward may issue no configuration", replace(ORDER, action=Action.CLEAR, targets=()), AUTHORITY),
        ("ward may issue no cancel", CANCEL, replace(AUTHORITY, kinds=(Kind.ORDER,))),
        ("may issue up to normal", ORDER, replace(AUTHORITY, highest_priority=Priority.NORMAL)),
        (f"may issue for {AREA} only", replace(ORDER, audience=Audience(("vn",))), AUTHORITY),
        ("nobody is granted nothing here", replace(ORDER, issuer="nobody"), AUTHORITY),
        ("signed by 1 of ward's keys, 2 are needed", ORDER, replace(TWO, threshold=2)),
    ],
)
def test_what_no_hub_would_take_is_not_served(words: str, statement: Issued, authority: Authority) -> None:
    at = feed(authority)
    with pytest.raises(RefusedStatement, match=words):
        at.publish(sign(first(statement), [SIGNER]))
    assert at.heads == {}
    careless = feed(authority, unchecked=True)
    assert careless.publish(sign(first(statement), [SIGNER]))[1]


async def test_an_order_is_published_as_a_bulletin_is() -> None:
    async with linked() as (at, network, link):
        data = sign(first(ORDER), [SIGNER])
        assert await publish(network.uri, data, deadline=HANG_S) == "feed/ward/1"
        assert await link.fetch("feed/ward/1", deadline=HANG_S, max_size=65_536) == data
        assert at.heads == {"ward": 1}


def test_the_simulation_has_words_for_every_event() -> None:
    assert set(EVENTS) == set(Event)
