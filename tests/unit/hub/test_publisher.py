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
    ORDER,
    RECALL,
    ROOT,
    ROOT_KEY,
    SEALED_KEY,
    SIGNER,
    STRANGER,
    p256_signer,
    signer,
)

from ward_hub.publisher.changes import changes
from ward_hub.publisher.drafts import GrantsDraft, RootDraft
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.grants import check_grants, grants_of
from ward_hub.publisher.issue import check, check_beat
from ward_hub.publisher.roots import check_root, root_of
from ward_hub.publisher.standing import need_use, standings
from ward_protocol.cose import MAX_SIGNERS
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import (
    Audience,
    Authority,
    BreakGlass,
    Grants,
    Kind,
    Priority,
    Quota,
    Role,
    RoleKeys,
    Root,
    Statement,
)

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


EMERGENCY: dict[str, object] = {"highest_priority": "emergency"}
TWO: dict[str, object] = {"keys": {"an": hexed(SIGNER), "binh": hexed(STRANGER)}}
GLASS: dict[str, object] = {"keys": {"safe": hexed(OFFICERS[9])}, "uses": 3}


@pytest.mark.parametrize(
    ("root", "areas", "good"),
    [
        (ROOT, ["vn/01"], False),  # nobody beside it would have to sign
        (WITH_QUORUM, ["vn/01"], True),
        (WITH_QUORUM, [AREA, "vn/01/00269"], True),
        (WITH_QUORUM, [AREA], False),  # issued inside the ward it takes two of its officers
        (WITH_QUORUM, [f"{AREA}/3", f"{AREA}/4"], False),
    ],
)
def test_an_emergency_takes_two_people(root: Root, areas: list[str], good: bool) -> None:
    grants_of(grants_draft({**EMERGENCY, **TWO, "areas": areas}), HERE, root, None, NOW)
    one_officer = grants_draft({**EMERGENCY, "areas": areas})
    if good:
        grants_of(one_officer, HERE, root, None, NOW)
    else:
        with pytest.raises(CeremonyError, match=r"an emergency takes two people: .* so it needs 2 keys"):
            grants_of(one_officer, HERE, root, None, NOW)


def test_everything_that_a_grant_can_say() -> None:
    draft = grants_draft({
        **EMERGENCY,
        **TWO,
        "kinds": ["bulletin", "cancel", "order", "stream", "configuration"],
        "zones": ["zone-1"],
        "boards": ["board-1", "board-2"],
        "emergency_threshold": 2,
        "quota": {"bulletins": 20, "emergencies": 3, "repeats": 3},
        "break_glass": GLASS,
    })  # fmt: skip
    (one,) = grants_of(draft, HERE, WITH_QUORUM, None, NOW).authorities
    assert one.kinds == tuple(Kind)
    assert (one.zones, one.boards) == (("zone-1",), ("board-1", "board-2"))
    assert (one.threshold, one.emergency_threshold) == (1, 2)
    assert one.quota == Quota(20, 3, 3)
    assert one.break_glass == BreakGlass({OFFICERS[9].kid: OFFICERS[9].public.raw}, 3)
    (plain,) = grants_of(grants_draft(), HERE, WITH_QUORUM, None, NOW).authorities
    assert (plain.zones, plain.emergency_threshold, plain.quota, plain.break_glass) == ((), 0, Quota(), None)


def sealed(glass: dict[str, object] | None = None, **other: object) -> dict[str, object]:
    return {**EMERGENCY, **TWO, "break_glass": {**GLASS, **(glass or {})}, **other}


@pytest.mark.parametrize(
    ("words", "draft"),
    [
        ("sealed key .* is a key of the root", grants_draft(sealed({"keys": {"safe": hexed(GRANT_KEY)}}))),
        ("a break-glass key is no other key as well", grants_draft(sealed({"keys": {"safe": hexed(SIGNER)}}))),
        ("for emergency bulletins", grants_draft(sealed(highest_priority="priority"))),
        ("for emergency bulletins", grants_draft(sealed(kinds=["order"]))),
        ("it reaches beyond one", grants_draft(sealed(areas=["vn/01"]))),
        ("it reaches beyond one", grants_draft(sealed(areas=[AREA, "vn/01/00269"]))),
        ("below its threshold", grants_draft({**EMERGENCY, **TWO, "threshold": 2, "emergency_threshold": 1})),
        ("leave emergency_threshold out", grants_draft({**TWO, "emergency_threshold": 2})),
        ("fewer keys than its threshold", grants_draft({**EMERGENCY, **TWO, "emergency_threshold": 3})),
    ],
)
def test_sealed_keys_and_thresholds_that_make_no_sense(words: str, draft: GrantsDraft) -> None:
    with pytest.raises(CeremonyError, match=words):
        grants_of(draft, HERE, WITH_QUORUM, None, NOW)


