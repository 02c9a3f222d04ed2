"""Intake: one test for each reason to refuse, their order, and what settles a sequence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.clocks import clock
from tests.intakes import OFFICE, OFFICE_GRANT, QUORUM, TRUST, USB, WITH_QUORUM, Desk, bulletin, desk, signed
from tests.journals import story
from tests.statements import (
    ADMISSION,
    AREA,
    AUTHORITY,
    BEAT,
    BEAT_KEY,
    CANCEL,
    ENROLMENT,
    GRANT_KEY,
    GRANTS,
    NOW,
    ORDER,
    ORDERS,
    RECALL,
    RECEIPT,
    ROOT,
    ROOT_KEY,
    SEALED_KEY,
    SIGNER,
    STRANGER,
)
from tests.unit.protocol.test_envelope import sign1, sign_n

from ward_hub.intake import FURTHEST_AHEAD, Accepted, Place
from ward_hub.journal import Ledger, State
from ward_hub.rules import FUTURE_S
from ward_hub.tally import BURST
from ward_protocol import cbor
from ward_protocol.envelope import MAX_SIZE, Envelope, Sealed, seal, sign
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import (
    Action,
    Audience,
    BreakGlass,
    Bulletin,
    Event,
    Issued,
    Kind,
    Order,
    Priority,
    Quota,
    Statement,
    StatementType,
    Status,
    Text,
    TimeTrust,
)
from ward_protocol.statements.documents import inside
from ward_protocol.statements.order import KINDS


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


async def refused(at: Desk, data: bytes, place: Place = USB) -> Reason:
    """The reason for which `data` is refused, which journal and receipt both give."""
    assert await at.take(data, place) is None
    line, receipt = story(at.folder)[-1], at.receipts()[-1]
    assert line.event == "refused"
    assert receipt.event is Event.REFUSED
    assert receipt.reason is not None
    assert (line.statement, line.detail["reason"]) == (receipt.statement, receipt.reason.word)
    assert receipt.detail.startswith(f"{place}: ")
    return receipt.reason


async def settled(at: Desk, sequence: int = 1, issuer: str = "ward") -> bool:
    return await at.journal.do(Ledger.settled, issuer, sequence)


async def test_what_is_good_is_accepted_with_a_receipt(at: Desk) -> None:
    data = signed(bulletin())
    digest = Envelope.open(data).digest
    assert await at.take(data) == Accepted(digest, bulletin())
    assert [(one.event, one.statement) for one in at.receipts()] == [(Event.ACCEPTED, digest)]
    assert await settled(at)
    (entry,) = await at.journal.do(Ledger.unfinished)
    assert (entry.digest, entry.data) == (digest, data)


async def test_a_cancel_is_noted_and_has_nothing_to_air(at: Desk) -> None:
    accepted = await at.take(signed(CANCEL))
    assert accepted is not None
    assert await at.journal.do(Ledger.state_of, accepted.digest) is State.NOTED
    assert await at.journal.do(Ledger.unfinished) == []


async def test_what_a_cancel_and_a_later_bulletin_take_back_is_known_at_once(at: Desk) -> None:
    await at.take(signed(CANCEL))
    await at.take(signed(bulletin(sequence=3, supersedes=(b"\x07" * 32,))))
    cancelled = await at.journal.do(Ledger.withdrawal, CANCEL.target, "ward")
    replaced = await at.journal.do(Ledger.withdrawal, b"\x07" * 32, "ward")
    assert cancelled is not None
    assert (cancelled.state, cancelled.reason, cancelled.detail) == (State.CANCELLED, Reason.CANCELLED, CANCEL.why)
    assert replaced is not None
    assert (replaced.state, replaced.reason) == (State.NOT_AIRED, Reason.SUPERSEDED)


# What strangers can make it write


async def test_what_nobody_known_signed_is_written_up_to_a_rate_and_then_counted(at: Desk) -> None:
    for number in range(1, BURST + 6):
        verdict = await at.intake.take(sign(bulletin(sequence=number), [STRANGER]), USB)
        assert verdict.reason is Reason.UNKNOWN_KEY
    assert [line.event for line in story(at.folder)] == ["refused"] * BURST
    (one,) = at.tally.due(0.0, all_of_it=True)
    assert (one.way, one.counts) == ("usb", {"unknown-key": 5})
    assert await refused(at, signed(bulletin(audience=Audience(("vn/99",))))) is Reason.AREA_NOT_GRANTED
    assert await at.take(signed(bulletin(sequence=2))) is not None


async def test_the_same_again_by_hand_is_counted(at: Desk) -> None:
    """Its entry stands there once; that it came again is told as well, however truly it was signed."""
    data = signed(bulletin())
    assert await at.take(data) is not None
    for _ in range(4):
        assert (await at.intake.take(data, USB)).reason is Reason.REPLAYED
    assert [line.event for line in story(at.folder)] == ["accepted", "refused"]
    (one,) = at.tally.due(0.0, all_of_it=True)
    assert (one.way, one.counts) == ("usb", {"replayed": 3})


async def test_what_a_feed_still_holds_is_not_counted_as_coming_again(at: Desk) -> None:
    for _ in range(3):
        await at.intake.take(sign(bulletin(), [STRANGER]), Place("feed", "ward", 1))
    assert [line.event for line in story(at.folder)] == ["refused"]
    assert at.tally.due(0.0, all_of_it=True) == []


async def test_a_source_cannot_fill_the_journal_with_places_that_it_makes_up(at: Desk) -> None:
    """With the key of the beat it may name any version and any head; what lies there has no stock of its own."""
    for version in range(1, BURST + 6):
        await at.intake.take(sign(replace(GRANTS, version=version), [STRANGER]), Place(f"grants/{version}"))
    assert [line.event for line in story(at.folder)] == ["refused"] * BURST
    for sequence in range(1, BURST + 6):
        await at.intake.refuse_unread(Place("feed", "ward", sequence), Reason.TOO_LARGE, "over 64 KiB")
    assert [line.event for line in story(at.folder)] == ["refused"] * 2 * BURST
    counted = {one.way: one.counts for one in at.tally.due(0.0, all_of_it=True)}
    assert counted == {"grants": {"unknown-key": 5}, "feed": {"too-large": 5}}


# The bytes


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED_COSE),
        (b"\xd8\x62\xff", Reason.MALFORMED_CBOR),
        (signed(bulletin())[:-1], Reason.MALFORMED_CBOR),
        (signed(bulletin()) + b"\0", Reason.NOT_DETERMINISTIC),
        (b"\xd8\x62" + b"\0" * MAX_SIZE, Reason.TOO_LARGE),
        (b"\xd8\x62\x18\x01", Reason.NOT_DETERMINISTIC),
        (sign1(unprotected={2: [99]}), Reason.HEADER_NOT_ALLOWED),
        (sign_n(2), Reason.DUPLICATE_SIGNER),
    ],
)
async def test_bytes_that_are_no_envelope(at: Desk, data: bytes, reason: Reason) -> None:
    assert await refused(at, data, Place("feed", "ward", 1)) is reason
    assert not await settled(at)


@pytest.mark.parametrize("statement", [RECEIPT, ENROLMENT, ADMISSION])
async def test_statements_that_do_not_come_this_way(at: Desk, statement: Statement) -> None:
    assert await refused(at, sign(statement, [SIGNER])) is Reason.UNKNOWN_TYPE


# Documents of trust, from whatever way they come


async def test_documents_are_taken_from_any_way_and_kept(at: Desk) -> None:
    root, grants = replace(ROOT, version=2), replace(GRANTS, version=1, root_version=2)
    for statement, by in ((root, ROOT_KEY), (grants, GRANT_KEY), (BEAT, BEAT_KEY)):
        verdict = await at.deliver(sign(statement, [by]))
        assert verdict.good
        assert verdict.accepted is None
    assert (at.trust.root, at.trust.grants, at.trust.beat) == (root, grants, BEAT)
    assert set(await at.journal.do(Ledger.documents)) == {"root", "grants", "beat"}
    assert [one.event for one in at.receipts()] == [Event.ACCEPTED, Event.ACCEPTED]  # a beat is of the moment


@pytest.mark.parametrize(
    ("statement", "by", "reason"),
    [
        (ROOT, ROOT_KEY, Reason.WRONG_VERSION),
        (replace(ROOT, version=2), STRANGER, Reason.UNKNOWN_KEY),
        (replace(GRANTS, version=2), STRANGER, Reason.UNKNOWN_KEY),
        (GRANTS, GRANT_KEY, Reason.VERSION_ROLLBACK),
        (replace(GRANTS, version=2, root_version=2), GRANT_KEY, Reason.WRONG_VERSION),
        (replace(GRANTS, version=2, expires=NOW), GRANT_KEY, Reason.EXPIRED),
        (BEAT, STRANGER, Reason.UNKNOWN_KEY),
    ],
)
async def test_a_document_that_is_not_taken_changes_nothing(
    at: Desk, statement: Statement, by: Signer, reason: Reason
) -> None:
    before = at.trust
    assert await refused(at, sign(statement, [by])) is reason
    assert at.trust == before


async def test_an_older_beat(at: Desk) -> None:
    assert (await at.deliver(sign(BEAT, [BEAT_KEY]))).good
    assert await refused(at, sign(replace(BEAT, time=NOW - 1), [BEAT_KEY])) is Reason.TIME_WENT_BACK


# Nothing is decoded that no known key signed


async def test_what_a_stranger_signed_is_not_decoded(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Sealed.decode

    def decode(sealed: Sealed) -> Envelope:
        assert sealed.payload != b"\xff", "decoded"
        return real(sealed)

    with monkeypatch.context() as patched:
        patched.setattr(Sealed, "decode", decode)
        for kind in (StatementType.BULLETIN, StatementType.ORDER, StatementType.ROOT, StatementType.GRANTS):
            assert await refused(at, seal(kind, b"\xff", [STRANGER])) is Reason.UNKNOWN_KEY
        assert await refused(at, seal(StatementType.BEAT, b"\xff", [STRANGER])) is Reason.UNKNOWN_KEY


async def test_what_a_known_key_signed_is_judged_by_its_form(at: Desk) -> None:
    assert await refused(at, seal(StatementType.BULLETIN, b"\xff", [SIGNER])) is Reason.MALFORMED_CBOR
    unknown = seal(StatementType.ORDER, cbor.encode(to_map(ORDER) | {99: 1}), [SIGNER])
    assert await refused(at, unknown) is Reason.UNKNOWN_FIELD
    missing = seal(StatementType.CANCEL, cbor.encode({1: "ward"}), [SIGNER])
    assert await refused(at, missing) is Reason.MALFORMED_STATEMENT
    assert not await settled(at)


async def test_signatures_left_out_or_in_another_order_make_no_other_statement(at: Desk) -> None:
    both = sign(bulletin(issuer="office"), OFFICE)
    turned = sign(bulletin(issuer="office"), OFFICE[::-1])
    assert both != turned
    assert Envelope.open(both).digest == Envelope.open(turned).digest
    assert (await at.deliver(both)).digest == Envelope.open(turned).digest
    assert await refused(at, turned) is Reason.REPLAYED


# Issuer and signatures: nothing here settles a sequence, the true statement may still come


async def test_an_issuer_that_nobody_granted(at: Desk) -> None:
    assert await refused(at, signed(bulletin(issuer="pirate"))) is Reason.UNKNOWN_AUTHORITY
    assert not await settled(at, issuer="pirate")


async def test_no_grants_yet(at: Desk) -> None:
    granted, at.trust = at.trust, replace(at.trust, grants=None)
    assert await refused(at, signed(bulletin())) is Reason.UNKNOWN_KEY
    at.trust = granted
    assert await at.take(signed(bulletin())) is not None


async def test_grants_that_have_ended(at: Desk) -> None:
    at.trust = replace(at.trust, grants=replace(GRANTS, expires=NOW))
    assert await refused(at, signed(bulletin())) is Reason.AUTHORITY_EXPIRED
    assert not await settled(at)


async def test_a_strangers_key(at: Desk) -> None:
    assert await refused(at, sign(bulletin(), [STRANGER])) is Reason.UNKNOWN_KEY
    assert not await settled(at)


async def test_another_authoritys_key(at: Desk) -> None:
    assert await refused(at, sign(bulletin(), OFFICE)) is Reason.UNKNOWN_KEY


async def test_a_signature_over_other_words(at: Desk) -> None:
    data = signed(bulletin())
    title = bulletin().texts[0].title.encode()
    altered = data.replace(title, title.upper()[: len(title)].ljust(len(title)))
    assert altered != data
    assert len(altered) == len(data)
    assert await refused(at, altered) is Reason.BAD_SIGNATURE
    assert not await settled(at)
    assert await at.take(data) is not None


async def test_too_few_of_an_authoritys_keys(at: Desk) -> None:
    assert await refused(at, sign(bulletin(issuer="office"), OFFICE[:1])) is Reason.THRESHOLD_NOT_MET
    assert await refused(at, sign(bulletin(issuer="office"), [OFFICE[0], STRANGER])) is Reason.THRESHOLD_NOT_MET
    assert not await settled(at, issuer="office")
    assert await at.take(sign(bulletin(issuer="office"), OFFICE)) is not None


PROVINCE_GRANT = replace(AUTHORITY, id="province", areas=("vn/01",), level=1)


@pytest.mark.parametrize("urgent", [bulletin(priority=Priority.EMERGENCY), replace(ORDER, priority=Priority.EMERGENCY)])
@pytest.mark.parametrize(("others", "enough"), [([], False), (QUORUM[:1], False), (QUORUM[1:], True), (QUORUM, True)])
async def test_an_emergency_needs_the_quorum(
    at: Desk, urgent: Bulletin | Order, others: list[Signer], enough: bool
) -> None:
    at.trust = replace(WITH_QUORUM, grants=replace(GRANTS, authorities=(PROVINCE_GRANT,)))
    data = sign(replace(urgent, issuer="province", sequence=1), [SIGNER, *others])
    if enough:
        assert await at.take(data) is not None
    else:
        assert await refused(at, data) is Reason.THRESHOLD_NOT_MET
        assert not await settled(at, issuer="province")


@pytest.mark.parametrize(
    ("by", "enough"),
    [
        ([OFFICE[0], *QUORUM], False),  # one officer, whatever the grants say of other priorities
        ([*OFFICE, QUORUM[0]], False),
        ([*OFFICE, *QUORUM[:2]], True),
    ],
)
async def test_an_emergency_from_inside_the_ward_needs_two_officers_and_the_quorum(
    at: Desk, by: list[Signer], enough: bool
) -> None:
    ward = replace(OFFICE_GRANT, threshold=1, areas=(AREA,), highest_priority=Priority.EMERGENCY)
    at.trust = replace(WITH_QUORUM, grants=replace(GRANTS, authorities=(ward,)))
    data = sign(bulletin(issuer="office", priority=Priority.EMERGENCY), by)
    if enough:
        assert await at.take(data) is not None
    else:
        assert await refused(at, data) is Reason.THRESHOLD_NOT_MET
        assert not await settled(at, issuer="office")
    assert await at.take(sign(bulletin(issuer="office", sequence=2), OFFICE[1:])) is not None


async def test_an_officer_who_is_of_the_quorum_as_well_does_not_count_twice(at: Desk) -> None:
    keys = {one.kid: one.public.raw for one in (OFFICE[0], QUORUM[0])}
    both = replace(OFFICE_GRANT, keys=keys, threshold=1, highest_priority=Priority.EMERGENCY)
    at.trust = replace(WITH_QUORUM, grants=replace(GRANTS, authorities=(both,)))
    urgent = bulletin(issuer="office", priority=Priority.EMERGENCY)
    assert await refused(at, sign(urgent, [QUORUM[0], QUORUM[1]])) is Reason.THRESHOLD_NOT_MET
    assert await at.take(sign(urgent, QUORUM))


async def test_without_a_quorum_an_emergency_takes_two_people_all_the_same(at: Desk) -> None:
    two = replace(OFFICE_GRANT, threshold=1, areas=("vn",), highest_priority=Priority.EMERGENCY)
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(two,)))
    urgent = bulletin(issuer="office", priority=Priority.EMERGENCY)
    assert await refused(at, sign(urgent, OFFICE[:1])) is Reason.THRESHOLD_NOT_MET
    assert await at.take(sign(urgent, OFFICE)) is not None


async def test_an_authority_may_have_a_threshold_of_its_own_for_emergencies(at: Desk) -> None:
    three = [*OFFICE, SIGNER]
    careful = replace(
        OFFICE_GRANT,
        keys={one.kid: one.public.raw for one in three},
        threshold=1,
        emergency_threshold=3,
        areas=("vn",),
        highest_priority=Priority.EMERGENCY,
    )
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(careful,)))
    urgent = bulletin(issuer="office", priority=Priority.EMERGENCY)
    assert await refused(at, sign(urgent, OFFICE)) is Reason.THRESHOLD_NOT_MET
    assert await at.take(sign(urgent, three)) is not None


async def test_other_priorities_need_no_quorum(at: Desk) -> None:
    at.trust = WITH_QUORUM
    assert await at.take(signed(bulletin(priority=Priority.PRIORITY))) is not None
    assert await at.take(signed(CANCEL)) is not None


OFFICE_OF_THE_WARD = replace(
    OFFICE_GRANT, threshold=1, areas=(AREA,), highest_priority=Priority.EMERGENCY, kinds=(Kind.BULLETIN, Kind.CANCEL)
)


async def on_air_of_the_office(at: Desk, **changes: object) -> bytes:
    """Have the office's statement accepted with all the signatures that it could take; its id."""
    at.trust = replace(WITH_QUORUM, grants=replace(GRANTS, authorities=(OFFICE_OF_THE_WARD,)))
    data = sign(bulletin(issuer="office", **changes), [*OFFICE, *QUORUM])
    assert await at.take(data) is not None
    return Envelope.open(data).digest


