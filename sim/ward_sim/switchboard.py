"""Turns the faults of a ward's file on and off while the line runs, on any clock and any kind of station."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from ward_sim import faults as wrong
from ward_sim.line import habits

if TYPE_CHECKING:
    from ward_sim.devices.contacts import Contacts
    from ward_sim.line.habits import Habit
    from ward_sim.line.medium import Medium, Tap


class Adapter(Protocol):
    """The hub's end of the line."""

    @property
    def bauds(self) -> list[int]:
        """Rates at which it runs by some fault (`ward_sim.line.medium.Tap`)."""
        ...

    @property
    def habits(self) -> list[Habit]:
        """How it spoils what it says."""
        ...

    def plug(self) -> None:
        """Put it back."""

    def unplug(self) -> None:
        """Pull it."""


class Controlled(Protocol):
    """An amplifier, in a process of its own or in this one."""

    @property
    def tap(self) -> Tap:
        """Where it is joined to the line."""
        ...

    @property
    def contacts(self) -> Contacts:
        """Its relays."""
        ...

    def strain(self, *, heat_dc: int = 0, leak_ma: int = 0, sag_mv: int = 0) -> None:
        """Be hotter (0.1 degC), draw more by a short, have less supply than now; what is negative undoes it."""

    def hang(self) -> None:
        """Let its processor hang."""

    async def kill(self) -> None:
        """Cut its power."""

    async def start(self) -> None:
        """Give power again."""


Told = Callable[[wrong.AnyFault, bool], None]
"""Takes a fault and whether it begins (or ends)."""


class Switchboard:
    """Everything on a line that can go wrong; `units` by unit number."""

    def __init__(self, line: Medium, adapter: Adapter, units: Mapping[int, Controlled]) -> None:
        self._line, self._adapter, self._units = line, adapter, units
        self._echo = line.echo  # an adapter that always hears itself

    async def play(self, faults: Iterable[wrong.AnyFault], told: Told = lambda _fault, _begins: None) -> None:
        """Let each happen at its time; returns when the last has ended, or never where one lasts."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._one(fault, told))

    async def _one(self, fault: wrong.AnyFault, told: Told) -> None:
        await asyncio.sleep(fault.from_s)
        await self.switch(fault, on=True)
        told(fault, True)
        if fault.until_s is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(fault.until_s - fault.from_s)
        await self.switch(fault, on=False)
        told(fault, False)

    async def switch(self, fault: wrong.AnyFault, *, on: bool) -> None:
        """Begin or end one fault."""
        if isinstance(fault, wrong.BrownOut):
            unit = self._units[fault.unit]
            await (unit.kill() if on else unit.start())
        elif isinstance(fault, wrong.UnitFault):
            self._unit(self._units[fault.unit], fault, on=on)
        else:
            self._whole(fault, on=on)

    def _whole(self, fault: wrong.AnyFault, *, on: bool) -> None:
        line, sign = self._line, 1 if on else -1
        match fault:
            case wrong.Noise(ber=ber):
                line.ber = max(0.0, line.ber + sign * ber)
            case wrong.Lost(rate=rate):
                line.drop = max(0.0, line.drop + sign * rate)
            case wrong.Inserted(rate=rate):
                line.insert = max(0.0, line.insert + sign * rate)
            case wrong.Echo():
                line.echo = on or self._echo
            case wrong.Unplugged():
                (self._adapter.unplug if on else self._adapter.plug)()
            case wrong.Cut(behind=behind):
                for unit in behind:
                    self._units[unit].tap.cut = on
            case wrong.Baud(baudrate=baudrate):
                bauds = self._end(fault).bauds
                (bauds.append if on else bauds.remove)(baudrate)
            case wrong.Torn(pause_us=pause_us, share=share):
                spoils = self._end(fault).habits
                (spoils.append if on else spoils.remove)(habits.Torn(share, pause_us / 1e6))
            case _:
                raise TypeError(f"nothing is known of a fault {fault.kind}")

    def _end(self, fault: wrong.EndFault) -> Adapter | Tap:
        return self._adapter if fault.unit is None else self._units[fault.unit].tap

    def _unit(self, unit: Controlled, fault: wrong.UnitFault, *, on: bool) -> None:
        sign = 1 if on else -1
        match fault:
            case wrong.Hang():
                if on:
                    unit.hang()
            case wrong.Stuck(relay=relay):
                (unit.contacts.stick if on else unit.contacts.heal)(relay)
            case wrong.Welded(relay=relay):
                (unit.contacts.weld if on else unit.contacts.heal)(relay)
            case wrong.Hot(rise_c=rise_c):
                unit.strain(heat_dc=sign * rise_c * 10)
            case wrong.Short(leak_ma=leak_ma):
                unit.strain(leak_ma=sign * leak_ma)
            case wrong.Sag(drop_mv=drop_mv):
                unit.strain(sag_mv=sign * drop_mv)
            case _:
                (unit.tap.habits.append if on else unit.tap.habits.remove)(habit(fault))


def habit(fault: wrong.UnitFault) -> Habit:
    """Return the habit by which a station shows the fault."""
    match fault:
        case wrong.Late(late_ms=late_ms, share=share):
            return habits.Late(share, late_ms / 1000)
        case wrong.Mute(share=share):
            return habits.Mute(share)
        case wrong.Deaf(share=share):
            return habits.Deaf(share)
        case wrong.LeadingZero(share=share):
            return habits.LeadingZero(share)
        case wrong.Truncated(share=share):
            return habits.Truncated(share)
        case wrong.Duplicated(share=share):
            return habits.Duplicated(share)
        case wrong.Foreign(share=share, other=other):
            return habits.Foreign(share, other)
        case wrong.Impostor(unit=unit, other=other):
            return habits.Impostor(own=unit, other=other)
        case _:
            raise TypeError(f"nothing is known of a fault {fault.kind}")
