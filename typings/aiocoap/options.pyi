"""The options of a message, by name."""

from collections.abc import Iterable, Sequence

class Option:
    number: int
    def encode(self) -> bytes: ...

class Options:
    uri_host: str | None
    uri_port: int | None
    uri_path: Sequence[str]
    uri_query: Sequence[str]
    location_path: Sequence[str]
    block1: tuple[int, bool, int] | None
    block2: tuple[int, bool, int] | None
    size1: int | None
    size2: int | None
    content_format: int | None
    accept: int | None
    etag: bytes | None
    observe: int | None
    max_age: int | None
    no_response: int | None
    request_tag: Sequence[bytes]
    echo: bytes | None
    oscore: bytes | None
    def option_list(self) -> Iterable[Option]: ...