@pytest.mark.parametrize(
    ("by", "enough"),
    [
        (OFFICE[:1], False),
        (OFFICE, False),
        ([OFFICE[0], *QUORUM], False),
        ([*OFFICE, QUORUM[0]], False),
        ([*OFFICE, *QUORUM[:2]], True),
    ],
)
async def test_who_unsays_an_emergency_aloud_needs_what_the_emergency_needed(
    at: Desk, by: list[Signer], enough: bool
) -> None:
    """Else one stolen key would tell people in danger that there is none."""
    alert = await on_air_of_the_office(at, priority=Priority.EMERGENCY)
    recall = replace(RECALL, issuer="office", target=alert)
    if enough:
        assert await at.take(sign(recall, by)) is not None
        return
    assert await refused(at, sign(recall, by)) is Reason.THRESHOLD_NOT_MET
    assert not await settled(at, recall.sequence, "office")
    silent = sign(replace(recall, announce=False), OFFICE[:1])
    assert await at.take(silent) is not None, "stopping it takes its issuer alone"


@pytest.mark.parametrize(
    "changes", [{"priority": Priority.PRIORITY}, {"priority": Priority.EMERGENCY, "status": Status.EXERCISE}]
)
async def test_to_unsay_anything_else_its_issuer_is_enough(at: Desk, changes: dict[str, object]) -> None:
    wrong = await on_air_of_the_office(at, **changes)
    assert await at.take(sign(replace(RECALL, issuer="office", target=wrong), OFFICE[:1])) is not None


