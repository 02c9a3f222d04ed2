"""What a source publishes: each issuer's statements by sequence, and the trust documents that say who may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from aiocoap.numbers.codes import Code

from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.statements import Bulletin, Cancel, Grants, Issued, Order, Root
from ward_sim.source.errors import RefusedStatement
from ward_sim.source.issued import check_issued

Place = tuple[str, int]
D = TypeVar("D", bound=Root | Grants)


class Documents(Generic[D]):
    """Roots or grants by version; `documents` in ascending order, each of the `kind`."""

    def __init__(self, documents: Sequence[bytes], kind: type[D]) -> None:
        self._kind: type[D] = kind
        self._documents: dict[int, bytes] = {}
        self.newest = 0
        for data in documents:
            self.add(data)

    def add(self, data: bytes) -> int:
        """Keep a document and return its version."""
        statement = Envelope.open(data).statement
        if not isinstance(statement, self._kind):
            raise RefusedStatement(Code.BAD_REQUEST, f"a {type(statement).__name__} does not belong here")
        self._documents[statement.version] = data
        self.newest = max(self.newest, statement.version)
        return statement.version

    def get(self, version: int) -> bytes | None:
        """Return the document of a version."""
        return self._documents.get(version)

    def statement(self) -> D:
        """Return the newest document as a statement."""
        statement = Envelope.open(self._documents[self.newest]).statement
        assert isinstance(statement, self._kind)  # noqa: S101 - `add` took nothing else
        return statement


class Feed:
    """Statements in their places; a careful source checks each before it takes it."""

    def __init__(self, roots: Documents[Root], grants: Documents[Grants], *, unchecked: bool = False) -> None:
        self._roots = roots
        self._grants = grants
        self._unchecked = unchecked
        self._statements: dict[Place, bytes] = {}
        self.heads: dict[str, int] = {}

    def get(self, issuer: str, sequence: int) -> bytes | None:
        """Return the envelope in a place."""
        return self._statements.get((issuer, sequence))

    def publish(self, data: bytes) -> tuple[Issued, bool]:
        """Take a statement into its place and return it, and whether it is new; the same one again is not.

        Raises RefusedStatement where its sequence, its signatures or what it asks for is not right.
        """
        envelope = _opened(data)
        statement = envelope.statement
        if not isinstance(statement, Bulletin | Cancel | Order):
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

    def _check(self, envelope: Envelope, statement: Issued) -> None:
        following = self.heads.get(statement.issuer, 0) + 1
        if statement.sequence != following:
            why = f"{statement.issuer} is at {following - 1}: sequence {following} is next"
            raise RefusedStatement(Code.CONFLICT, why)
        authority = self._grants.statement().authority(statement.issuer)
        if authority is None:
            raise RefusedStatement(Code.FORBIDDEN, f"{statement.issuer} is granted nothing here")
        check_issued(envelope, statement, authority, self._roots.statement())


def _opened(data: bytes) -> Envelope:
    try:
        return Envelope.open(data)
    except ProtocolError as error:
        raise RefusedStatement(Code.BAD_REQUEST, str(error)) from error
