"""What a publisher is refused before anybody signs, and whose signatures a file still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.statements import (
    ADMISSION,
    AREA,
    AUTHORITY,
    BEAT,
    BULLETIN,
    CANCEL,
    DELEGATE,
    ENROLMENT,
    EVERYTHING,
    GRANT_KEY,
    GRANTS,
    NOW,
    RECALL,
    ROOT,
    ROOT_KEY,
    SIGNER,
    STRANGER,
    signer,
)

from ward_hub.publisher.drafts import GrantsDraft, RootDraft
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.grants import changes, check_grants, grants_of
from ward_hub.publisher.issue import check, check_beat
from ward_hub.publisher.roots import check_root, root_of
from ward_hub.publisher.standing import need_use, standings
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Audience, Grants, Kind, Priority, Role, RoleKeys, Root, Statement

HERE = Path()
OFFICERS = [signer(number) for number in range(60, 84)]
QUORUM = RoleKeys(2, tuple(one.kid for one in OFFICERS[:3]))
WITH_QUORUM = replace(
    ROOT,
    keys={**ROOT.keys, **{one.kid: one.public.raw for one in OFFICERS[:3]}},
    roles={**ROOT.roles, Role.QUORUM: QUORUM},
)


def hexed(one: Signer) -> str:
    return one.public.raw.hex()


def root_draft(**other: object) -> RootDraft:
    plain: dict[str, object] = {
        "keys": {"root": hexed(ROOT_KEY), "grant": hexed(GRANT_KEY), "beat": hexed(STRANGER)},
        "roles": {name: {"threshold": 1, "keys": [name]} for name in ("root", "grant", "beat")},
        "days": 10,
    }
    return msgspec.convert({**plain, **other}, RootDraft)


def grants_draft(authority: dict[str, object] | None = None, **other: object) -> GrantsDraft:
    one: dict[str, object] = {
        "id": "ward",
        "keys": {"an": hexed(SIGNER)},
        "threshold": 1,
        "level": 3,
        "areas": [AREA],
        "highest_priority": "priority",
    }
    return msgspec.convert({"authority": [{**one, **(authority or {})}], "days": 9, **other}, GrantsDraft)


def roles(**thresholds: tuple[int, Sequence[str]]) -> dict[str, object]:
    plain = {name: (1, [name]) for name in ("root", "grant", "beat")}
    return {name: {"threshold": count, "keys": list(keys)} for name, (count, keys) in {**plain, **thresholds}.items()}


def test_a_root_from_its_draft() -> None:
    root = root_of(root_draft(), HERE, None, NOW)
    assert (root.version, root.issued, root.expires) == (1, NOW, NOW + 10 * 86_400)
    assert root.roles[Role.GRANT] == RoleKeys(1, (GRANT_KEY.kid,))


def test_the_next_root_follows() -> None:
    assert root_of(root_draft(), HERE, ROOT, NOW).version == 2


@pytest.mark.parametrize(
    ("words", "draft"),
    [
        ("binh is not among the keys", root_draft(roles=roles(root=(1, ["binh"])))),
        ("not fewer than its threshold", root_draft(roles=roles(root=(2, ["root"])))),
        ("the role beat has no keys", root_draft(roles={"root": roles()["root"], "grant": roles()["grant"]})),
        ("has no role", root_draft(roles=roles(grant=(1, ["root"])))),
        ("a beat key is on line", root_draft(roles=roles(root=(1, ["root", "beat"])))),
        ("its threshold must be 1", root_draft(roles=roles(beat=(2, ["beat", "grant"])))),
        ("either expires or days", root_draft(expires="2040-01-01T00:00:00Z")),
        ("either expires or days", root_draft(days=None)),
        ("would have ended", root_draft(days=None, expires="2001-01-01T00:00:00Z")),
        ("needs an offset", root_draft(days=None, expires="2040-01-01T00:00:00")),
        ("neither 64 or 128 hex digits", root_draft(keys={"root": "z" * 64})),
        ("cannot be read", root_draft(keys={"root": "nobody.pub"})),
        ("have the same key", root_draft(keys={"root": hexed(ROOT_KEY), "grant": hexed(ROOT_KEY)})),
    ],
)
def test_a_draft_that_no_hub_would_take(words: str, draft: RootDraft) -> None:
    with pytest.raises(CeremonyError, match=words):
        root_of(draft, HERE, None, NOW)


def test_a_root_must_be_the_next_one_and_not_older() -> None:
    with pytest.raises(CeremonyError, match="does not follow"):
        check_root(replace(ROOT, version=3), ROOT, NOW)
    with pytest.raises(CeremonyError, match="clock"):
        root_of(root_draft(), HERE, ROOT, ROOT.issued - 1)


def test_two_roots_that_no_file_could_satisfy_together() -> None:
    old, new = (many_officers(OFFICERS[start : start + 12], version) for start, version in ((0, 1), (12, 2)))
    with pytest.raises(CeremonyError, match="need 18 signatures"):
        check_root(new, old, NOW)
    check_root(replace(old, version=2), old, NOW)


def many_officers(holders: list[Signer], version: int) -> Root:
    role = RoleKeys(9, tuple(one.kid for one in holders))
    keys = {one.kid: one.public.raw for one in holders} | {
        kid: raw for kid, raw in ROOT.keys.items() if kid != ROOT_KEY.kid
    }
    return replace(ROOT, version=version, keys=keys, roles={**ROOT.roles, Role.ROOT: role})


def test_grants_from_their_draft_end_with_each_other() -> None:
    grants = grants_of(grants_draft(), HERE, ROOT, GRANTS, NOW)
    (one,) = grants.authorities
    assert (grants.version, grants.root_version) == (2, 1)
    assert one.not_after == grants.expires == NOW + 9 * 86_400
    assert one.kinds == (Kind.BULLETIN, Kind.CANCEL)


@pytest.mark.parametrize(
    ("words", "draft"),
    [
        ("would outlive root", grants_draft(days=5000)),
        ("would have ended before", grants_draft(days=None, expires="2001-01-01T00:00:00Z")),
        ("it would outlive the grants", grants_draft({"not_after": "2060-01-01T00:00:00Z"})),
        ("it would have ended already", grants_draft({"not_after": "2001-01-01T00:00:00Z"})),
        ("has a role in the root", grants_draft({"keys": {"an": hexed(GRANT_KEY)}})),
        ("an emergency takes two people", grants_draft({"highest_priority": "emergency"})),
        ("fewer keys than its threshold", grants_draft({"threshold": 2})),
        ("its parent province is not listed", grants_draft({"parent": "province"})),
    ],
)
def test_grants_that_no_hub_would_take_or_that_the_root_does_not_allow(words: str, draft: GrantsDraft) -> None:
    with pytest.raises(CeremonyError, match=words):
        grants_of(draft, HERE, ROOT, None, NOW)


def test_a_quorum_or_a_second_officer_makes_emergencies_possible() -> None:
    emergency: dict[str, object] = {"highest_priority": "emergency"}
    grants_of(grants_draft(emergency), HERE, WITH_QUORUM, None, NOW)
    two = {"threshold": 2, "keys": {"an": hexed(SIGNER), "binh": hexed(STRANGER)}}
    grants_of(grants_draft({**emergency, **two}), HERE, ROOT, None, NOW)


def test_grants_under_another_or_an_ended_root() -> None:
    with pytest.raises(CeremonyError, match="has ended"):
        check_grants(GRANTS, ROOT, None, ROOT.expires)
    with pytest.raises(CeremonyError, match="are for root 1, not 2"):
        check_grants(GRANTS, replace(ROOT, version=2), None, NOW)
    with pytest.raises(CeremonyError, match="do not follow"):
        check_grants(GRANTS, WITH_QUORUM, GRANTS, NOW)


def test_what_grants_change_is_said() -> None:
    renewed = replace(AUTHORITY, keys={STRANGER.kid: STRANGER.public.raw})
    lines = changes(replace(GRANTS, authorities=(renewed, replace(AUTHORITY, id="new"))), GRANTS)
    assert lines == [
        f"- {DELEGATE.id}: is granted nothing any more",
        f"- {EVERYTHING.id}: is granted nothing any more",
        f"* ward: changed, without key {SIGNER.kid.hex()}, with key {STRANGER.kid.hex()}",
        "+ new: new",
    ]


def known(
    statement: Statement, signers: list[Signer], root: Root | None = None, grants: Grants | None = None
) -> list[str]:
    return [str(one) for one in standings(Envelope.open(sign(statement, signers)), root, grants)]


def test_a_root_needs_its_own_threshold_and_that_of_the_one_before() -> None:
    following = replace(many_officers(OFFICERS[:12], 2), expires=ROOT.expires)
    lines = known(following, [OFFICERS[0], ROOT_KEY], ROOT)
    assert lines[0] == "role root of root 1: 1 of 1"
    assert lines[1].startswith("role root of root 2: 1 of 9, open: ")
    assert OFFICERS[1].kid.hex() in lines[1]


def test_an_emergency_needs_its_issuer_and_the_quorum() -> None:
    lines = known(BULLETIN, [SIGNER, OFFICERS[0]], WITH_QUORUM, GRANTS)
    assert lines[0] == "authority ward: 1 of 1"
    assert lines[1].startswith("role quorum of root 1: 1 of 2, open: ")


def test_the_quorum_may_have_to_sign_a_cancel_that_announces() -> None:
    _, quorum = known(RECALL, [SIGNER], WITH_QUORUM, GRANTS)
    assert quorum.startswith("role quorum of root 1, if it takes back an emergency: 0 of 2, open: ")
    envelope = Envelope.open(sign(RECALL, [SIGNER, OFFICERS[0]]))
    need_use(envelope, [SIGNER.kid, OFFICERS[0].kid], standings(envelope, WITH_QUORUM, GRANTS))
    assert len(known(CANCEL, [SIGNER], WITH_QUORUM, GRANTS)) == 1
    assert len(known(RECALL, [SIGNER], ROOT, GRANTS)) == 1


def test_the_others() -> None:
    assert known(ENROLMENT, [SIGNER]) == ["hub hub-1: 1 of 1"]
    assert known(ENROLMENT, [STRANGER])[0].startswith("hub hub-1: 0 of 1")
    assert known(ADMISSION, [GRANT_KEY]) == ["role grant of root 1: 1 of 1"]
    assert known(GRANTS, [GRANT_KEY], ROOT) == ["role grant of root 1: 1 of 1"]
    assert known(GRANTS, [GRANT_KEY]) == []


def test_a_signature_that_would_not_count() -> None:
    envelope = Envelope.open(sign(GRANTS, [GRANT_KEY]))
    need_use(envelope, [GRANT_KEY.kid], standings(envelope, ROOT))
    need_use(envelope, [STRANGER.kid], standings(envelope))
    with pytest.raises(CeremonyError, match="would not count"):
        need_use(envelope, [STRANGER.kid], standings(envelope, ROOT))


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("expired already", {"not_before": NOW - 9, "expires": NOW}),
        ("nobody is granted nothing", {"issuer": "nobody"}),
        ("may issue for", {"audience": Audience(("vn",))}),
    ],
)
def test_a_bulletin_that_every_hub_would_refuse(words: str, change: dict[str, object]) -> None:
    check(BULLETIN, WITH_QUORUM, GRANTS, NOW)
    with pytest.raises(CeremonyError, match=words):
        check(replace(BULLETIN, **change), WITH_QUORUM, GRANTS, NOW)  # type: ignore[arg-type]


def test_a_bulletin_beyond_its_grant() -> None:
    low = replace(GRANTS, authorities=(replace(AUTHORITY, highest_priority=Priority.NORMAL, kinds=(Kind.BULLETIN,)),))
    with pytest.raises(CeremonyError, match="up to normal"):
        check(BULLETIN, ROOT, low, NOW)
    with pytest.raises(CeremonyError, match="the grant of ward has ended"):
        check(replace(BULLETIN, expires=GRANTS.expires + 9), None, GRANTS, GRANTS.expires)
    with pytest.raises(CeremonyError, match="root 1 has ended"):
        check(replace(BULLETIN, expires=ROOT.expires + 9), ROOT, None, ROOT.expires)


def test_a_beat_names_the_versions_in_force() -> None:
    check_beat(BEAT, ROOT, GRANTS)
    with pytest.raises(CeremonyError, match="names root 1, not 2"):
        check_beat(BEAT, replace(ROOT, version=2), None)
    with pytest.raises(CeremonyError, match="names grants 1, not 2"):
        check_beat(BEAT, None, replace(GRANTS, version=2))