async def test_to_unsay_what_this_hub_does_not_hold_its_issuer_is_enough(at: Desk) -> None:
    """There is nothing to say of it here, and it never airs here."""
    await on_air_of_the_office(at, priority=Priority.EMERGENCY)
    assert await at.take(sign(replace(RECALL, issuer="office"), OFFICE[:1])) is not None


async def test_an_announcement_waits_in_the_journal_until_it_has_ended(at: Desk) -> None:
    accepted = await at.take(signed(RECALL))
    assert accepted is not None
    assert [one.digest for one in await at.journal.do(Ledger.unfinished)] == [accepted.digest]


# Replay and place


async def test_a_sequence_is_decided_once(at: Desk) -> None:
    data = signed(bulletin())
    await at.take(data)
    assert await refused(at, data) is Reason.REPLAYED
    assert await refused(at, signed(bulletin(approver="ai khác"))) is Reason.REPLAYED


async def test_one_key_cannot_use_up_all_the_numbers_of_its_issuer(at: Desk, tmp_path: Path) -> None:
    for sequence in (2**53, FURTHEST_AHEAD + 1):
        data = signed(bulletin(sequence=sequence))
        assert await refused(at, data) is Reason.SEQUENCE_TOO_FAR
        assert not await settled(at, sequence)
    assert await at.take(signed(bulletin(sequence=FURTHEST_AHEAD))) is not None
    at.journal.close()
    with desk(tmp_path, at.now) as again:  # what is far is counted from what was decided
        far = bulletin(sequence=2 * FURTHEST_AHEAD + 1)
        assert await refused(again, signed(far)) is Reason.SEQUENCE_TOO_FAR
        assert await again.take(signed(bulletin(sequence=2 * FURTHEST_AHEAD))) is not None
        assert await refused(again, sign(bulletin(issuer="office", sequence=2**53), OFFICE)) is Reason.SEQUENCE_TOO_FAR


