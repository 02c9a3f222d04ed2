"""Receipts as the source holds them against this hub's own journal: what was rewritten here contradicts them.

Whoever has the hub can hash its trail anew and sign its receipts anew, as the hub's key lies beside them. What they
cannot reach is what was delivered before: each of those names an entry of the trail and its hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ward_hub.journal.audit import AuditError, Checked
from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Receipt


@dataclass(frozen=True, slots=True)
class Compared:
    """How many receipts of this hub's key agreed, and how many of other keys were passed over."""

    agreed: int
    passed_over: int


@dataclass(frozen=True, slots=True)
class Upstream:
    """One receipt that lies at the source, with the name of what it was read from."""

    name: str
    digest: bytes
    receipt: Receipt


def compare(journal: Checked, key: PublicKey, held: Iterable[tuple[str, bytes]]) -> Compared:
    """Compare signed receipts, each with a name for people, with a journal that was verified by the same `key`.

    Raises AuditError naming the first receipt that contradicts the journal, and the entries that were rewritten.
    """
    ours: list[Upstream] = []
    passed_over = 0
    for name, data in held:
        one = _read(name, data, key)
        if one is None:
            passed_over += 1
        else:
            ours.append(one)
    ours.sort(key=lambda one: one.receipt.sequence)
    agreed_entry = 0
    for one in ours:
        _check(one, journal, agreed_entry)
        agreed_entry = one.receipt.audit_entry
    return Compared(len({one.digest for one in ours}), passed_over)


def _read(name: str, data: bytes, key: PublicKey) -> Upstream | None:
    """Return the receipt in an envelope, None where another key signed it."""
    try:
        envelope = Envelope.open(data)
        receipt = envelope.statement
        if not isinstance(receipt, Receipt):
            raise AuditError(f"audit: {name}: a {envelope.type.name.lower()} is no receipt")
        return Upstream(name, envelope.digest, receipt) if envelope.verified_by({key.kid: key}) else None
    except ProtocolError as error:
        raise AuditError(f"audit: {name}: {error}") from error


def _check(one: Upstream, journal: Checked, agreed_entry: int) -> None:
    """Raise AuditError where the journal has another receipt of that number; all before agreed up to `agreed_entry`."""
    receipt, what = one.receipt, f"audit: receipt {one.receipt.sequence} at the source ({one.name})"
    if receipt.sequence <= len(journal.receipts) and journal.receipts[receipt.sequence - 1] == one.digest:
        return
    entries = _entries(agreed_entry + 1, receipt.audit_entry)
    if receipt.audit_entry > len(journal.chains):
        raise AuditError(f"{what} was signed over entry {receipt.audit_entry}: the trail ends at {len(journal.chains)}")
    if receipt.audit_entry and journal.chains[receipt.audit_entry - 1] != receipt.audit_head:
        raise AuditError(f"{what} contradicts the trail: {entries} altered, removed or moved after it was signed")
    if receipt.sequence > len(journal.receipts):
        raise AuditError(f"{what} is not in this journal: it was removed")
    raise AuditError(f"{what} is another than the journal's: that was made anew, though the trail agrees")


def _entries(first: int, last: int) -> str:
    return f"entry {last} was" if first >= last else f"one of the entries {first} to {last} was"
