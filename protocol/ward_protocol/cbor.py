"""Deterministic CBOR: one encoding for each value, and nothing else accepted.

cbor2 decodes; what it would let through is caught by encoding the value again as it stands and comparing (trailing
bytes, long forms), and by a walk over the value (order of keys, floats). Tags are refused before cbor2 can act on them:
ten bytes that say 2 ** 1,000,000 would cost milliseconds, and 64 KiB of them minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, TypeGuard

import cbor2

from ward_protocol.errors import EnvelopeError
from ward_protocol.reasons import Reason

MAX_DEPTH = 10
_LEAVES = frozenset({int, str, bytes, bool, type(None)})


def is_array(item: object) -> TypeGuard[list[Any]]:
    """Say whether a decoded item is an array."""
    return type(item) is list


def is_map(item: object) -> TypeGuard[dict[Any, Any]]:
    """Say whether a decoded item is a map."""
    return type(item) is dict


def encode(value: Any) -> bytes:
    """Return the deterministic encoding (RFC 8949 §4.2.1) of integers, strings, lists, maps, booleans and tags.

    cbor2 sorts keys length-first, the RFC bytewise: for maps whose keys are of one major type, as all of ours, both
    agree.
    """
    return bytes(cbor2.dumps(value, canonical=True))


def decode(data: bytes, what: str) -> Any:
    """Return the value of `data`, the deterministic encoding of one item named `what` in errors.

    Raises EnvelopeError(MALFORMED_CBOR) for bytes that are no CBOR, too deep or tagged,
    EnvelopeError(NOT_DETERMINISTIC) for any other encoding of a value than the deterministic one, trailing bytes
    included, and for floats.
    """
    value = decode_in_any_order(data, what)
    if not _is_plain(value):
        raise EnvelopeError(Reason.NOT_DETERMINISTIC, f"{what}: unsorted keys, or a value that is not used here")
    return value


def decode_in_any_order(data: bytes, what: str) -> Any:
    """Return the value of `data` as `decode` does, leaving the order of keys and the types to the caller.

    For what a schema reads next, which looks at every key and value anyhow.
    """
    try:
        value = cbor2.loads(data, max_depth=MAX_DEPTH, semantic_decoders=_NO_TAGS)
        if cbor2.dumps(value) == data:
            return value
        # Refused. What else is wrong with it names the rule: that costs time here and not in every good statement.
        cbor2.loads(
            data,
            max_depth=MAX_DEPTH,
            semantic_decoders=_NO_TAGS,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError) as error:
        raise EnvelopeError(Reason.MALFORMED_CBOR, f"{what}: {error}") from error
    raise EnvelopeError(Reason.NOT_DETERMINISTIC, f"{what}: not the deterministic encoding of its value")


def in_order(keys: list[Any]) -> bool:
    """Say whether keys stand in the bytewise order of their encodings."""
    encoded = [cbor2.dumps(key) for key in keys]
    return encoded == sorted(encoded)


def sorted_map(items: dict[Any, Any]) -> dict[Any, Any]:
    """Return a map with its keys in that order."""
    return dict(sorted(items.items(), key=lambda item: cbor2.dumps(item[0])))


def _is_plain(value: Any) -> bool:
    if is_map(value):
        return in_order(list(value)) and all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if is_array(value):
        return all(map(_is_plain, value))
    return type(value) in _LEAVES


def _refuse_tag(*_: object) -> NoReturn:
    raise cbor2.CBORDecodeError("tags are not used here")


class _NoTags(Mapping[int, Callable[..., NoReturn]]):
    """Decoders of tags for cbor2: for every tag one that refuses it."""

    def __getitem__(self, number: int) -> Callable[..., NoReturn]:
        return _refuse_tag

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


_NO_TAGS: Any = _NoTags()
