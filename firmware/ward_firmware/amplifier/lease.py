"""Who may keep a relay closed, and for how long: the dead-man and the longest on-time.

Two rules open relays without anybody asking, whatever else works or not:

- lease: every relay opens when no valid write came for `lease_ms`;
- longest on-time: a relay closed for `max_on_s` opens, and stays open until it is *written open* once.
  Without that latch a master that renews by writing all coils again would close it in the same second.
"""

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
    """Relays behind both rules; `ms` arguments are milliseconds since boot."""

    def __init__(self, port: "RelayPort", count: int, lease_ms: int, max_on_s: int) -> None:
        self.lease_ms = lease_ms
        self.max_on_s = max_on_s
        self.trips = 0
        self._port = port
        self._closed_at = [0] * count
        self._wanted = 0
        self._latched = 0
        self._renewed_ms = 0
        port.write(0)

    def read(self) -> int:
        """The relays as the pins show them."""
        return self._port.read()

    def write(self, first: int, closed: "list[bool]", ms: int) -> None:
        """Open and close relays from `first` on."""
        for index, close in enumerate(closed):
            bit = 1 << (first + index)
            if not close:
                self._wanted &= ~bit
                self._latched &= ~bit
            elif not (self._wanted | self._latched) & bit:
                self._wanted |= bit
                self._closed_at[first + index] = ms
        self._port.write(self._wanted)

    def renew(self, ms: int) -> None:
        """A valid write came: the lease of every closed relay starts again."""
        self._renewed_ms = ms

    def lease_left_ms(self, ms: int) -> int:
        """Milliseconds until the lease ends; 0 when no relay is closed."""
        if not self._wanted:
            return 0
        return max(0, self._renewed_ms + self.lease_ms - ms)

    def enforce(self, ms: int) -> None:
        """Open what has been closed too long."""
        if not self._wanted:
            return
        if ms - self._renewed_ms >= self.lease_ms:
            self._wanted = 0
            self._trip()
            return
        over = 0
        for index, since in enumerate(self._closed_at):
            if self._wanted >> index & 1 and ms - since >= self.max_on_s * 1000:
                over |= 1 << index
        if over:
            self._wanted &= ~over
            self._latched |= over
            self._trip()

    def _trip(self) -> None:
        self.trips += 1
        self._port.write(self._wanted)