@pytest.mark.parametrize("name", ["ubnd/phuong", "..", "ward\n", "ward\x1b[2K", "phu\u031bo\u031bng", "ward\u200b"])
def test_an_id_that_has_no_place_in_a_feed_or_passes_for_another(name: str) -> None:
    with pytest.raises(CeremonyError, match=r"authority .*: an id"):
        grants_of(grants_draft({"id": name}), HERE, ROOT, None, NOW)


def test_an_emergency_that_takes_more_signatures_than_a_file_holds() -> None:
    many = {str(number): hexed(one) for number, one in enumerate(OFFICERS[5:20])}
    for needed in (14, 15):
        draft = grants_draft({**EMERGENCY, "keys": many, "emergency_threshold": needed})
        if needed + QUORUM.threshold <= MAX_SIGNERS:
            grants_of(draft, HERE, WITH_QUORUM, None, NOW)
            continue
        with pytest.raises(CeremonyError, match="takes 17 signatures, and a file holds 16"):
            grants_of(draft, HERE, WITH_QUORUM, None, NOW)


def second(**other: object) -> GrantsDraft:
    """Grants of the ward, with sealed keys, and of a second authority."""
    one, two = (
        {
            "id": name, "keys": keys, "threshold": 1, "level": 3, "areas": [area], "highest_priority": "emergency",
            "break_glass": {"keys": {"safe": hexed(OFFICERS[number])}, "uses": 3},
        }
        for name, keys, area, number in (
            ("ward", TWO["keys"], AREA, 9),
            ("next", {"chi": hexed(OFFICERS[5]), "dung": hexed(OFFICERS[6])}, "vn/01/00269", 10),
        )
    )  # fmt: skip
    return msgspec.convert({"authority": [one, {**two, **other}], "days": 9}, GrantsDraft)


@pytest.mark.parametrize(
    ("words", "other"),
    [
        ("authority ward: sealed key .* is a key of next", {"keys": {"a": hexed(OFFICERS[9]), "b": hexed(STRANGER)}}),
        (
            "authority ward: sealed key .* is a sealed key of next as well",
            {"break_glass": {"keys": {"safe": hexed(OFFICERS[9])}, "uses": 1}},
        ),
    ],
)
def test_a_sealed_key_is_nobodys_else(words: str, other: dict[str, object]) -> None:
    grants_of(second(), HERE, WITH_QUORUM, None, NOW)
    with pytest.raises(CeremonyError, match=words):
        grants_of(second(**other), HERE, WITH_QUORUM, None, NOW)


