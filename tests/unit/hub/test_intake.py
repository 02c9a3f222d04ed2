"""Intake: one test for each reason to refuse, their order, and what settles a sequence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.intakes import OFFICE, QUORUM, USB, WITH_QUORUM, Desk, bulletin, desk, signed
from tests.journals import story
from tests.statements import AREA, BEAT, BEAT_KEY, CANCEL, GRANTS, NOW, ROOT, ROOT_KEY, SIGNER, STRANGER

from ward_hub.intake import FUTURE_S, Accepted, Place, inside
from ward_hub.journal import Ledger, State
from ward_hub.tally import BURST
from ward_protocol.envelope import MAX_SIZE, Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Event, Priority, Statement, Text


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
    ],
)
async def test_bytes_that_are_no_envelope(at: Desk, data: bytes, reason: Reason) -> None:
    assert await refused(at, data, Place("feed", "ward", 1)) is reason
    assert not await settled(at)


@pytest.mark.parametrize("statement", [BEAT, ROOT, GRANTS])
async def test_statements_that_do_not_come_this_way(at: Desk, statement: Statement) -> None:
    by = BEAT_KEY if statement is BEAT else ROOT_KEY
    assert await refused(at, sign(statement, [by])) is Reason.UNKNOWN_TYPE


# Issuer and signatures: nothing here settles a sequence, the true statement may still come


async def test_an_issuer_that_nobody_granted(at: Desk) -> None:
    assert await refused(at, signed(bulletin(issuer="pirate"))) is Reason.UNKNOWN_AUTHORITY
    assert not await settled(at, issuer="pirate")


async def test_no_grants_yet(at: Desk) -> None:
    granted, at.trust = at.trust, replace(at.trust, grants=None)
    assert await refused(at, signed(bulletin())) is Reason.UNKNOWN_AUTHORITY
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


@pytest.mark.parametrize(("others", "enough"), [([], False), (QUORUM[:1], False), (QUORUM[1:], True), (QUORUM, True)])
async def test_an_emergency_needs_the_quorum(at: Desk, others: list[object], enough: bool) -> None:
    at.trust = WITH_QUORUM
    data = sign(bulletin(priority=Priority.EMERGENCY), [SIGNER, *others])  # type: ignore[list-item]
    if enough:
        assert await at.take(data) is not None
    else:
        assert await refused(at, data) is Reason.THRESHOLD_NOT_MET
        assert not await settled(at)


async def test_other_priorities_need_no_quorum(at: Desk) -> None:
    at.trust = WITH_QUORUM
    assert await at.take(signed(bulletin(priority=Priority.PRIORITY))) is not None
    assert await at.take(signed(CANCEL)) is not None


# Replay and place


async def test_a_sequence_is_decided_once(at: Desk) -> None:
    data = signed(bulletin())
    await at.take(data)
    assert await refused(at, data) is Reason.REPLAYED
    assert await refused(at, signed(bulletin(approver="ai khác"))) is Reason.REPLAYED


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
    one = replace(worst, issuer="office", priority=Priority.EMERGENCY)
    seen += [await refused(at, sign(one, [STRANGER]))]
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
        Reason.UNKNOWN_AUTHORITY,
        Reason.UNKNOWN_KEY,
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
    assert "malformed-cose" in caplog.messages[0]
    assert "feed/ward/7" in caplog.messages[0]
    assert bulletin().title in caplog.messages[1]
