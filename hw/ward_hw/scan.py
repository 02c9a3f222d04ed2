"""Who is on a line, how well it answers, and which product it seems to be.

Every number is asked once for holding register 0. Whoever is there must answer, with the register or with an exception
(V1.1b3, section 7; the makers of all our profiles' products say the same). Then whoever was heard, and whoever is
expected, is asked more often, for statistics. At last those that answer are identified: by function 43/14 where they
have it, and by the registers of the profiles. Nothing is ever written.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from ward_hw.bus import ModbusBus
from ward_hw.bus.master import BROADCAST
from ward_hw.bus.outcome import Outcome
from ward_hw.diagnosis import ENOUGH
from ward_hw.errors import LinkError, LinkTimeout, PeerError
from ward_hw.link_log import LinkLog
from ward_hw.serial_port import open_tty
from ward_hw.signs import known_signs

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from ward_hw.link_log import UnitStatistics
    from ward_hw.ports import SerialOpener

_PATIENCE_S = 10.0  # for one request in any case; its own time-out ends it long before
_LISTEN_SHARE = 1 / 3  # of the time-out: how long it listens for a second answer
_LONGEST_TEXT = 60
_BASIC, _EXTENDED = 1, 3  # read device id codes
_LAST_BASIC = 2  # object: vendor name, product code, revision
_OURS, _SERIAL = "wardhub", 0x80  # objects from 0x80 on are the vendor's own
_DIRTY = frozenset({Outcome.DAMAGED, Outcome.FOREIGN, Outcome.GARBAGE})


@dataclass(frozen=True, slots=True)
class Found:
    """A unit that answers: profiles that fit it, the most telling first, and what it says of itself (43/14).

    ``texts`` are vendor, product and revision, ``serial`` the serial number of a controller of ours, in hex.
    """

    unit: int
    profiles: tuple[str, ...]
    texts: tuple[str, ...] = ()
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one baud rate brought."""

    baudrate: int
    found: tuple[Found, ...]
    statistics: tuple[UnitStatistics, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask how. ``expected`` units are asked ``tries`` times even if they are silent; ``timeout`` in seconds."""

    units: tuple[int, ...]
    expected: frozenset[int] = frozenset()
    tries: int = 20
    timeout: float = 0.15


async def scan(
    port: str,
    baudrate: int,
    plan: Plan,
    *,
    opener: SerialOpener = open_tty,
    progress: Callable[[int, int], None] = lambda _baudrate, _unit: None,
) -> Scanned:
    """Scan one port at one baud rate. Raises LinkError when the port cannot be used, or is lost meanwhile."""
    claim(port, baudrate, opener)
    asker = _Asker()
    async with ModbusBus(port, baudrate, timeout=plan.timeout, opener=opener, observer=asker.observe) as bus:
        asker.bus = bus
        for unit in plan.units:
            progress(baudrate, unit)
            await asker.ask(unit, ReadHoldingRegistersRequest(address=0, count=1))
        if asker.heard and any(one.dirty for one in asker.log.statistics()):
            for unit in [one for one in plan.units if one not in asker.heard]:  # noise may have cost it its answer
                await asker.ask(unit, ReadHoldingRegistersRequest(address=0, count=1))
        for _ in range(
            ENOUGH // len(plan.units) if not asker.heard else 0
        ):  # so few numbers, that nothing is known yet
            for unit in plan.units:
                await asker.ask(unit, ReadHoldingRegistersRequest(address=0, count=1))
        for unit in sorted(asker.heard | (plan.expected & set(plan.units))):
            for _ in range(plan.tries - 1):
                await asyncio.sleep(plan.timeout * _LISTEN_SHARE)  # somebody else of this number may answer now
                await asker.ask(unit, ReadHoldingRegistersRequest(address=0, count=1))
        statistics = asker.log.statistics()
        found = [await _identify(asker, one.unit) for one in statistics if one.answers]
    return Scanned(baudrate, tuple(found), statistics)


class _Receiver:
    """Takes nothing: the port is only tried."""

    def data_received(self, data: bytes) -> None:
        """Pass over what comes."""

    def connection_lost(self, reason: Exception) -> None:
        """Whoever opens the port next will learn it."""


def claim(port: str, baudrate: int, opener: SerialOpener = open_tty) -> None:
    """Find out whether the port can be used; raises LinkError saying who may hold it."""
    try:
        opener(port, baudrate, _Receiver()).close()
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EBUSY, errno.EACCES}:
            problem = "another program holds it" if error.errno != errno.EACCES else "this user may not open it"
            remedy = "where that is the agent, stop it (systemctl stop wardhub), or ask it: wardhub status"
        else:
            problem, remedy = f"it cannot be opened ({error.strerror or error})", "plug the adapter in, check its path"
        raise LinkError(port, "open", problem, remedy=remedy) from error


class _Asker:
    """Asks units one by one, and remembers who made itself heard."""

    def __init__(self) -> None:
        self.bus: ModbusBus
        self.log = LinkLog()
        self.heard: set[int] = set()
        self._counts = True
        self._before = self._now = 0

    def observe(self, unit: int, outcome: Outcome, latency: float) -> None:
        """Take what the bus observes (`ward_hw.bus.outcome.Observer`)."""
        if not self._counts or unit == BROADCAST:  # what comes before the first request is nobody's
            return
        self.log.observe(unit, outcome, latency)
        if outcome in {Outcome.SILENCE, Outcome.ECHO}:
            return
        self.heard.add(unit)
        if outcome is Outcome.FOREIGN and self._before:
            self.heard.add(self._before)  # it may be the late answer of the unit that was asked before

    async def ask(self, unit: int, pdu: ModbusPDU) -> ModbusPDU | None:
        """The answer, None for silence, damage or an exception. Raises LinkError when the port is gone."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        self._before, self._now = self._now, unit
        try:
            return await self.bus.request(pdu, unit=unit, deadline=deadline)
        except PeerError:
            return None
        except LinkTimeout:
            if not self.bus.open:
                raise
            return None

    @asynccontextmanager
    async def off_the_record(self) -> AsyncGenerator[None]:
        """Ask what a sound unit may leave unanswered, without counting it."""
        self._counts = False
        try:
            yield
        finally:
            self._counts = True


async def _identify(asker: _Asker, unit: int) -> Found:
    async with asker.off_the_record():
        said: dict[int, str] = {}
        for extent in (_EXTENDED, _BASIC):  # who has less answers with what it has, or refuses
            answer = await asker.ask(unit, ReadDeviceInformationRequest(read_code=extent, object_id=0))
            if answer is not None:
                said = _texts(answer)
                break
        fitting: list[str] = []
        answers: dict[tuple[int, int, int], ModbusPDU | None] = {}
        for name, signs in known_signs():
            for sign in signs:
                if sign.key not in answers:
                    answers[sign.key] = await asker.ask(unit, sign.request())
                got = answers[sign.key]
                if got is None or not sign.fits(got, unit):
                    break
            else:
                fitting.append(name)
    texts = tuple(text for number, text in said.items() if number <= _LAST_BASIC)
    return Found(unit, tuple(fitting), texts, said.get(_SERIAL) if said.get(0) == _OURS else None)


def _texts(answer: ModbusPDU) -> dict[int, str]:
    """What the objects of an answer to 43/14 say, by number, made harmless: a stranger wrote them."""
    information: dict[int, bytes | list[bytes]] = getattr(answer, "information", {})
    parts = {number: b", ".join(held) if isinstance(held, list) else held for number, held in information.items()}
    return {
        number: "".join(each if each.isprintable() else "?" for each in part.decode("ascii", "replace"))[:_LONGEST_TEXT]
        for number, part in sorted(parts.items())
    }


def elsewhere(scans: Sequence[Scanned], baudrate: int) -> dict[int, int]:
    """Units that answered only at another baud rate than the line's, with that rate."""
    here = {one.unit for each in scans if each.baudrate == baudrate for one in each.found}
    return {
        one.unit: each.baudrate
        for each in scans
        if each.baudrate != baudrate
        for one in each.found
        if one.unit not in here
    }


def likely_baudrate(scans: Sequence[Scanned]) -> int:
    """The line's baud rate where nobody said it: the one at which most units answered."""
    return max(scans, key=lambda each: len(each.found)).baudrate