@pytest.mark.parametrize(
    ("words", "parent", "delegate"),
    [
        ("its zones goes? beyond", {"zones": ["zone-1"]}, {}),
        ("its zones goes? beyond", {"zones": ["zone-1"]}, {"zones": ["zone-1", "zone-2"]}),
        ("its boards goes? beyond", {"boards": ["board-1"]}, {"boards": ["board-2"]}),
        ("its quota goes beyond", {"quota": {"bulletins": 5}}, {}),
        ("its quota goes beyond", {"quota": {"repeats": 2}}, {"quota": {"repeats": 3}}),
        ("its kinds goes? beyond", {}, {"kinds": ["bulletin", "configuration"]}),
        ("its highest priority goes beyond", {"highest_priority": "normal"}, {"highest_priority": "priority"}),
        ("its level goes beyond", {"level": 3}, {"level": 2}),
    ],
)
def test_a_delegate_never_has_more_than_its_parent(
    words: str, parent: dict[str, object], delegate: dict[str, object]
) -> None:
    plain = {"threshold": 1, "level": 3, "areas": ["vn/01"], "highest_priority": "normal"}
    above = {**plain, "id": "above", "keys": {"an": hexed(SIGNER)}, **parent}
    below = {**plain, "id": "below", "keys": {"binh": hexed(STRANGER)}, "parent": "above"}
    grants_of(
        msgspec.convert({"authority": [above, {**below, **parent}], "days": 9}, GrantsDraft), HERE, ROOT, None, NOW
    )
    more = msgspec.convert({"authority": [above, {**below, **delegate}], "days": 9}, GrantsDraft)
    with pytest.raises(CeremonyError, match=f"authority below: {words} that of its parent above"):
        grants_of(more, HERE, ROOT, None, NOW)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("zones", ["Zone 1"]),
        ("areas", []),
        ("quota", {"bulletins": 0}),
        ("quota", {"repeats": 11}),
        ("quota", {"orders": 1}),
        ("kinds", ["receipt"]),
        ("emergency_threshold", 0),
        ("break_glass", {"keys": {}, "uses": 3}),
        ("break_glass", {**GLASS, "uses": 0}),
        ("break_glass", {**GLASS, "uses": 17}),
        ("break_glass", {"keys": GLASS["keys"]}),
        ("sealed", True),
    ],
)
def test_a_draft_is_refused_by_the_name_of_its_key(key: str, value: object, tmp_path: Path) -> None:
    with pytest.raises(msgspec.ValidationError, match=key):
        grants_draft({**EMERGENCY, **TWO, key: value})


def test_a_key_of_a_token_is_named_by_128_digits_or_a_file_of_them(tmp_path: Path) -> None:
    token = p256_signer(7)
    (tmp_path / "token.pub").write_text(f"{hexed(token)}\n", encoding="utf-8")
    for text in (hexed(token), "token.pub"):
        (one,) = grants_of(grants_draft({"keys": {"an": text}}), tmp_path, ROOT, None, NOW).authorities
        assert one.keys == {token.kid: token.public.raw}
    with pytest.raises(CeremonyError, match=r"key of an: .* the 64 of a point on the curve"):
        grants_of(grants_draft({"keys": {"an": "0" * 128}}), tmp_path, ROOT, None, NOW)
    with pytest.raises(CeremonyError, match=r"key of an: .* its owner has to make another"):
        grants_of(grants_draft({"keys": {"an": "0" * 64}}), tmp_path, ROOT, None, NOW)


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


PROVINCE = replace(AUTHORITY, id="province", areas=("vn",), level=1)


def listed(*authorities: Authority) -> Grants:
    return replace(GRANTS, authorities=(PROVINCE, *authorities))


SEALED = SEALED_KEY.kid.hex()


@pytest.mark.parametrize(
    ("words", "other"),
    [
        ("zones zone-1 (was zone-1 zone-2)", {"zones": ("zone-1",)}),
        ("zones all (was zone-1 zone-2)", {"zones": ()}),
        ("boards all (was board-1)", {"boards": ()}),
        ("bulletins a day 60 (was 50), emergencies a day any (was 5)", {"quota": Quota(60, 0, 3)}),
        ("repeats 9 (was 3)", {"quota": Quota(50, 5, 9)}),
        (f"without sealed key {SEALED}, uses of a sealed key none (was 3)", {"break_glass": None}),
        (
            f"without sealed key {SEALED}, with sealed key {STRANGER.kid.hex()}",
            {"break_glass": BreakGlass({STRANGER.kid: STRANGER.public.raw}, 3)},
        ),
        ("threshold of emergencies 1 (was 2)", {"emergency_threshold": 0}),
        ("level 1 (was 3), kinds bulletin (was bulletin cancel order)", {"kinds": (Kind.BULLETIN,), "level": 1}),
        ("areas vn (was vn/01/00268)", {"areas": ("vn",)}),
        ("parent province (was none)", {"parent": "province"}),
        ("end 2027-01-15T08:00:00+00:00 (was 2027-01-26T21:46:40+00:00)", {"not_after": NOW}),
    ],
)
def test_what_of_a_grant_changes_is_said(words: str, other: dict[str, object]) -> None:
    (line,) = changes(listed(replace(EVERYTHING, **other)), listed(EVERYTHING))  # type: ignore[arg-type]
    assert line.startswith("* station: changed, ")
    assert words in line


