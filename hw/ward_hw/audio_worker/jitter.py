"""Packets put in order and given out evenly: waits for late ones, names lost ones, keeps the delay small.

Sender and sound device each have a clock of their own. What the device takes sets the pace here; a sender that is
faster makes the buffer grow, and now and then a piece is left out; one that is slower lets it run dry, and it fills
again. Durations are in ticks of the stream's RTP clock, moments in seconds of any steady clock.
"""

from __future__ import annotations

from dataclasses import dataclass

_FILL_FIRST_S, _FILL_MORE_S, _FILL_MOST_S = 0.08, 0.04, 0.4
_MOST_S = 1.0
_MOST_PIECES = 1200
_CONCEALED_IN_A_ROW = 5
_WATCH_S = 5.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound to play now, so many ticks long; without a payload it was lost."""

    ticks: int
    payload: bytes | None


class JitterBuffer:
    """Takes packets by their index, in any order and each at most once; gives pieces in order."""

    def __init__(self, clock_rate: int) -> None:
        self.lost = 0
        """Packets that never came, or too late."""
        self.skipped = 0
        """Packets left out to keep the delay small."""
        self._rate = clock_rate
        self._waiting: dict[int, Piece] = {}
        self._depth = 0  # ticks in _waiting
        self._next = 0  # the index to give next
        self._begun = False  # something was given or left out: from then on a gap in the indices is a loss
        self._filling = True
        self._filling_since: float | None = None
        self._fill_s = _FILL_FIRST_S
        self._ticks = 0  # of the newest piece given, for what is lost behind it
        self._concealed = 0  # in a row
        self._watched_since: float | None = None
        self._least: int | None = None  # the smallest depth since then

    @property
    def depth_s(self) -> float:
        """How much sound waits."""
        return self._depth / self._rate

    def put(self, index: int, ticks: int, payload: bytes, now: float) -> None:
        """Take a packet; what comes behind its turn is dropped."""
        if index in self._waiting or index < self._next:
            return
        self._waiting[index] = Piece(ticks, payload)
        self._depth += ticks
        if self._filling and self._filling_since is None:
            self._filling_since = now
        if self.depth_s > _MOST_S or len(self._waiting) > _MOST_PIECES:
            self._shorten(self._fill_s)

    def take(self, now: float, *, due: bool) -> Piece | None:
        """Return the piece to play now; None while there is none, or while one that is late may still come.

        ``due`` says that the device has nothing left: what has not come by then is lost.
        """
        if self._filling and not self._filled(now):
            return None
        if not self._waiting:
            if due:
                self._fill_again()
            return None
        if self._next not in self._waiting:
            return self._missing() if due else None
        piece = self._give()
        self._watch(now)
        return piece

    def _filled(self, now: float) -> bool:
        """Say whether enough waits to begin, and begin with the oldest."""
        if self._filling_since is None:
            return False
        if self.depth_s < self._fill_s and now - self._filling_since < self._fill_s:
            return False
        self._filling, self._watched_since = False, None
        self._go_to_oldest()
        return True

    def _fill_again(self) -> None:
        """Play nothing until enough waits: a line that ran dry once needs a deeper buffer."""
        self._filling, self._filling_since = True, None
        self._fill_s = min(self._fill_s + _FILL_MORE_S, _FILL_MOST_S)

    def _missing(self) -> Piece:
        """Count the next packet as lost; behind a long gap go on with what came."""
        if self._concealed >= _CONCEALED_IN_A_ROW:
            self._go_to_oldest()
            return self._give()
        self._concealed += 1
        self.lost += 1
        self._next += 1
        return Piece(self._ticks, None)

    def _give(self) -> Piece:
        piece = self._waiting.pop(self._next)
        self._depth -= piece.ticks
        self._next += 1
        self._ticks, self._concealed = piece.ticks, 0
        return piece

    def _go_to_oldest(self, skipped: int = 0) -> None:
        oldest = min(self._waiting)
        if self._begun:
            self.lost += oldest - self._next - skipped
        self._begun, self._next = True, oldest

    def _watch(self, now: float) -> None:
        """Leave out what has been waiting all the time of a watch: it is delay and guards against nothing."""
        self._least = self._depth if self._least is None else min(self._least, self._depth)
        if self._watched_since is None:
            self._watched_since, self._least = now, self._depth
        elif now - self._watched_since > _WATCH_S:
            excess_s = self._least / self._rate - self._fill_s
            self._watched_since, self._least = None, None
            if excess_s > 0:
                self._shorten(self.depth_s - excess_s)

    def _shorten(self, to_s: float) -> None:
        """Leave out the oldest until at most so much waits, one always."""
        skipped = 0
        for index in sorted(self._waiting):
            if len(self._waiting) == 1 or (self.depth_s <= to_s and len(self._waiting) <= _MOST_PIECES):
                break
            self._depth -= self._waiting.pop(index).ticks
            skipped += 1
        self.skipped += skipped
        self._go_to_oldest(skipped)