async def test_two_ways_in_at_once_accept_once(at: Desk) -> None:
    data = signed(bulletin())
    taken = await asyncio.gather(*(at.take(data, Place(f"usb-{number}")) for number in range(8)))
    assert [one for one in taken if one is not None] == [Accepted(Envelope.open(data).digest, bulletin())]
    assert [one.event for one in at.receipts()].count(Event.ACCEPTED) == 1
    assert [one.reason for one in at.receipts()].count(Reason.REPLAYED) == 7


@pytest.mark.parametrize("place", [Place("feed", "ward", 2), Place("feed", "office", 1)])
async def test_a_true_statement_in_anothers_place(at: Desk, place: Place) -> None:
    data = signed(bulletin())
    assert await refused(at, data, place) is Reason.WRONG_FEED
    assert not await settled(at, 1)
    assert not await settled(at, 2)
    assert await at.take(data, Place("feed", "ward", 1)) is not None


# What its issuer did sign: the sequence is settled, and nobody asks for it again


async def refused_for_good(at: Desk, data: bytes, issuer: str = "ward", sequence: int = 1) -> Reason:
    reason = await refused(at, data)
    assert await settled(at, sequence, issuer)
    assert await refused(at, data) is Reason.REPLAYED
    return reason


async def test_a_grant_that_has_ended(at: Desk) -> None:
    assert await refused_for_good(at, signed(bulletin(issuer="ended")), "ended") is Reason.AUTHORITY_EXPIRED


