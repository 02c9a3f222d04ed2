"""One order to a bus, and the queue in which orders wait: most urgent first, then first come."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from pymodbus.pdu import ModbusPDU

if TYPE_CHECKING:
    from asyncio import Future

    from ward_hw.bus.answer import Expected

Accept = Callable[[ModbusPDU], bool]
"""Says whether an answer proves by its content (a nonce) that it answers *this* request."""


class Priority(IntEnum):
    """Who goes first when several wait for one line."""

    EMERGENCY = 0
    SAFETY = 1  # opening what must not be closed
    RENEWAL = 2  # of the lease of closed relays, again and again
    COMMAND = 3
    POLL = 4


@dataclass(slots=True, eq=False)
class Order:
    """A request waiting for its turn, then for its answer in ``future`` (None for a broadcast)."""

    unit: int
    frame: bytes
    expected: Expected | None  # None: a broadcast, which nobody answers
    priority: Priority
    number: int  # order of arrival
    deadline: float  # loop time at which the caller goes away
    future: Future[ModbusPDU | None]
    accept: Accept | None = None
    may_be_stale: bool = False  # the caller does not believe the answer anyway: no need to wait for a quiet unit

    @property
    def key(self) -> tuple[int, int]:
        """Position in the queue."""
        return self.priority, self.number

    @property
    def heeds_quarantine(self) -> bool:
        """Whether a late answer of the same unit could be taken for the answer to this order."""
        return self.accept is None and not self.may_be_stale and self.expected is not None


@dataclass(slots=True)
class OrderQueue:
    """Waiting orders."""

    _orders: list[Order] = field(default_factory=list[Order])

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    def put(self, order: Order) -> None:
        """Let an order wait."""
        bisect.insort(self._orders, order, key=lambda waiting: waiting.key)

    def withdraw(self, order: Order) -> None:
        """Forget an order; one that is not waiting (any more) is not an error."""
        if order in self._orders:
            self._orders.remove(order)

    def take(self, allowed: Callable[[Order], bool], doubtful: Callable[[Order], bool]) -> Order | None:
        """Remove and return the first order that may go now; of equal urgency, a doubtful one goes last."""
        chosen: int | None = None
        for index, order in enumerate(self._orders):
            if chosen is not None and order.priority > self._orders[chosen].priority:
                break
            if not allowed(order):
                continue
            if not doubtful(order):
                return self._orders.pop(index)
            chosen = index if chosen is None else chosen
        return None if chosen is None else self._orders.pop(chosen)
