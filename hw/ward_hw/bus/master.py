"""The owner of one Modbus RTU line: one task that asks, waits, and never takes an old answer for a new one.

What the owner keeps, and where nothing else does:

* t3.5 of silence before every request, and the turn-round after a broadcast (Modbus over Serial Line V1.02,
  2.5.1.1 and 2.4.1).
* Quarantine. A unit that did not answer in time may answer late, and that answer would fit the next request
  of the same shape. After a failure nothing is asked of that unit for as long again as its time-out, except
  by orders whose answer proves itself (`accept`) or is not believed anyway. Other units go on: their
  answers carry their own address.
* An order whose caller has gone away (cancelled, out of time) while its answer is due is waited for to the
  end and dropped, so that it cannot meet the next one.
* Urgency. The most urgent order goes first; a poll still waiting for the first byte of an answer is put
  back when an emergency comes, so that a dead unit cannot hold an alert for a whole time-out.
* The port: opened when first needed, and again after it was lost.

Built on pymodbus's messages and CRC. Its client is not used: a late answer is an answer to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING, Self

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU

from ward_hw.bus.answer import Expected
from ward_hw.bus.order import Accept, Order, OrderQueue, Priority
from ward_hw.errors import LinkError, LinkTimeout, MisuseError, PeerError
from ward_hw.serial_port import open_tty

if TYPE_CHECKING:
    from types import TracebackType

    from ward_hw.ports import SerialOpener, SerialPort

_BITS_OF_A_CHARACTER = 11  # what V1.02 counts for t1.5 and t3.5, also where the line runs 8N1 with 10
_FAST_LINE = 19_200  # above it t3.5 is fixed
_T35_FAST_S = 0.001_750
_TURN_ROUND_S = 0.1  # V1.02, 2.4.1: 100 to 200 ms at 9,600 baud
_PATIENCE_BEFORE_EMERGENCY_S = 0.05  # how long a poll may stay unanswered when an emergency waits
_REOPEN_FIRST_S, _REOPEN_LAST_S = 0.1, 2.0
_RECEIVE_LIMIT = 1024  # bytes kept of a line that only makes noise
BROADCAST = 0


class _PreemptedError(Exception):
    """The order is put back: an emergency waits and this poll has heard nothing yet."""


class ModbusBus:
    """A Modbus RTU master on one serial line. Use as an async context manager; share it between drivers.

    ``port`` is the path of the device, ``timeout`` the seconds a unit has for its answer to begin and end,
    beyond the wire time of both frames. ``echo`` tells that the adapter hears what it sends.
    """

    def __init__(
        self,
        port: str,
        baudrate: int,
        *,
        timeout: float = 0.3,
        echo: bool = False,
        opener: SerialOpener = open_tty,
    ) -> None:
        self.port = port
        self.baudrate = baudrate
        self._timeout = timeout
        self._echo = echo
        self._opener = opener
        self._character_s = _BITS_OF_A_CHARACTER / baudrate
        self._gap_s = 3.5 * self._character_s if baudrate <= _FAST_LINE else _T35_FAST_S
        self._decoder = DecodePDU(False)
        self._framer = FramerRTU(self._decoder)
        self._queue = OrderQueue()
        self._numbers = itertools.count()
        self._quiet_until: dict[int, float] = {}  # unit -> loop time before which it is in quarantine
        self._suspects: set[int] = set()
        self._line: SerialPort | None = None
        self._reopen_s = _REOPEN_FIRST_S
        self._last_activity = 0.0
        self._received = bytearray()
        self._current: Order | None = None
        self._answer: asyncio.Future[ModbusPDU] | None = None
        self._owner: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._owner = self._loop.create_task(self._own(), name=f"modbus {self.port}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await owner
        self._close()
        for order in list(self._queue):
            self._fail(order, LinkError(self.port, "request", "the bus was closed", remedy="open it again"))

    @property
    def open(self) -> bool:
        """Whether the serial device is open now."""
        return self._line is not None

    def suspect(self, unit: int) -> bool:
        """Whether an old answer of this unit may still be under way.

        True after it failed to answer, until something proved that its old answers have come.
        """
        return unit in self._suspects

    def clear(self, unit: int) -> None:
        """Take a driver's word that the unit's old answers have come (a unit answers in order)."""
        self._suspects.discard(unit)

    async def request(
        self,
        pdu: ModbusPDU,
        *,
        unit: int,
        deadline: float,
        priority: Priority = Priority.COMMAND,
        accept: Accept | None = None,
        may_be_stale: bool = False,
    ) -> ModbusPDU:
        """Ask ``unit`` (1..247) and return its answer, valid in unit, function, length, fields and CRC.

        ``deadline`` is loop time. With ``accept``, an answer it does not accept is passed over as an old
        one and the wait goes on. Raises LinkTimeout, LinkError (port lost, closed), PeerError with the
        exception code as ``code``.
        """
        if not 1 <= unit <= 247:
            raise MisuseError(self.port, "request", f"no unit {unit}", remedy="units are 1 to 247")
        frame = self._frame(pdu, unit)
        order = self._order(unit, frame, Expected.to(frame), priority, accept=accept, may_be_stale=may_be_stale)
        answer = await self._submit(order, deadline)
        if answer is None or isinstance(answer, ExceptionResponse):  # only a broadcast ends without an answer
            code = None if answer is None else answer.exception_code
            raise PeerError(
                self._name(unit),
                f"function {frame[1]}",
                f"exception {code}",
                remedy="check that the profile fits the device",
                code=code,
            )
        return answer

    async def broadcast(self, pdu: ModbusPDU, *, deadline: float, priority: Priority = Priority.COMMAND) -> None:
        """Send a write to all units, which nobody answers; returns after the turn-round."""
        order = self._order(BROADCAST, self._frame(pdu, BROADCAST), None, priority, accept=None, may_be_stale=True)
        await self._submit(order, deadline)

    # --- the queue's side: called by the tasks of drivers ---

    def _frame(self, pdu: ModbusPDU, unit: int) -> bytes:
        pdu.dev_id = unit
        return self._framer.buildFrame(pdu)

    def _order(
        self,
        unit: int,
        frame: bytes,
        expected: Expected | None,
        priority: Priority,
        *,
        accept: Accept | None,
        may_be_stale: bool,
    ) -> Order:
        if self._owner is None:
            raise MisuseError(self.port, "request", "the bus is not open", remedy="use it as a context manager")
        future: asyncio.Future[ModbusPDU | None] = self._loop.create_future()
        return Order(unit, frame, expected, priority, next(self._numbers), future, accept, may_be_stale)

    async def _submit(self, order: Order, deadline: float) -> ModbusPDU | None:
        self._queue.put(order)
        if order.priority is Priority.EMERGENCY:
            self._preempt()
        try:
            async with asyncio.timeout_at(deadline):
                return await order.future
        except LinkTimeout:
            raise
        except TimeoutError as error:
            why = "no answer before the deadline" if self.open else "the serial port is not open"
            raise LinkTimeout(
                self._name(order.unit), "request", why, remedy="check power, wiring and adapter"
            ) from error
        finally:
            self._queue.withdraw(order)

    def _preempt(self) -> None:
        """Take the line from a poll that has heard nothing, once it had a fair time."""
        order, answer = self._current, self._answer
        if order is None or answer is None or order.priority is not Priority.POLL:
            return
        if len(self._received) > (len(order.frame) if self._echo else 0):
            return
        at = self._last_activity + _PATIENCE_BEFORE_EMERGENCY_S  # nothing received: the end of our own request
        if self._loop.time() < at:
            self._loop.call_at(at, self._preempt)
        elif not answer.done() and any(waiting.priority is Priority.EMERGENCY for waiting in self._queue):
            answer.set_exception(_PreemptedError())

    # --- the owner's side: one task ---

    async def _own(self) -> None:
        while True:
            await self._line_is_open_and_quiet()
            # Chosen only now, after the silence: what came meanwhile may be more urgent.
            order = self._queue.take(self._may_go)
            if order is None:
                await self._something_changes()
            elif not order.future.done():
                await self._transact(order)

    async def _line_is_open_and_quiet(self) -> None:
        if not len(self._queue):
            self._queue.arrived.clear()
            await self._queue.arrived.wait()
        while self._line is None:
            try:
                self._line = self._opener(self.port, self.baudrate, self)
                self._reopen_s = _REOPEN_FIRST_S
                self._last_activity = self._loop.time()
            except OSError:  # absent or busy: callers learn it by their deadlines, an adapter may come back
                await asyncio.sleep(self._reopen_s)
                self._reopen_s = min(2 * self._reopen_s, _REOPEN_LAST_S)
        quiet = False
        while not quiet:  # bytes that come during the wait start it anew
            wait = self._last_activity + self._gap_s - self._loop.time()
            await asyncio.sleep(max(0.0, wait))
            quiet = wait <= 0

    def _may_go(self, order: Order) -> bool:
        return not order.heeds_quarantine or self._quiet_until.get(order.unit, 0.0) <= self._loop.time()

    async def _something_changes(self) -> None:
        """Wait for a new order or for the end of the first quarantine that holds one back."""
        ends = [self._quiet_until.get(order.unit, 0.0) for order in self._queue]
        self._queue.arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(min(ends, default=None)):
                await self._queue.arrived.wait()

    async def _transact(self, order: Order) -> None:
        if self._line is None:
            self._queue.put(order)
            return
        self._received.clear()
        self._current = order
        self._answer = answer = self._loop.create_future()
        self._line.write(order.frame)
        # The line is busy until the last bit has left; the driver's buffer returns long before.
        self._last_activity = self._loop.time() + len(order.frame) * self._character_s
        try:
            if order.expected is None:
                await asyncio.sleep(self._last_activity + _TURN_ROUND_S - self._loop.time())
                self._end(order, None)
            else:
                await self._wait_for_answer(order, order.expected, answer)
        finally:
            self._current = self._answer = None

    async def _wait_for_answer(self, order: Order, expected: Expected, answer: asyncio.Future[ModbusPDU]) -> None:
        until = self._last_activity + expected.size * self._character_s + self._timeout
        try:
            async with asyncio.timeout_at(until):
                pdu = await answer
        except _PreemptedError:
            self._distrust(order.unit)
            self._queue.put(order)
        except LinkError as error:
            self._fail(order, error)
        except TimeoutError:
            self._distrust(order.unit)
            self._fail(order, self._silence(order))
        except BaseException:  # the bus closes
            self._fail(order, LinkError(self.port, "request", "the bus was closed", remedy="open it again"))
            raise
        else:
            if order.accept is not None:
                self._suspects.discard(order.unit)  # answers come in order: what was older has come
            self._end(order, pdu)

    def _distrust(self, unit: int) -> None:
        self._quiet_until[unit] = self._loop.time() + self._timeout
        self._suspects.add(unit)

    def _silence(self, order: Order) -> LinkTimeout:
        heard = len(self._received)
        problem = f"{heard} bytes came, none of them the answer" if heard else "silence"
        remedy = (
            "check baud rate, wiring and termination" if heard else "check power, unit number and wiring of the unit"
        )
        return LinkTimeout(self._name(order.unit), f"function {order.frame[1]}", problem, remedy=remedy)

    @staticmethod
    def _end(order: Order, answer: ModbusPDU | None) -> None:
        if not order.future.done():
            order.future.set_result(answer)

    @staticmethod
    def _fail(order: Order, error: Exception) -> None:
        if not order.future.done():
            order.future.set_exception(error)

    def _name(self, unit: int) -> str:
        return f"{self.port} unit {unit}"

    def _close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    # --- the port's side: callbacks ---

    def data_received(self, data: bytes) -> None:
        """Take bytes of the line (`Receiver`)."""
        self._last_activity = max(self._last_activity, self._loop.time())
        order, answer = self._current, self._answer
        if order is None or answer is None or answer.done() or order.expected is None:
            return  # late or foreign: it only moves the silence
        self._received += data
        del self._received[:-_RECEIVE_LIMIT]
        start = 0
        while found := order.expected.find(bytes(self._received), echo=self._echo, start=start):
            start, frame = found
            pdu = self._decode(frame)
            if pdu is not None and (isinstance(pdu, ExceptionResponse) or order.accept is None or order.accept(pdu)):
                answer.set_result(pdu)
                return

    def _decode(self, frame: bytes) -> ModbusPDU | None:
        try:
            pdu = self._decoder.decode(frame[1:-2])
        except ModbusException:
            return None
        if pdu is not None:
            pdu.dev_id = frame[0]
        return pdu

    def connection_lost(self, reason: Exception) -> None:
        """Take the news that the port is gone (`Receiver`); it is opened again for the next order."""
        self._line = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(
                LinkError(self.port, "request", f"the serial port was lost ({reason})", remedy="plug the adapter in")
            )