async def test_a_kind_that_is_not_granted(at: Desk) -> None:
    data = sign(replace(CANCEL, issuer="office"), OFFICE)
    assert await refused_for_good(at, data, "office", 2) is Reason.KIND_NOT_GRANTED


@pytest.mark.parametrize("areas", [("vn",), ("vn/01",), (AREA, "vn/02"), (AREA + "9",)])
async def test_an_area_that_is_not_granted(at: Desk, areas: tuple[str, ...]) -> None:
    assert await refused_for_good(at, signed(bulletin(audience=Audience(areas)))) is Reason.AREA_NOT_GRANTED


@pytest.mark.parametrize("audience", [Audience((AREA + "/7",)), Audience((AREA,), ("hub-2", "hub-3"))])
async def test_another_hubs_bulletin(at: Desk, audience: Audience) -> None:
    assert await refused_for_good(at, signed(bulletin(audience=audience))) is Reason.NOT_FOR_THIS_HUB


async def test_a_bulletin_from_the_future(at: Desk) -> None:
    assert await at.take(signed(bulletin(issued=NOW + FUTURE_S))) is not None
    data = signed(bulletin(issued=NOW + FUTURE_S + 1, sequence=2))
    assert await refused_for_good(at, data, sequence=2) is Reason.ISSUED_IN_THE_FUTURE


@pytest.mark.parametrize("trust", [TimeTrust.NONE, TimeTrust.COARSE])
async def test_a_clock_that_may_be_behind_refuses_nothing_as_from_the_future(at: Desk, trust: TimeTrust) -> None:
    """Whoever plays old beats to a hub would else have it refuse, for good, what is issued today."""
    at.intake._clock = clock(at.now, trust)
    begins = NOW + 86_400 * 30
    data = signed(bulletin(issued=begins, not_before=begins, expires=begins + 60))
    assert await at.take(data) is not None


