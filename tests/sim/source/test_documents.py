"""The next root and the next grants given to a source: taken where every hub would take them, refused otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.sim.links.rig import beat_with, link_to, source
from tests.statements import BULLETIN, GRANT_KEY, GRANTS, ROOT, ROOT_KEY, STRANGER, signer

from ward_hub.links import Refused
from ward_hub.links.publish import publish
from ward_protocol.envelope import sign
from ward_protocol.statements import Grants, Role, RoleKeys, Root

NEW = signer(90)
NEXT = replace(
    ROOT,
    version=2,
    keys={**{kid: raw for kid, raw in ROOT.keys.items() if kid != ROOT_KEY.kid}, NEW.kid: NEW.public.raw},
    roles={**ROOT.roles, Role.ROOT: RoleKeys(1, (NEW.kid,))},
)
ROOT_2 = sign(NEXT, [ROOT_KEY, NEW])
GRANTS_2 = replace(GRANTS, version=2)


async def test_the_next_of_each_is_served_and_named_by_the_beat() -> None:
    async with source() as one, link_to(one.uri) as link:
        assert await publish(one.uri, ROOT_2) == "root/2"
        assert await publish(one.uri, ROOT_2) == "root/2"  # the same again is no mistake
        grants = sign(replace(GRANTS_2, root_version=2), [GRANT_KEY])
        assert await publish(one.uri, grants) == "grants/2"
        beat = await beat_with(link, lambda beat: beat.grants_version == 2)
        assert beat.root_version == 2
        assert await link.fetch("root/2", deadline=5, max_size=65536) == ROOT_2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (sign(NEXT, [ROOT_KEY]), "root 2"),
        (sign(NEXT, [NEW]), "root 1"),
        (sign(replace(NEXT, version=3), [ROOT_KEY, NEW]), "root 2 is next"),
        (sign(GRANTS_2, [STRANGER]), "signed by 0"),
        (sign(replace(GRANTS, version=3), [GRANT_KEY]), "grants 2 is next"),
        (sign(replace(GRANTS_2, root_version=2), [GRANT_KEY]), "root 1 is in force"),
        (sign(GRANTS_2, [GRANT_KEY])[:-1] + b"\x00", "does not fit"),
    ],
)
async def test_what_no_hub_would_take_is_refused(data: bytes, words: str) -> None:
    async with source() as one:
        with pytest.raises(Refused, match=words):
            await publish(one.uri, data)
        assert (one.root.newest, one.grants.newest) == (1, 1)


@pytest.mark.parametrize("kind", [Root, Grants])
def test_another_statement_in_its_place(kind: type[Root | Grants]) -> None:
    with pytest.raises(ValueError, match="does not belong here"):
        source().publish_document(sign(BULLETIN, [STRANGER]), kind)
