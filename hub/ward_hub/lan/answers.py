"""Answers that may have been lost on their way: the same question again gets the same answer, and is not asked twice.

aiocoap and RFC 7252 §4.5 know a repeated message by its number and so must remember every message. Here only what had
an effect is remembered, by what it said: few, and small. All else may be answered again from the beginning.
Pure: times are arguments, in seconds.
"""

from __future__ import annotations

from collections import OrderedDict

from ward_hub.lan.request import Answer

MOST = 128
LIFE_S = 120.0


class Answers:
    """The newest answers by question, and the questions that are being worked on."""

    def __init__(self) -> None:
        self._given: OrderedDict[bytes, tuple[Answer, float]] = OrderedDict()
        self._open: set[bytes] = set()

    @property
    def open(self) -> int:
        """How many questions are being worked on."""
        return len(self._open)

    def known(self, question: bytes, now: float) -> bool:
        """Say whether that was asked, and is worked on or was answered not too long ago."""
        _, at = self._given.get(question, (None, now - 2 * LIFE_S))
        return question in self._open or now - at <= LIFE_S

    def get(self, question: bytes) -> Answer | None:
        """Return the answer that was given to a known question, None where it is being worked on."""
        return None if question in self._open else self._given[question][0]

    def begin(self, question: bytes) -> None:
        """Take that a question is being worked on."""
        self._open.add(question)

    def end(self, question: bytes, answer: Answer | None, now: float) -> None:
        """Take the answer to a question; None where the work failed, so that it may be asked again."""
        self._open.discard(question)
        self._given.pop(question, None)
        if answer is not None:
            self._given[question] = answer, now
        while len(self._given) > MOST:
            self._given.popitem(last=False)
