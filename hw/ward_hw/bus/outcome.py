"""How one request to a unit ended, as far as its bytes tell. Pure: bytes in, outcome out.

The owner of a line tells it to whoever counts (`ward_hw.link_log`). No outcome is a cause: what many of them mean
together is for `ward_hw.diagnosis`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from ward_hw.bus.answer import EXCEPTION_BIT, crc_is_right

if TYPE_CHECKING:
    from ward_hw.bus.answer import Expected


class Outcome(Enum):
    """One request, or bytes for which nobody asked."""

    ANSWER = "answer"
    EXCEPTION = "exception"  # an answer too: the unit lives and understands us
    SILENCE = "silence"
    ECHO = "echo"  # our own request came back, and nothing else
    DAMAGED = "damaged"  # it begins like the answer, and its CRC or length is wrong
    FOREIGN = "foreign"  # a whole frame with a right CRC, which is not the answer
    GARBAGE = "garbage"  # bytes that are like nothing
    STRAY = "stray"  # bytes came when nobody was asked


Observer = Callable[[int, Outcome, float], None]
"""Takes the unit that was asked (last), the outcome, and the seconds since our request had left."""


def unanswered(expected: Expected, received: bytes) -> Outcome:
    """What a request met, the right answer to which did not come in time."""
    before, request, after = received.partition(expected.request)
    # A driver that is switched on or off, and a pair that floats between frames, often make a 0x00.
    rest = (before + after).strip(b"\0")
    if not rest:
        return Outcome.ECHO if request else Outcome.SILENCE
    if crc_is_right(rest):
        return Outcome.FOREIGN
    unit, function = expected.request[:2]
    if any(bytes((unit, code)) in rest for code in (function, function | EXCEPTION_BIT)):
        return Outcome.DAMAGED
    return Outcome.GARBAGE