async def test_an_expired_bulletin(at: Desk) -> None:
    at.now.at = bulletin().expires - 1
    assert await at.take(signed(bulletin())) is not None
    at.now.at += 1
    assert await refused_for_good(at, signed(bulletin(sequence=2)), sequence=2) is Reason.EXPIRED


async def test_a_priority_that_is_not_granted(at: Desk) -> None:
    data = sign(bulletin(issuer="office", priority=Priority.PRIORITY), OFFICE)
    assert await refused_for_good(at, data, "office") is Reason.PRIORITY_NOT_GRANTED


async def test_a_bulletin_without_content(at: Desk) -> None:
    assert await refused_for_good(at, signed(bulletin(texts=()))) is Reason.NO_CONTENT


@pytest.mark.parametrize("text", [Text("vi", "Tin 中", "x"), Text("vi", "x", "a\u202eb"), Text("en", "x", "🙂" * 20)])
async def test_characters_that_no_board_can_show(at: Desk, text: Text) -> None:
    good = bulletin().texts[0]
    assert await refused_for_good(at, signed(bulletin(texts=(good, text)))) is Reason.CHARACTER_NOT_IN_FONT
    assert "U+" in at.receipts()[0].detail


async def test_a_source_that_serves_what_is_signed_in_places_of_its_own_making_fills_nothing(at: Desk) -> None:
    """A beat may name any issuers, and a feed hold anything: a true statement in each of them is no new attempt."""
    await at.take(signed(bulletin()))
    before = len(story(at.folder))
    for number in range(BURST + 200):
        await at.take(signed(bulletin()), Place("feed", f"nobody-{number}", 1))
    for number in range(200):
        await at.take(signed(bulletin(sequence=2)), Place("feed", f"somebody-{number}", 1))
    assert len(story(at.folder)) - before == BURST
    (told,) = at.tally.due(1e9, all_of_it=True)
    assert told.counts == {"replayed": 200, "wrong-feed": 200}
    assert not await settled(at, 2)


async def test_numbers_that_a_thief_used_up_begin_anew_under_another_id(at: Desk) -> None:
    await at.take(signed(bulletin(sequence=2**20)))
    assert await refused(at, signed(bulletin())) is Reason.REPLAYED
    again = replace(AUTHORITY, id="ward-2", keys={STRANGER.kid: STRANGER.public.raw})
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(again,)))
    assert await at.take(sign(bulletin(issuer="ward-2"), [STRANGER])) is not None


# Zones, boards and quotas of the grant


@pytest.mark.parametrize(
    ("audience", "reason"),
    [
        (Audience((AREA,), zones=("zone-1",), boards=("board-1",)), None),
        (Audience((AREA,), zones=("zone-1", "zone-3"), boards=("board-1",)), Reason.ZONE_NOT_GRANTED),
        (Audience((AREA,), boards=("board-1",)), Reason.ZONE_NOT_GRANTED),  # all zones
        (Audience((AREA,), zones=("zone-2",), boards=("board-2",)), Reason.BOARD_NOT_GRANTED),
        (Audience((AREA,), zones=("zone-2",)), Reason.BOARD_NOT_GRANTED),
    ],
)
async def test_a_grant_for_some_zones_and_boards(at: Desk, audience: Audience, reason: Reason | None) -> None:
    narrow = replace(AUTHORITY, zones=("zone-1", "zone-2"), boards=("board-1",))
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(narrow,)))
    data = signed(bulletin(audience=audience))
    if reason is None:
        assert await at.take(data) is not None
    else:
        assert await refused_for_good(at, data) is reason


@pytest.mark.parametrize(
    ("action", "audience", "reason"),
    [
        (Action.SILENCE, Audience((AREA,), zones=("zone-1",)), None),  # a silence could not name a board
        (Action.SILENCE, Audience((AREA,)), Reason.ZONE_NOT_GRANTED),
        (Action.SILENCE, Audience((AREA,), zones=("zone-3",)), Reason.ZONE_NOT_GRANTED),
        (Action.BLANK, Audience((AREA,), boards=("board-1",)), None),
        (Action.BLANK, Audience((AREA,)), Reason.BOARD_NOT_GRANTED),
        (Action.STOP, Audience((AREA,)), Reason.ZONE_NOT_GRANTED),  # it would reach all
    ],
)
async def test_an_order_of_who_may_address_some_zones_and_boards(
    at: Desk, action: Action, audience: Audience, reason: Reason | None
) -> None:
    narrow = replace(AUTHORITY, zones=("zone-1", "zone-2"), boards=("board-1",))
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(narrow,)))
    data = signed(replace(ORDER, action=action, audience=audience, targets=()))
    if reason is None:
        assert await at.take(data) is not None
    else:
        assert await refused_for_good(at, data, sequence=ORDER.sequence) is reason


