"""Who may close a relay, who may keep it closed, and for how long: dead-man, longest on-time, interlock, trips.

What opens relays without anybody asking, whatever else works or not:

- lease: every relay opens when no valid write came for `lease_ms`;
- longest on-time: a relay closed for `max_on_s` opens, and stays open until it is *written open* once.
  Without that latch a master that renews by writing all coils again would close it in the same second;
- a trip opens all relays and latches all of them in the same way;
- interlock: zones open with the supply.

What does not close a relay although asked: the interlock, until the supply has been closed for `warm_up_ms`;
a trip whose cause lasts. Such an order is refused and moves nothing. No order to open is ever refused, except
inside one that also closes what may not be closed. A relay in both masks counts as supply.
"""

from ward_protocol.portable import amplifier as registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class RelayPort(Protocol):
        """The relay outputs; a mask has bit n for relay n."""

        def write(self, mask: int) -> None:
            """Drive all relays."""

        def read(self) -> int:
            """What the pins carry now."""
            raise NotImplementedError


class Relays:
    """Relays behind these rules, whose numbers come from outside; `ms` arguments are milliseconds since boot.

    `counts` has the trips by cause (TRIP_* of the register map), `last` the latest cause, `latched` the relays
    that must be written open first. `blocked` is set while the cause of a trip lasts.
    """

    def __init__(self, port: "RelayPort", count: int) -> None:
        self.lease_ms = 0
        self.max_on_s = 0
        self.supply = 0
        self.zones = 0
        self.warm_up_ms = 0
        self.blocked = False
        self.counts = [0, 0, 0, 0, 0, 0]
        self.last = 0
        self.latched = 0
        self.wanted = 0
        self._port = port
        self._closed_at = [0] * count
        self._renewed_ms = 0
        port.write(0)

    def read(self) -> int:
        """The relays as the pins show them."""
        return self._port.read()

    def write(self, first: int, closed: "list[bool]", ms: int) -> bool:
        """Open and close relays from `first` on; False when that is refused, and then nothing has moved."""
        asked = opened = 0
        for index, close in enumerate(closed):
            if close:
                asked |= 1 << (first + index)
            else:
                opened |= 1 << (first + index)
        after = (self.wanted & ~opened) | (asked & ~self.latched)
        zones = self.zones & ~self.supply
        if asked and self.blocked:
            return False
        if after & self.supply != self.supply:
            if asked & zones:
                return False
            after &= ~zones
        elif self.warm_up_ms and after & ~self.wanted & zones and not self.warm(ms):
            return False
        for index in range(len(self._closed_at)):
            if (after & ~self.wanted) >> index & 1:
                self._closed_at[index] = ms
        self.latched &= ~opened
        self._drive(after)
        return True

    def warm(self, ms: int) -> bool:
        """Whether the supply has been closed for the warm-up; without an interlock always."""
        return self.powered_ms(self.supply, ms) >= self.warm_up_ms if self.supply else True

    def powered_ms(self, mask: int, ms: int) -> int:
        """How long all relays of `mask` have been closed together; -1 when one is open."""
        if self.wanted & mask != mask:
            return -1
        return ms - max([self._closed_at[index] for index in range(len(self._closed_at)) if mask >> index & 1])

    def renew(self, ms: int) -> None:
        """A valid write came: the lease of every closed relay starts again."""
        self._renewed_ms = ms

    def lease_left_ms(self, ms: int) -> int:
        """Milliseconds until the lease ends; 0 when no relay is closed."""
        if not self.wanted:
            return 0
        return max(0, self._renewed_ms + self.lease_ms - ms)

    def enforce(self, ms: int) -> None:
        """Open what has been closed too long, and zones without supply."""
        if not self.wanted:
            return
        if ms - self._renewed_ms >= self.lease_ms:
            self._count(registers.TRIP_LEASE)
            self._drive(0)
            return
        over = 0
        for index, since in enumerate(self._closed_at):
            if self.wanted >> index & 1 and ms - since >= self.max_on_s * 1000:
                over |= 1 << index
        if over:
            self.latched |= over
            self._count(registers.TRIP_ON_TIME)
        kept = self.wanted & ~over
        if kept & self.supply != self.supply:
            kept &= self.supply | ~self.zones
        if kept != self.wanted:
            self._drive(kept)

    def trip(self, cause: int) -> None:
        """Open and latch everything, if anything is closed."""
        if self.wanted:
            self.latched = (1 << len(self._closed_at)) - 1
            self._count(cause)
            self._drive(0)

    def _count(self, cause: int) -> None:
        self.counts[cause] += 1
        self.last = cause

    def _drive(self, mask: int) -> None:
        self.wanted = mask
        self._port.write(mask)
