"""A hub's receipts at the source: in any order they are a chain, and whatever was rewritten contradicts it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.statements import RECEIPT, signer

from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Receipt
from ward_sim.source.chains import ChainBreak, Chains

KEY, OTHER_KEY = signer(5), signer(6)
COUNT = 8


def chain(count: int = COUNT, *, salt: str = "", after: Sequence[Receipt] = ()) -> list[Receipt]:
    """A hub's first receipts, or those that follow others; another salt is another story."""
    found = list(after)
    for number in range(len(found) + 1, count + 1):
        head = hashlib.sha256(f"{salt}{number}".encode()).digest()
        previous = ident(found[-1]) if found else b""
        found.append(
            replace(
                RECEIPT,
                hub="hub-1",
                sequence=number,
                previous=previous,
                detail=salt,
                evidence=None,
                audit_entry=2 * number,
                audit_head=head,
            )
        )
    return found


def ident(receipt: Receipt) -> bytes:
    return Envelope.open(sign(receipt, [KEY])).digest


def told(receipts: Sequence[Receipt], chains: Chains | None = None, kid: bytes = KEY.kid) -> list[ChainBreak]:
    at = chains or Chains()
    found = [at.take(kid, ident(one), one) for one in receipts]
    return [one for one in found if one is not None]


@given(st.permutations(chain()))
def test_receipts_may_come_in_any_order(receipts: list[Receipt]) -> None:
    assert told(receipts) == []


@given(st.permutations(chain()), st.sets(st.integers(0, COUNT - 1)))
def test_what_did_not_come_yet_is_no_break(receipts: list[Receipt], missing: set[int]) -> None:
    assert told([one for number, one in enumerate(receipts) if number not in missing]) == []


@given(st.integers(0, COUNT - 1), st.integers(1, 4))
def test_a_history_that_was_rewritten_is_told_once_with_the_first_that_shows_it(kept: int, more: int) -> None:
    """From receipt `kept` on the hub tells another story; what was delivered before is not delivered again."""
    chains, delivered = Chains(), chain()
    assert told(delivered, chains) == []
    rewritten = chain(COUNT + more, salt="other", after=delivered[:kept])
    (found,) = told(rewritten[COUNT:], chains)
    assert (found.hub, found.sequence) == ("hub-1", COUNT + 1)
    assert found.why == f"does not follow receipt {COUNT}"


@given(st.integers(1, COUNT))
def test_a_journal_that_is_begun_anew_is_told_once(again: int) -> None:
    chains = Chains()
    assert told(chain(), chains) == []
    (found,) = told(chain(again, salt="other"), chains)
    assert found.sequence == 1
    assert found.why.startswith("came before with another content, as ")


@given(st.permutations(chain(4, salt="other", after=chain(2))[2:]), st.permutations(chain(4)))
def test_two_stories_are_told_in_whatever_order_they_come(others: list[Receipt], ours: list[Receipt]) -> None:
    assert told([*ours, *others])
    assert told([*others, *ours])


def changed(number: int, **fields: object) -> str:
    """Return why the receipt of a number does not fit, after all others came."""
    receipts = chain()
    others = [one for one in receipts if one.sequence != number]
    odd = replace(receipts[number - 1], **fields)  # type: ignore[arg-type]
    (found,) = told([*others, odd])
    return found.why


@pytest.mark.parametrize(
    ("number", "fields", "why"),
    [
        (8, {"audit_entry": 13}, "stands at entry 13 of the audit trail, and receipt 7 at 14: the trail went back"),
        (8, {"audit_entry": 14}, "names another entry 14 of the audit trail than receipt 7"),
        (8, {"previous": bytes(32)}, "does not follow receipt 7"),
        (8, {"previous": b""}, "names none before it"),
        (1, {"previous": bytes(32)}, "is the first and names one before it"),
        (4, {"detail": "x"}, "is not the one that receipt 5 follows"),
    ],
)
def test_each_rule_says_what_is_wrong(number: int, fields: dict[str, object], why: str) -> None:
    assert changed(number, **fields) == why


def test_a_trail_that_went_back_shows_over_a_gap_as_well() -> None:
    receipts = chain()
    gap = [receipts[1], replace(receipts[5], audit_entry=3)]
    (found,) = told(gap)
    assert "the trail went back" in found.why
    (found,) = told([*reversed(gap)])
    assert found.sequence == 2


def test_a_hub_that_was_replaced_has_another_key_and_another_chain() -> None:
    chains = Chains()
    assert told(chain(), chains) == []
    assert told(chain(salt="other"), chains, OTHER_KEY.kid) == []


def test_a_break_names_hub_receipt_and_what_to_do() -> None:
    words = str(ChainBreak("hub-1", 9, "does not follow receipt 8"))
    assert words.startswith("hub hub-1: receipt 9 does not follow receipt 8. ")
    assert "`wardhub audit verify --receipts`" in words
