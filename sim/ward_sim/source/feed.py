"""What a source publishes: each issuer's statements by sequence, and the trust documents that say who may."""

from __future__ import annotations

from collections.abc import Sequence

from aiocoap.numbers.codes import Code

from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Bulletin, Cancel, Grants, Root
from ward_sim.source.errors import RefusedStatement

Place = tuple[str, int]


class Documents:
    """Root or grants by version; `versions` in ascending order."""

    def __init__(self, documents: Sequence[bytes]) -> None:
        self._documents: dict[int, bytes] = {}
        self.newest = 0
        for data in documents:
            self.add(data)

    def add(self, data: bytes) -> int:
        """Keep a document and return its version."""
        statement = Envelope.open(data).statement
        if not isinstance(statement, Root | Grants):
            raise RefusedStatement(Code.BAD_REQUEST, f"a {type(statement).__name__} is no trust document")
        self._documents[statement.version] = data
        self.newest = max(self.newest, statement.version)
        return statement.version

    def get(self, version: int) -> bytes | None:
        """Return the document of a version."""
        return self._documents.get(version)


class Feed:
    """Statements in their places; a careful source checks each before it takes it."""

    def __init__(self, grants: Documents, *, unchecked: bool = False) -> None:
        self._grants = grants
        self._unchecked = unchecked
        self._statements: dict[Place, bytes] = {}
        self.heads: dict[str, int] = {}

    def get(self, issuer: str, sequence: int) -> bytes | None:
        """Return the envelope in a place."""
        return self._statements.get((issuer, sequence))

    def publish(self, data: bytes) -> tuple[Bulletin | Cancel, bool]:
        """Take a statement into its place and return it, and whether it is new; the same one again is not.

        Raises RefusedStatement where its signature or sequence is not right.
        """
        envelope = _opened(data)
        statement = envelope.statement
        if not isinstance(statement, Bulletin | Cancel):
            raise RefusedStatement(Code.UNPROCESSABLE_ENTITY, f"a {envelope.type.name.lower()} is not published")
        place = statement.issuer, statement.sequence
        if self._statements.get(place) == data:
            return statement, False
        if not self._unchecked:
            self._check(envelope, statement)
        self.put(data, *place)
        return statement, True

    def put(self, data: bytes, issuer: str, sequence: int) -> None:
        """Put any bytes into any place, as a hijacked source would."""
        self._statements[issuer, sequence] = data
        self.heads[issuer] = max(sequence, self.heads.get(issuer, 0))

    def _check(self, envelope: Envelope, statement: Bulletin | Cancel) -> None:
        following = self.heads.get(statement.issuer, 0) + 1
        if statement.sequence != following:
            why = f"{statement.issuer} is at {following - 1}: sequence {following} is next"
            raise RefusedStatement(Code.CONFLICT, why)
        grants = self._newest_grants()
        authority = None if grants is None else grants.authority(statement.issuer)
        if authority is None:
            raise RefusedStatement(Code.FORBIDDEN, f"{statement.issuer} is granted nothing here")
        try:
            keys = {kid: PublicKey(raw) for kid, raw in authority.keys.items()}
            signers = envelope.verified_by(keys)
        except ProtocolError as error:
            raise RefusedStatement(Code.FORBIDDEN, str(error)) from error
        if len(signers) < authority.threshold:
            why = f"signed by {len(signers)} of {statement.issuer}'s keys, {authority.threshold} are needed"
            raise RefusedStatement(Code.FORBIDDEN, why)

    def _newest_grants(self) -> Grants | None:
        data = self._grants.get(self._grants.newest)
        statement = None if data is None else Envelope.open(data).statement
        return statement if isinstance(statement, Grants) else None


def _opened(data: bytes) -> Envelope:
    try:
        return Envelope.open(data)
    except ProtocolError as error:
        raise RefusedStatement(Code.BAD_REQUEST, str(error)) from error
