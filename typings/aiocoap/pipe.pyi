"""Where a request and what comes back on it meet."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from aiocoap.message import Message

class Pipe:
    class Event(NamedTuple):
        message: Message | None
        exception: BaseException | None
        is_last: bool

    request: Message
    def __init__(self, request: Message, log: logging.Logger) -> None: ...
    def on_event(self, callback: Callable[[Event], bool], is_interest: bool = ...) -> Callable[[], None]: ...
    def on_interest_end(self, callback: Callable[[], object]) -> None: ...
    def add_response(self, response: Message, is_last: bool = ...) -> None: ...
