"""Receipts that hubs delivered: verified with the enrolled keys, each kept once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiocoap.numbers.codes import Code

from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Receipt
from ward_sim.source.chains import ChainBreak, Chains
from ward_sim.source.errors import RefusedStatement


@dataclass(frozen=True, slots=True)
class Delivered:
    """A receipt and its digest; `new` where it came for the first time, `broken` where it does not fit to others."""

    receipt: Receipt
    digest: bytes
    new: bool
    broken: ChainBreak | None


class Receipts:
    """All receipts in the order of their coming; `hub_keys` are raw public keys by hub.

    `has_channel` says of which hubs they are taken through its channel only.
    """

    def __init__(self, hub_keys: Mapping[str, bytes], has_channel: Callable[[str], bool]) -> None:
        self._keys = {hub: PublicKey(raw) for hub, raw in hub_keys.items()}
        self._has_channel = has_channel
        self._envelopes: dict[bytes, bytes] = {}
        self._chains = Chains()
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
        digest = envelope.digest
        if digest in self._envelopes:
            return Delivered(receipt, digest, new=False, broken=None)
        self._envelopes[digest] = data
        self.all.append(receipt)
        return Delivered(receipt, digest, new=True, broken=self._chains.take(key.kid, digest, receipt))

    def save(self, folder: Path) -> None:
        """Write each as it was signed to a file of `folder`, which is made: for who compares them with a journal."""
        folder.mkdir(parents=True, exist_ok=True)
        for (digest, data), receipt in zip(self._envelopes.items(), self.all, strict=True):
            (folder / f"{receipt.hub}-{receipt.sequence:06d}-{digest.hex()[:8]}.cose").write_bytes(data)

    def _check_way(self, hub: str, through: str | None) -> None:
        if through is None and self._has_channel(hub):
            raise RefusedStatement(Code.UNAUTHORIZED, f"receipts of hub {hub} are taken through its channel only")
        if through not in {None, hub}:
            raise RefusedStatement(Code.FORBIDDEN, f"a receipt of hub {hub} in the channel of hub {through}")
