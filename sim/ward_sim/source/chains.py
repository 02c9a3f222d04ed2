"""Each hub's receipts as a chain: whether they follow one another, in whatever order they come. Pure.

A hub numbers its receipts and names in each the one before and where its audit trail stood. Whoever rewrites a hub's
journal afterwards, receipts and all, breaks that chain with the next receipt: what was delivered lies here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ward_protocol.statements import Receipt


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A receipt that does not fit to those that came before: of which hub, which, and why."""

    hub: str
    sequence: int
    why: str

    def __str__(self) -> str:
        return (
            f"hub {self.hub}: receipt {self.sequence} {self.why}. Its journal was rewritten, or begun anew: compare it"
            f" with the receipts held here, by `wardhub audit verify --receipts`, and trust none from"
            f" {self.sequence} on until that is explained"
        )


@dataclass(slots=True)
class _Chain:
    """The receipts of one key by number, as they came first; `forks` are the ids of those on a break that was told."""

    known: dict[int, tuple[bytes, Receipt]] = field(default_factory=dict[int, tuple[bytes, Receipt]])
    forks: set[bytes] = field(default_factory=set[bytes])
    highest: int = 0


class Chains:
    """Takes verified receipts, each once; a hub that is enrolled with another key begins another chain."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, bytes], _Chain] = {}

    def take(self, kid: bytes, digest: bytes, receipt: Receipt) -> ChainBreak | None:
        """Take a receipt by its key's and its own id; returns why it does not fit, once for each break.

        What comes late is no break: neighbours that did not come yet are compared when they do.
        """
        chain = self._chains.setdefault((receipt.hub, kid), _Chain())
        if receipt.previous in chain.forks:
            chain.forks.add(digest)
            return None
        why = next(_contradictions(chain, digest, receipt), "")
        if not why:
            chain.known[receipt.sequence] = digest, receipt
            chain.highest = max(chain.highest, receipt.sequence)
            return None
        chain.forks.add(digest)
        return ChainBreak(receipt.hub, receipt.sequence, why)


def _contradictions(chain: _Chain, digest: bytes, receipt: Receipt) -> Iterator[str]:
    number, known = receipt.sequence, chain.known
    if number in known:
        yield f"came before with another content, as {known[number][0].hex()[:16]}, now as {digest.hex()[:16]}"
    if (number == 1) == bool(receipt.previous):
        yield "is the first and names one before it" if number == 1 else "names none before it"
    if number - 1 in known and receipt.previous != known[number - 1][0]:
        yield f"does not follow receipt {number - 1}"
    if number + 1 in known and known[number + 1][1].previous != digest:
        yield f"is not the one that receipt {number + 1} follows"
    for other in (_neighbour(chain, number, -1), _neighbour(chain, number, 1)):
        if other is not None:
            yield from _trail(receipt, other)


def _neighbour(chain: _Chain, number: int, step: int) -> Receipt | None:
    """Return the nearest receipt that is known below (-1) or above (1) a number."""
    near = number + step
    if near not in chain.known:
        if step > 0 and number > chain.highest:
            return None  # the common case: it is the newest
        beyond = [one for one in chain.known if (one - number) * step > 0]
        near = min(beyond, key=lambda one: abs(one - number), default=0)
    return chain.known[near][1] if near in chain.known else None


def _trail(receipt: Receipt, other: Receipt) -> Iterator[str]:
    """Give how the heads of the audit trail in two receipts contradict each other."""
    later = receipt.sequence > other.sequence
    ahead = receipt.audit_entry - other.audit_entry
    if ahead and (ahead > 0) is not later:
        yield (
            f"stands at entry {receipt.audit_entry} of the audit trail, and receipt {other.sequence} at"
            f" {other.audit_entry}: the trail went back"
        )
    if not ahead and receipt.audit_head != other.audit_head:
        yield f"names another entry {receipt.audit_entry} of the audit trail than receipt {other.sequence}"
