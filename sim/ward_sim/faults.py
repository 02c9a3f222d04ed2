"""`[[fault]]` of a ward's file: what is wrong on the amplifiers' line, from when until when.

`kind` says which keys there are; `unit` is an amplifier's unit number, `share` the probability of meeting an answer,
times are seconds since the line came up.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ward_sim.section import Section

Unit = Annotated[int, Meta(ge=1, le=247)]
Share = Annotated[float, Meta(gt=0, le=1)]
Rate = Annotated[float, Meta(gt=0, le=0.1)]
Relay = Annotated[int, Meta(ge=0, le=7)]
Seconds = Annotated[float, Meta(ge=0)]


class Fault(Section, frozen=True, kw_only=True, tag_field="kind"):
    """One fault; without `until_s` it lasts."""

    from_s: Seconds = 0.0
    until_s: Seconds | None = None

    @property
    def units(self) -> tuple[int, ...]:
        """The amplifiers it is about."""
        return ()

    @property
    def kind(self) -> str:
        """Its word in the file."""
        return str(self.__struct_config__.tag)


class UnitFault(Fault, frozen=True, kw_only=True):
    """A fault of one amplifier's controller."""

    unit: Unit

    @property
    def units(self) -> tuple[int, ...]:
        """That one."""
        return (self.unit,)


class Noise(Fault, frozen=True, kw_only=True, tag="noise"):
    """Bits flip."""

    ber: Rate


class Lost(Fault, frozen=True, kw_only=True, tag="lost"):
    """Characters are lost."""

    rate: Rate


class Inserted(Fault, frozen=True, kw_only=True, tag="inserted"):
    """Characters appear."""

    rate: Rate


class Echo(Fault, frozen=True, kw_only=True, tag="echo"):
    """The hub's adapter hears itself."""


class Unplugged(Fault, frozen=True, kw_only=True, tag="unplugged"):
    """The hub's adapter is pulled."""


class Cut(Fault, frozen=True, kw_only=True, tag="cut"):
    """The cable is cut before some amplifiers, which hear each other only."""

    behind: Annotated[tuple[Unit, ...], Meta(min_length=1)]

    @property
    def units(self) -> tuple[int, ...]:
        """Those behind."""
        return self.behind


class EndFault(Fault, frozen=True, kw_only=True):
    """A fault of one end of the line: of an amplifier, or of the hub's adapter where no unit is named."""

    unit: Unit | None = None

    @property
    def units(self) -> tuple[int, ...]:
        """That one, if it is one."""
        return () if self.unit is None else (self.unit,)


class Baud(EndFault, frozen=True, kw_only=True, tag="baud"):
    """It runs at another baud rate than the line."""

    baudrate: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200]


class Torn(EndFault, frozen=True, kw_only=True, tag="torn"):
    """What it says has a pause in its middle."""

    pause_us: Annotated[int, Meta(ge=1, le=1_000_000)]
    share: Share = 1.0


class Late(UnitFault, frozen=True, kw_only=True, tag="late"):
    """Answers come later."""

    late_ms: Annotated[int, Meta(ge=1, le=60_000)]
    share: Share = 1.0


class Mute(UnitFault, frozen=True, kw_only=True, tag="mute"):
    """It hears and acts, and answers do not come."""

    share: Share = 1.0


class Deaf(UnitFault, frozen=True, kw_only=True, tag="deaf"):
    """It does not hear."""

    share: Share = 1.0


class LeadingZero(UnitFault, frozen=True, kw_only=True, tag="leading-zero"):
    """0x00 before an answer."""

    share: Share = 1.0


class Truncated(UnitFault, frozen=True, kw_only=True, tag="truncated"):
    """An answer ends early."""

    share: Share = 1.0


class Duplicated(UnitFault, frozen=True, kw_only=True, tag="duplicated"):
    """An answer comes twice."""

    share: Share = 1.0


class Foreign(UnitFault, frozen=True, kw_only=True, tag="foreign"):
    """A frame of another unit comes before its answer."""

    other: Unit
    share: Share = 1.0


class Impostor(UnitFault, frozen=True, kw_only=True, tag="impostor"):
    """It answers for another unit as well."""

    other: Unit


class BrownOut(UnitFault, frozen=True, kw_only=True, tag="brown-out"):
    """Its controller has no power."""


class Hang(UnitFault, frozen=True, kw_only=True, tag="hang"):
    """Its controller hangs once, at the beginning; its watchdog restarts it."""


class Stuck(UnitFault, frozen=True, kw_only=True, tag="stuck"):
    """A contact does not close."""

    relay: Relay


class Welded(UnitFault, frozen=True, kw_only=True, tag="welded"):
    """A contact does not open once it is closed."""

    relay: Relay


class Hot(UnitFault, frozen=True, kw_only=True, tag="hot"):
    """Its heat sink is so much hotter."""

    rise_c: Annotated[int, Meta(ge=1, le=200)]


class Short(UnitFault, frozen=True, kw_only=True, tag="short"):
    """A short on its loudspeaker line draws so much as soon as a zone is closed."""

    leak_ma: Annotated[int, Meta(ge=1, le=20_000)]


class Sag(UnitFault, frozen=True, kw_only=True, tag="sag"):
    """Its supply gives so much less."""

    drop_mv: Annotated[int, Meta(ge=1, le=24_000)]


AnyFault = (
    Noise
    | Lost
    | Inserted
    | Echo
    | Unplugged
    | Cut
    | Baud
    | Torn
    | Late
    | Mute
    | Deaf
    | LeadingZero
    | Truncated
    | Duplicated
    | Foreign
    | Impostor
    | BrownOut
    | Hang
    | Stuck
    | Welded
    | Hot
    | Short
    | Sag
)


def problems(faults: tuple[AnyFault, ...], units: frozenset[int]) -> list[str]:
    """What is wrong with them that types do not say, in words."""
    found: list[str] = []
    for number, fault in enumerate(faults, 1):
        where = f"fault {number} ({fault.kind})"
        found += [f"{where}: no amplifier has unit {unit}" for unit in fault.units if unit not in units]
        if fault.until_s is not None and fault.until_s <= fault.from_s:
            found.append(f"{where}: until_s must be later than from_s")
    return found