async def test_a_quota_is_for_24_hours_and_survives_a_restart(at: Desk, tmp_path: Path) -> None:
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(replace(AUTHORITY, quota=Quota(bulletins=2)),)))
    for number in (1, 2):
        assert await at.take(signed(bulletin(sequence=number))) is not None
    at.journal.close()
    with desk(tmp_path, at.now, at.trust) as again:
        data = signed(bulletin(sequence=3))
        assert await refused_for_good(again, data, sequence=3) is Reason.QUOTA_EXCEEDED
        assert await again.take(signed(replace(CANCEL, sequence=4))) is not None  # what takes back is never too much
        again.now.at += 86_401
        late = bulletin(sequence=5, issued=int(again.now.at), expires=int(again.now.at) + 60)
        assert await again.take(signed(late)) is not None


async def test_emergencies_have_a_quota_of_their_own(at: Desk) -> None:
    few = replace(OFFICE_GRANT, highest_priority=Priority.EMERGENCY, quota=Quota(emergencies=1))
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(few,)))
    urgent = bulletin(issuer="office", priority=Priority.EMERGENCY)
    assert await at.take(sign(urgent, OFFICE)) is not None
    data = sign(replace(urgent, sequence=2), OFFICE)
    assert await refused_for_good(at, data, "office", 2) is Reason.QUOTA_EXCEEDED
    assert await at.take(sign(bulletin(issuer="office", sequence=3), OFFICE)) is not None


async def test_a_stream_counts_as_a_bulletin_and_its_stop_as_nothing(at: Desk) -> None:
    start, stop = (one for one in ORDERS if one.action in {Action.STREAM_START, Action.STREAM_STOP})
    few = replace(AUTHORITY, quota=Quota(bulletins=1), kinds=tuple(Kind))
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(few,)))
    assert (await at.take(signed(replace(start, sequence=1)))) is not None
    assert await refused_for_good(at, signed(replace(start, sequence=2)), sequence=2) is Reason.QUOTA_EXCEEDED
    assert (await at.take(signed(replace(stop, sequence=3)))) is not None
    assert await refused_for_good(at, signed(bulletin(sequence=4)), sequence=4) is Reason.QUOTA_EXCEEDED


async def test_repeats_are_capped_by_the_grant(at: Desk) -> None:
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(replace(AUTHORITY, quota=Quota(repeats=2)),)))
    assert await at.take(signed(bulletin(repeats=2))) is not None
    assert await refused_for_good(at, signed(bulletin(sequence=2, repeats=3)), sequence=2) is Reason.QUOTA_EXCEEDED


# Orders


async def test_an_order_is_judged_like_a_bulletin_and_waits_to_be_carried_out(at: Desk) -> None:
    accepted = await at.take(signed(ORDER))
    assert accepted == Accepted(Envelope.open(signed(ORDER)).digest, ORDER)
    assert [one.digest for one in await at.journal.do(Ledger.unfinished)] == [Envelope.open(signed(ORDER)).digest]
    assert await refused(at, signed(ORDER)) is Reason.REPLAYED


@pytest.mark.parametrize("order", [one for one in ORDERS if one.action in KINDS])
async def test_streams_and_settings_are_kinds_of_their_own(at: Desk, order: Order) -> None:
    assert await refused_for_good(at, signed(order), sequence=3) is Reason.KIND_NOT_GRANTED


async def test_an_order_of_a_priority_that_is_not_granted(at: Desk) -> None:
    low = replace(AUTHORITY, highest_priority=Priority.NORMAL)
    at.trust = replace(TRUST, grants=replace(GRANTS, authorities=(low,)))
    assert await refused_for_good(at, signed(ORDER), sequence=3) is Reason.PRIORITY_NOT_GRANTED


# Break-glass


GLASS = replace(OFFICE_GRANT, areas=("vn",), break_glass=BreakGlass({SEALED_KEY.kid: SEALED_KEY.public.raw}, 2))
GLASS = replace(GLASS, highest_priority=Priority.EMERGENCY, kinds=(Kind.BULLETIN, Kind.CANCEL, Kind.ORDER))
BROKEN = replace(WITH_QUORUM, grants=replace(GRANTS, authorities=(GLASS,)))


def urgent(sequence: int = 1, **changes: object) -> bytes:
    """An emergency of the office, by its sealed key alone."""
    return sign(bulletin(issuer="office", sequence=sequence, priority=Priority.EMERGENCY, **changes), [SEALED_KEY])


async def test_a_sealed_key_counts_only_while_the_ward_is_cut_off(at: Desk) -> None:
    at.trust = BROKEN
    assert await refused_for_good(at, urgent(), "office") is Reason.NOT_CUT_OFF
    at.cut_off = True
    assert await at.take(urgent(2)) is not None
    assert at.receipts()[-1].break_glass == 1


async def test_a_sealed_key_is_for_its_own_ward(at: Desk) -> None:
    at.trust, at.cut_off = BROKEN, True
    for number, areas in enumerate((("vn",), ("vn/01",), (AREA, "vn/02")), 1):
        data = urgent(number, audience=Audience(areas))
        assert await refused_for_good(at, data, "office", number) is Reason.OUTSIDE_OWN_WARD