def test_what_a_new_authority_is_limited_to_is_said() -> None:
    (line,) = changes(listed(EVERYTHING), listed())
    assert line.startswith(f"+ station: new, with sealed key {SEALED}, zones zone-1 zone-2 (was all), boards board-1")


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


URGENT = replace(ORDER, priority=Priority.EMERGENCY)


@pytest.mark.parametrize("urgent", [BULLETIN, URGENT])
def test_an_emergency_needs_its_issuer_and_the_quorum(urgent: Statement) -> None:
    country = replace(AUTHORITY, areas=("vn",))
    lines = known(urgent, [SIGNER, OFFICERS[0]], WITH_QUORUM, replace(GRANTS, authorities=(country,)))
    assert lines[0] == "authority ward: 1 of 1"
    assert lines[1].startswith("role quorum of root 1: 1 of 2, open: ")


@pytest.mark.parametrize(("urgent", "when"), [(BULLETIN, ""), (RECALL, ", if it takes back an emergency")])
def test_who_is_an_officer_and_of_the_quorum_counts_once(urgent: Statement, when: str) -> None:
    one, two, three = OFFICERS[:3]
    country = replace(AUTHORITY, areas=("vn",), keys={one.kid: one.public.raw})
    grants = replace(GRANTS, authorities=(country,))
    together = f"authority ward and the quorum together{when}"
    assert known(urgent, [one, two], WITH_QUORUM, grants)[-1] == f"{together}: 2 of 3, open: {three.kid.hex()}"
    assert known(urgent, [one, two, three], WITH_QUORUM, grants)[-1] == f"{together}: 3 of 3"


def test_a_sealed_key_counts_for_emergencies_alone() -> None:
    urgent = replace(BULLETIN, issuer="station")
    assert known(urgent, [SEALED_KEY], ROOT, GRANTS) == ["break-glass of station: 1 of 1"]
    envelope = Envelope.open(sign(replace(urgent, priority=Priority.PRIORITY), [SEALED_KEY]))
    with pytest.raises(CeremonyError, match="would not count"):
        need_use(envelope, [SEALED_KEY.kid], standings(envelope, ROOT, GRANTS))


def test_the_quorum_may_have_to_sign_a_cancel_that_announces() -> None:
    _, officers, quorum = known(RECALL, [SIGNER], WITH_QUORUM, GRANTS)
    assert officers.startswith("authority ward, if it takes back an emergency: 1 of 2")
    assert quorum.startswith("role quorum of root 1, if it takes back an emergency: 0 of 2, open: ")
    envelope = Envelope.open(sign(RECALL, [SIGNER, OFFICERS[0]]))
    need_use(envelope, [SIGNER.kid, OFFICERS[0].kid], standings(envelope, WITH_QUORUM, GRANTS))
    assert len(known(CANCEL, [SIGNER], WITH_QUORUM, GRANTS)) == 1
    country = replace(GRANTS, authorities=(replace(AUTHORITY, areas=("vn",)),))
    assert len(known(RECALL, [SIGNER], WITH_QUORUM, country)) == 2
    assert len(known(RECALL, [SIGNER], None, country)) == 1


@pytest.mark.parametrize("urgent", [BULLETIN, URGENT])
def test_an_emergency_from_inside_a_ward_needs_two_of_its_officers(urgent: Statement) -> None:
    two = replace(AUTHORITY, keys={one.kid: one.public.raw for one in (SIGNER, STRANGER)})
    lines = known(urgent, [SIGNER], WITH_QUORUM, replace(GRANTS, authorities=(two,)))
    assert lines[0] == f"authority ward: 1 of 2, open: {STRANGER.kid.hex()}"
    assert len(lines) == 2
    alone = replace(two, areas=("vn",))
    assert known(urgent, [SIGNER], ROOT, replace(GRANTS, authorities=(alone,)))[0].startswith("authority ward: 1 of 2")


@pytest.mark.parametrize("calm", [replace(BULLETIN, priority=Priority.PRIORITY), ORDER, CANCEL])
def test_what_is_no_emergency_needs_its_issuer_alone(calm: Statement) -> None:
    assert known(calm, [SIGNER], WITH_QUORUM, GRANTS) == ["authority ward: 1 of 1"]


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
