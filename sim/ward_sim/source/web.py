"""Requests and answers as the source's parts see them, without any of the library that carries them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiocoap.numbers.codes import Code

BLOCK_EXPONENT = 6
LINK_FORMAT = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole request: `path` and `query` by segment, `sender` names where it came from.

    `hub` is the hub whose channel it came through, None where it came open.
    """

    path: tuple[str, ...]
    query: tuple[str, ...]
    payload: bytes = field(repr=False)
    sender: str
    hub: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `content_format` is a number of the registry, or ours of the experimental range."""

    code: Code
    payload: bytes = field(default=b"", repr=False)
    content_format: int | None = None
    max_age: int | None = None
    location: tuple[str, ...] = ()
    etag: bytes | None = None


Handler = Callable[[Asked], Answer]


@dataclass(frozen=True, slots=True)
class Resource:
    """What stands below a first path segment: how it is read and given to, and what it says of itself.

    `limit` is the largest payload in bytes; `attributes` are those of RFC 6690.
    """

    get: Handler | None = None
    post: Handler | None = None
    put: Handler | None = None
    limit: int = 0
    attributes: str = ""
    observable: bool = False

    def handler(self, method: int) -> Handler | None:
        """Return what answers a method; None where the method is not allowed."""
        return {int(Code.GET): self.get, int(Code.POST): self.post, int(Code.PUT): self.put}.get(method)


def refusal(code: Code, diagnostic: str) -> Answer:
    """Return an error with a diagnostic for people (RFC 7252 §5.5.2)."""
    return Answer(code, diagnostic.encode())