async def test_the_uses_of_a_sealed_key_are_counted_across_restarts_until_cleared(at: Desk, tmp_path: Path) -> None:
    at.trust, at.cut_off = BROKEN, True
    assert await at.take(urgent(1)) is not None
    at.journal.close()
    with desk(tmp_path, at.now, BROKEN) as again:
        again.cut_off = True
        assert await again.take(urgent(2)) is not None
        assert await refused_for_good(again, urgent(3), "office", 3) is Reason.BREAK_GLASS_USED_UP
        taken_back = replace(CANCEL, issuer="office", sequence=4)
        assert await again.take(sign(taken_back, [SEALED_KEY])) is not None
        assert [one.break_glass for one in again.receipts()] == [1, 2, 2, 2, 2]
        assert await again.journal.do(Ledger.clear_break_glass) == 2
        assert await again.take(urgent(5)) is not None
        assert again.receipts()[-1].break_glass == 1


@pytest.mark.parametrize("statement", [bulletin(issuer="office"), replace(ORDER, issuer="office", sequence=1)])
async def test_a_sealed_key_signs_emergencies_and_cancels_and_nothing_else(at: Desk, statement: Issued) -> None:
    at.trust, at.cut_off = BROKEN, True
    assert await refused(at, sign(statement, [SEALED_KEY])) is Reason.THRESHOLD_NOT_MET
    assert not await settled(at, issuer="office")  # for these it is no key of its issuer


async def test_with_the_full_signatures_a_sealed_key_beside_them_is_no_use_of_it(at: Desk) -> None:
    at.trust = BROKEN
    whole = bulletin(issuer="office", priority=Priority.EMERGENCY)
    assert await at.take(sign(whole, [*OFFICE, *QUORUM[:2], SEALED_KEY])) is not None
    assert at.receipts()[-1].break_glass == 0


# The rest


async def test_what_is_not_even_fetched_has_a_receipt_too(at: Desk) -> None:
    place = Place("feed", "ward", 1)
    await at.intake.refuse_unread(place, Reason.TOO_LARGE, "10 MB")
    await at.intake.refuse_unread(place, Reason.TOO_LARGE, "10 MB")
    (receipt,) = at.receipts()
    assert (receipt.statement, receipt.reason) == (bytes(32), Reason.TOO_LARGE)
    assert not await settled(at)


async def test_the_same_again_is_not_told_again(at: Desk) -> None:
    for _ in range(5):
        await at.take(b"garbage")
    assert len(at.receipts()) == 1


async def test_checks_come_in_order(at: Desk) -> None:
    """Everything is wrong with it at once, and is mended thing by thing."""
    worst = bulletin(issuer="pirate", audience=Audience(("vn/03",)), expires=NOW + 1, issued=NOW + 10**6, texts=())
    at.now.at = NOW + 2.0
    seen = [await refused(at, sign(worst, [STRANGER]))]
    seen += [await refused(at, sign(worst, OFFICE))]
    one = replace(worst, issuer="office", priority=Priority.PRIORITY)
    seen += [await refused(at, sign(one, OFFICE[:1]))]
    seen += [await refused(at, sign(one, OFFICE), Place("feed", "office", 9))]
    for mended in (
        {},
        {"audience": Audience((AREA + "/1",))},
        {"audience": Audience((AREA,))},
        {"issued": NOW},
        {"expires": NOW + 60},
        {"priority": Priority.NORMAL},
        {"texts": (Text("vi", "中", "x"),)},
    ):
        one = replace(one, sequence=one.sequence + 1, **mended)
        seen += [await refused(at, sign(one, OFFICE))]
    assert seen == [
        Reason.UNKNOWN_KEY,
        Reason.UNKNOWN_AUTHORITY,
        Reason.THRESHOLD_NOT_MET,
        Reason.WRONG_FEED,
        Reason.AREA_NOT_GRANTED,
        Reason.NOT_FOR_THIS_HUB,
        Reason.ISSUED_IN_THE_FUTURE,
        Reason.EXPIRED,
        Reason.PRIORITY_NOT_GRANTED,
        Reason.NO_CONTENT,
        Reason.CHARACTER_NOT_IN_FONT,
    ]


@pytest.mark.parametrize(
    ("area", "of", "says"),
    [("vn/01", "vn/01", True), ("vn/01/2", "vn/01", True), ("vn/012", "vn/01", False), ("vn", "vn/01", False)],
)
def test_an_area_lies_in_another_by_whole_names(area: str, of: str, says: bool) -> None:
    assert inside(area, of) is says


async def test_refusals_and_acceptances_are_logged(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await at.take(b"garbage", Place("feed", "ward", 7))
        await at.take(signed(bulletin()))
        await at.take(signed(bulletin(sequence=2, status=Status.TEST)))
    assert "malformed-cose" in caplog.messages[0]
    assert "feed/ward/7" in caplog.messages[0]
    assert caplog.messages[1].endswith(f" bulletin {bulletin().title}")
    assert caplog.messages[2].endswith(f" bulletin [TEST] {bulletin().title}")
