"""How long a round trip to the source takes, and so when an answer is late. Pure: times are arguments, in seconds.

Ref: RFC 6298 §2 (estimator). Its floor of one second is for TCP's cumulative acknowledgements; requests here are
repeated one by one and every attempt has a token of its own, so a late answer is never mistaken (§3, Karn).
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_TIMEOUT_S = 1.0
SHORTEST_TIMEOUT_S = 0.05
LONGEST_TIMEOUT_S = 8.0
LEAST_MARGIN_S = 0.02
# A route may become longer for good: what was least before two spans ago is forgotten.
SPAN_S = 10.0


@dataclass(slots=True)
class RoundTrip:
    """Estimates from samples: smoothed, its variation, and the least of the last 10 to 20 seconds."""

    smoothed: float | None = None
    variation: float = 0.0
    _least: float | None = None
    _least_before: float | None = None
    _span_began: float = 0.0
    _backed_off: float = 1.0

    def sample(self, took: float, now: float) -> None:
        """Take one measured round trip; answers are coming, so timeouts are no longer stretched."""
        if self.smoothed is None:
            self.smoothed, self.variation = took, took / 2
        else:
            self.variation = 0.75 * self.variation + 0.25 * abs(self.smoothed - took)
            self.smoothed = 0.875 * self.smoothed + 0.125 * took
        if now - self._span_began > SPAN_S:
            self._least_before, self._least, self._span_began = self._least, None, now
        self._least = took if self._least is None else min(took, self._least)
        self._backed_off = 1.0

    @property
    def least(self) -> float | None:
        """The least round trip lately: the way itself, without the queues on it."""
        known = [one for one in (self._least, self._least_before) if one is not None]
        return min(known, default=None)

    @property
    def timeout(self) -> float:
        """After how long an answer is late."""
        if self.smoothed is None:
            usual = FIRST_TIMEOUT_S
        else:
            usual = max(SHORTEST_TIMEOUT_S, self.smoothed + max(LEAST_MARGIN_S, 4 * self.variation))
        return min(usual * self._backed_off, LONGEST_TIMEOUT_S)

    def back_off(self) -> None:
        """Nothing at all came back: wait twice as long from now on, until something does (RFC 6298 §5.5)."""
        self._backed_off = min(self._backed_off * 2, LONGEST_TIMEOUT_S / SHORTEST_TIMEOUT_S)
