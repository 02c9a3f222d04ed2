"""Whether an adapter hears what it sends: told, or found out from what comes back.

Many two-wire RS-485 adapters leave their receiver on while they send. Their owner then gets his own request before
the answer. A request whose answer has another shape teaches which kind of adapter it is; a write of one coil or
register, whose answer is the same bytes, is believed only when that is known. An adapter that is plugged in anew is
found out anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ward_hw.bus.answer import Expected


class Echo:
    """What is known of one adapter; `told` is True or False where the owner knows, None where he does not."""

    def __init__(self, told: bool | None) -> None:
        self._told = told
        self.heard = told

    def forget(self) -> None:
        """Another adapter may be there now."""
        self.heard = self._told

    def find(self, expected: Expected, received: bytes, start: int) -> tuple[int, bytes] | None:
        """As `Expected.find`, learning on the way."""
        if expected.repeats:
            refusal = expected.find(received, start=start)
            if self.heard is None and refusal is not None and refusal[1] != expected.request:
                return refusal  # an exception cannot be an echo
            # Not known yet: a copy of a write counts as its echo, so that only a second one is its answer.
            found = expected.find(received, echo=self.heard is not False, start=start)
            if found is not None and self.heard is None:
                self.heard = True
            return found
        echoed = self._told is not False and expected.request in received
        found = expected.find(received, echo=echoed, start=start)
        if self._told is None:
            self._learn(expected, found, echoed=echoed)
        return found

    def _learn(self, expected: Expected, found: tuple[int, bytes] | None, *, echoed: bool) -> None:
        if echoed:
            self.heard = True
        elif found is not None:
            end, frame = found
            # Noise may stand before an answer; an echo, even a damaged one, is longer than that.
            if end - len(frame) < len(expected.request) // 2:
                self.heard = False
