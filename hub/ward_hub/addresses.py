"""The address of a source, checked where it is set: one that no link can use would end the agent at every start."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

FORM = "write coap://HOST[:PORT]"


def source_address(uri: str) -> SplitResult:
    """Return the parts of a source's URI, coap://HOST[:PORT]; raises ValueError for what is none."""
    try:
        parts = urlsplit(uri)
        usable = parts.scheme == "coap" and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # as the resolver does; an empty label or a long one is an error to it
    except ValueError as error:
        raise ValueError(f"{uri!r} is not the address of a source: {error}; {FORM}") from error
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if not usable or more or not uri.isprintable() or " " in uri:
        raise ValueError(f"{uri!r} is not the address of a source: {FORM}")
    return parts
