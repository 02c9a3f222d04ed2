"""Deterministic CBOR: one encoding for each value, and nothing else accepted.

cbor2 decodes; what it would let through (trailing bytes, non-shortest forms, unsorted keys, floats, big numbers)
is caught by encoding the value again and comparing. Our maps hold keys of one major type each, for which cbor2's
length-first order and the bytewise order of RFC 8949 §4.2.1 agree.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import cbor2

from ward_protocol.errors import EnvelopeError
from ward_protocol.reasons import Reason

MAX_DEPTH = 10


def is_array(item: object) -> TypeGuard[list[Any]]:
    """Say whether a decoded item is an array."""
    return type(item) is list


def is_map(item: object) -> TypeGuard[dict[Any, Any]]:
    """Say whether a decoded item is a map."""
    return type(item) is dict


def encode(value: Any) -> bytes:
    """Return the deterministic encoding (RFC 8949 §4.2.1) of integers, strings, lists, maps, booleans and tags."""
    return bytes(cbor2.dumps(value, canonical=True))


def decode(data: bytes, what: str) -> Any:
    """Return the value of `data`, the deterministic encoding of one item named `what` in errors.

    Raises EnvelopeError(MALFORMED_CBOR) for bytes that are no CBOR or too deep, EnvelopeError(NOT_DETERMINISTIC)
    for any other encoding of a value than the deterministic one, trailing bytes included.
    """
    try:
        value = cbor2.loads(data, max_depth=MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False)
        again = encode(value)
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError) as error:
        raise EnvelopeError(Reason.MALFORMED_CBOR, f"{what}: {error}") from error
    if again != data:
        raise EnvelopeError(Reason.NOT_DETERMINISTIC, f"{what}: not the deterministic encoding of its value")
    return value
