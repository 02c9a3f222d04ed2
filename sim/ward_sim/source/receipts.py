"""Receipts that hubs delivered: verified with the enrolled keys, each kept once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiocoap.numbers.codes import Code

from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Receipt
from ward_sim.source.errors import RefusedStatement


@dataclass(frozen=True, slots=True)
class Delivered:
    """A receipt and its digest; `new` where it came for the first time."""

    receipt: Receipt
    digest: bytes
    new: bool


class Receipts:
    """All receipts in the order of their coming; `hub_keys` are raw public keys by hub.

    `has_channel` says of which hubs they are taken through its channel only.
    """

    def __init__(self, hub_keys: Mapping[str, bytes], has_channel: Callable[[str], bool]) -> None:
        self._keys = {hub: PublicKey(raw) for hub, raw in hub_keys.items()}
        self._has_channel = has_channel
        self._digests: set[bytes] = set()
        self.all: list[Receipt] = []

    def enrol(self, hub: str, raw: bytes) -> None:
        """Know a hub by this raw public key from now on."""
        self._keys[hub] = PublicKey(raw)

    def take(self, data: bytes, through: str | None) -> Delivered:
        """Verify and keep a receipt that came through a hub's channel, or open; raises RefusedStatement."""
        try:
            envelope = Envelope.open(data)
            receipt = envelope.statement
            if not isinstance(receipt, Receipt):
                raise RefusedStatement(Code.FORBIDDEN, f"a {envelope.type.name.lower()} is no receipt")
            self._check_way(receipt.hub, through)
            key = self._keys.get(receipt.hub)
            if key is None:
                raise RefusedStatement(Code.FORBIDDEN, f"hub {receipt.hub} is not enrolled")
            signers = envelope.verified_by({key.kid: key})
        except ProtocolError as error:
            raise RefusedStatement(Code.FORBIDDEN, str(error)) from error
        if not signers:
            raise RefusedStatement(Code.FORBIDDEN, f"not signed with the key that hub {receipt.hub} enrolled")
        new = envelope.digest not in self._digests
        if new:
            self._digests.add(envelope.digest)
            self.all.append(receipt)
        return Delivered(receipt, envelope.digest, new)

    def _check_way(self, hub: str, through: str | None) -> None:
        if through is None and self._has_channel(hub):
            raise RefusedStatement(Code.UNAUTHORIZED, f"receipts of hub {hub} are taken through its channel only")
        if through not in {None, hub}:
            raise RefusedStatement(Code.FORBIDDEN, f"a receipt of hub {hub} in the channel of hub {through}")
