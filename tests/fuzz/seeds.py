"""Writes the seeds of the samples in tests.statements anew, after one was changed: python -m tests.fuzz.seeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.target import KINDS, TOKEN
from tests.statements import SAMPLES, SIGNER

from ward_protocol import cbor
from ward_protocol.envelope import sign
from ward_protocol.schema import to_map
from ward_protocol.statements import TYPES, Order

CORPUS = Path(__file__).with_name("corpus")


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield each seed's name and bytes: the sample signed by both kinds of keys, and its fields behind its type."""
    for one in SAMPLES:
        name = type(one).__name__.lower()
        if isinstance(one, Order):
            name += f"-{one.action.name.lower().replace('_', '-')}"
        yield f"{name}-eddsa", sign(one, [SIGNER])
        yield f"{name}-es256", sign(one, [TOKEN])
        yield f"{name}-fields", bytes((KINDS.index(TYPES[type(one)]),)) + cbor.encode(to_map(one))


if __name__ == "__main__":
    for name, data in seeds():
        (CORPUS / f"seed-{name}").write_bytes(data)
