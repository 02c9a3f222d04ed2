"""What differs between controllers: how relays are leased and how an answer is known to be fresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ward_hw.bus import Priority
    from ward_hw.drivers.readings import AmplifierStatus


@dataclass(frozen=True, slots=True)
class Interlock:
    """Zones close only once all supply relays have been closed for ``warm_up_ms``."""

    supply: frozenset[int]
    zones: frozenset[int]
    warm_up_ms: int


class Dialect(Protocol):
    """The orders one kind of controller understands.

    ``deadline`` is loop time; HardwareError says what failed.
    """

    @property
    def another_answers(self) -> bool:
        """Whether who answered last was not the controller that has this number, as far as answers tell."""
        ...

    async def write(self, closed: frozenset[int], priority: Priority, deadline: float) -> None:
        """Order exactly these relays closed, as leases; the answer proves nothing yet."""
        ...

    async def read_fresh(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Read in a transaction that began after this call and cannot be answered by an older answer."""
        ...

    async def read(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Read without renewing any lease."""
        ...

    async def renew(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Renew the leases of the relays last ordered closed, and read fresh."""
        ...

    async def configure(self, lease_ms: int, max_on_s: int, deadline: float) -> None:
        """Set the lease and the longest time a relay may stay closed; confirmed, or raises."""
        ...


def relays_in(flags: Iterable[bool]) -> frozenset[int]:
    """The numbers of the set flags."""
    return frozenset(number for number, flag in enumerate(flags) if flag)
