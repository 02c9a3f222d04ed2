"""The owner of one Modbus RTU line: one that asks, waits, and never takes an old answer for a new one.

What the owner keeps, and where nothing else does:

* t3.5 of silence before every request, and the turn-round after a broadcast (Modbus over Serial Line V1.02,
  2.5.1.1 and 2.4.1).
* Quarantine (`ward_hw.bus.quarantine`). A unit that did not answer in time may answer late, and that answer would
  fit the next request of the same shape. Other units go on: their answers carry their own address.
* An order whose caller has gone away (cancelled, out of time) while its answer is due is waited for to the
  end and dropped, so that it cannot meet the next one.
* Urgency. The most urgent order goes first; a poll or renewal still waiting for the first byte of an answer is put
  back when an emergency comes, so that a dead unit cannot hold an alert for a whole time-out.
* The port: opened when first needed, and again after it was lost.

The owner is no task but callbacks of the loop, one for each thing that can happen: an order, bytes, a time. Whatever
happens ends in `_pump`, which does the next thing or aims `_wake` at the moment when it can. What is only to be
noticed if nothing else comes first (time-outs, deadlines) shares one timer, `_watch`, which is not moved when an
answer comes: it looks at its time, and aims again. So a transaction costs the loop three turns (silence over, answer,
caller) and one timer.

Built on pymodbus's messages and CRC. Its client is not used: a late answer is an answer to it.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Self

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU

from ward_hw.bus.answer import Expected, decoded
from ward_hw.bus.echo import Echo
from ward_hw.bus.order import Accept, Order, OrderQueue, Priority
from ward_hw.bus.outcome import Observer, Outcome, unanswered
from ward_hw.bus.quarantine import LONGEST_S, Quarantine
from ward_hw.errors import LinkError, LinkTimeout, MisuseError, PeerError
from ward_hw.serial_port import open_tty

if TYPE_CHECKING:
    from types import TracebackType

    from ward_hw.ports import SerialOpener, SerialPort

_BITS_OF_A_CHARACTER = 11  # what V1.02 counts for t1.5 and t3.5, also where the line runs 8N1 with 10
_FAST_LINE = 19_200  # above it t3.5 is fixed
_T35_FAST_S = 0.001_750
_TURN_ROUND_S = 0.1  # V1.02, 2.4.1: 100 to 200 ms at 9,600 baud
_PATIENCE_BEFORE_EMERGENCY_S = 0.05  # how long a poll or renewal may stay unanswered when an emergency waits
_REOPEN_FIRST_S, _REOPEN_LAST_S = 0.1, 2.0
_RECEIVE_LIMIT = 1024  # bytes kept of a line that only makes noise
BROADCAST = 0


class ModbusBus:
    """A Modbus RTU master on one serial line. Use as an async context manager; share it between drivers.

    ``port`` is the path of the device, ``timeout`` the seconds a unit has for its answer to begin and end,
    beyond the wire time of both frames. ``echo`` tells whether the adapter hears what it sends; None finds out.
    ``observer`` is told how each request ended.
    """

    def __init__(
        self,
        port: str,
        baudrate: int,
        *,
        timeout: float = 0.3,
        echo: bool | None = None,
        opener: SerialOpener = open_tty,
        observer: Observer = lambda _unit, _outcome, _latency: None,
    ) -> None:
        self.port = port
        self.baudrate = baudrate
        self._timeout = timeout
        self._echo = Echo(echo)
        self._opener = opener
        self._observer = observer
        self._asked, self._asked_until = BROADCAST, 0.0  # the unit asked last, and when our request had left
        self._character_s = _BITS_OF_A_CHARACTER / baudrate
        self._gap_s = 3.5 * self._character_s if baudrate <= _FAST_LINE else _T35_FAST_S
        self._framer = FramerRTU(DecodePDU(False))
        self._queue = OrderQueue()
        self._numbers = itertools.count()
        self._quarantine = Quarantine(timeout)
        self._line: SerialPort | None = None
        self._reopen_s = _REOPEN_FIRST_S
        self._reopen_at = 0.0
        self._last_activity = 0.0
        self._received = bytearray()
        self._current: Order | None = None
        self._until = 0.0  # the end of the current order's time
        self._wake: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._entered = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        current = self._finish()
        for order in ([] if current is None else [current]) + list(self._queue):
            self._fail(order, LinkError(self.port, "request", "the bus was closed", remedy="open it again"))
        for timer in (self._wake, self._watch):
            if timer is not None:
                timer.cancel()
        self._wake = self._watch = None
        if self._line is not None:
            self._line.close()
            self._line = None

    @property
    def open(self) -> bool:
        """Whether the serial device is open now."""
        return self._line is not None

    def suspect(self, unit: int) -> bool:
        """Whether an old answer of this unit may still be under way.

        True after it failed to answer, until something proved that its old answers have come.
        """
        return self._quarantine.suspect(unit)

    def clear(self, unit: int) -> None:
        """Take a driver's word that the unit's old answers have come (a unit answers in order)."""
        self._quarantine.clear(unit)

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
        answer = await self._submit(
            self._order(unit, frame, Expected.to(frame), priority, deadline, accept=accept, may_be_stale=may_be_stale)
        )
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
        frame = self._frame(pdu, BROADCAST)
        await self._submit(self._order(BROADCAST, frame, None, priority, deadline, accept=None, may_be_stale=True))

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
        deadline: float,
        *,
        accept: Accept | None,
        may_be_stale: bool,
    ) -> Order:
        if not self._entered:
            raise MisuseError(self.port, "request", "the bus is not open", remedy="use it as a context manager")
        future: asyncio.Future[ModbusPDU | None] = self._loop.create_future()
        return Order(unit, frame, expected, priority, next(self._numbers), deadline, future, accept, may_be_stale)

    async def _submit(self, order: Order) -> ModbusPDU | None:
        self._queue.put(order)
        if order.priority is Priority.EMERGENCY:
            self._preempt()
        self._pump()
        self._look_at(order.deadline)
        try:
            return await order.future
        finally:
            self._queue.withdraw(order)

    def _expire(self, order: Order) -> None:
        """The caller's time is over; an answer that is due is still waited for."""
        if not self.open:
            problem, remedy = "the serial port is not open", "plug the adapter in, check its path"
        elif order is not self._current and (failures := self._quarantine.failures(order.unit)):
            problem, remedy = f"left alone after {failures} failures", "check power, unit number and wiring of the unit"
        else:
            problem, remedy = "no answer before the deadline", "check power, wiring and load of the line"
        self._queue.withdraw(order)
        self._fail(order, LinkTimeout(self._name(order.unit), "request", problem, remedy=remedy))

    def _preempt(self) -> None:
        """Take the line from what comes again anyway and has heard nothing, once it had a fair time."""
        order = self._current
        if order is None or order.priority not in LONGEST_S:
            return
        if len(self._received) > (len(order.frame) if self._echo.heard else 0):
            return
        at = self._last_activity + _PATIENCE_BEFORE_EMERGENCY_S  # nothing received: the end of our own request
        if self._loop.time() < at:
            self._loop.call_at(at, self._preempt)
        elif any(waiting.priority is Priority.EMERGENCY for waiting in self._queue):
            self._quarantine.given_up(order.unit, self._loop.time())
            self._finish()
            if not order.future.done():  # else nobody waits for it, and nobody would take it out again
                self._queue.put(order)
            self._pump()

    # --- the owner's side: callbacks, each of which ends in _pump ---

    def _pump(self) -> None:
        """Do the next thing that can be done now, or aim at the moment when it can."""
        if self._current is not None or not self._entered or not len(self._queue):
            return
        now = self._loop.time()
        line = self._line or self._open_port(now)
        if line is None:
            self._aim(self._reopen_at)
            return
        quiet_at = self._last_activity + self._gap_s
        if quiet_at > now:
            self._aim(quiet_at)  # bytes that come meanwhile are seen then
            return
        # Chosen only now, after the silence: what came meanwhile may be more urgent.
        order = self._queue.take(lambda each: self._may_go(each, now), self._is_doubtful)
        if order is not None:
            self._send(order, line)
        else:
            self._aim(min(map(self._quarantine.held_until, self._queue)))

    def _aim(self, at: float) -> None:
        if self._wake is not None:
            if self._wake.when() <= at:
                return  # it looks too early, and aims again
            self._wake.cancel()
        self._wake = self._loop.call_at(at, self._woken)

    def _look_at(self, at: float) -> None:
        """Have `_watched` called then at the latest."""
        if self._watch is not None:
            if self._watch.when() <= at:
                return
            self._watch.cancel()
        self._watch = self._loop.call_at(at, self._watched)

    def _watched(self) -> None:
        self._watch = None
        now = self._loop.time()
        current = self._current
        if current is not None and now >= self._until:
            self._out_of_time(current)
        waiting = [*self._queue, *([] if self._current is None else [self._current])]
        for order in waiting:
            if order.deadline <= now:
                self._expire(order)
        self._pump()
        ends = [order.deadline for order in waiting if order.deadline > now]
        if self._current is not None:
            ends.append(self._until)
        if ends:
            self._look_at(min(ends))

    def _woken(self) -> None:
        self._wake = None
        self._pump()

    def _may_go(self, order: Order, now: float) -> bool:
        """Whether its unit may be asked, and somebody still wants to know."""
        return self._quarantine.held_until(order) <= now and not order.future.done()

    def _is_doubtful(self, order: Order) -> bool:
        """Whether it may cost a time-out; what comes again and again has been held back already."""
        return order.priority not in LONGEST_S and self._quarantine.failures(order.unit) > 0

    def _open_port(self, now: float) -> SerialPort | None:
        if now < self._reopen_at:
            return None
        try:
            self._line = self._opener(self.port, self.baudrate, self)
        except OSError:  # absent or busy: callers learn it by their deadlines, an adapter may come back
            self._reopen_at = now + self._reopen_s
            self._reopen_s = min(2 * self._reopen_s, _REOPEN_LAST_S)
            return None
        self._echo.forget()
        self._reopen_s = _REOPEN_FIRST_S
        self._last_activity = now
        return self._line

    def _send(self, order: Order, line: SerialPort) -> None:
        self._received.clear()
        self._current = order
        # The line is busy until the last bit has left; the driver's buffer returns long before.
        self._last_activity = self._loop.time() + len(order.frame) * self._character_s
        self._asked, self._asked_until = order.unit, self._last_activity
        if order.expected is None:
            self._until = self._last_activity + _TURN_ROUND_S
        else:
            self._until = self._last_activity + order.expected.size * self._character_s + self._timeout
        self._look_at(self._until)
        line.write(order.frame)

    def _finish(self) -> Order | None:
        """End the current order, whatever came of it."""
        order, self._current = self._current, None
        return order

    def _out_of_time(self, order: Order) -> None:
        """Nobody answered: as it must be after a broadcast, and a failure else."""
        self._finish()
        if order.expected is None:
            self._end(order, None)
        else:
            self._quarantine.failed(order.unit, self._loop.time())
            self._observe(unanswered(order.expected, bytes(self._received)))
            self._fail(order, self._silence(order))

    def _silence(self, order: Order) -> LinkTimeout:
        heard = len(self._received)
        problem = f"{heard} bytes came, none of them the answer" if heard else "silence"
        remedy = "check baud rate, wiring, termination" if heard else "check power, unit number and wiring of the unit"
        return LinkTimeout(self._name(order.unit), f"function {order.frame[1]}", problem, remedy=remedy)

    @staticmethod
    def _end(order: Order, answer: ModbusPDU | None) -> None:
        if not order.future.done():
            order.future.set_result(answer)

    @staticmethod
    def _fail(order: Order, error: Exception) -> None:
        if not order.future.done():
            order.future.set_exception(error)

    def _observe(self, outcome: Outcome) -> None:
        self._observer(self._asked, outcome, self._loop.time() - self._asked_until)

    def _observe_stray(self, data: bytes) -> None:
        if data.strip(b"\0"):  # a driver that is switched off may leave a 0x00
            self._observe(Outcome.STRAY)

    def _name(self, unit: int) -> str:
        return f"{self.port} unit {unit}"

    # --- the port's side: callbacks ---

    def data_received(self, data: bytes) -> None:
        """Take bytes of the line (`Receiver`)."""
        self._last_activity = max(self._last_activity, self._loop.time())
        order = self._current
        if order is None or order.expected is None:
            if order is None:
                self._observe_stray(data)
            return  # late or foreign: it only moves the silence
        self._received += data
        del self._received[:-_RECEIVE_LIMIT]
        received, start = bytes(self._received), 0
        while found := self._echo.find(order.expected, received, start):
            start, frame = found
            pdu = decoded(frame)
            if pdu is not None and (isinstance(pdu, ExceptionResponse) or order.accept is None or order.accept(pdu)):
                self._finish()
                self._quarantine.answered(order.unit, proven=order.accept is not None)
                self._observe(Outcome.EXCEPTION if isinstance(pdu, ExceptionResponse) else Outcome.ANSWER)
                self._observe_stray(received[start:])
                self._end(order, pdu)
                self._pump()
                return

    def connection_lost(self, reason: Exception) -> None:
        """Take the news that the port is gone (`Receiver`); it is opened again for the next order."""
        self._line = None
        order = self._finish()
        if order is not None:
            remedy = "plug the adapter in"
            self._fail(order, LinkError(self.port, "request", f"the serial port was lost ({reason})", remedy=remedy))
        self._pump()
