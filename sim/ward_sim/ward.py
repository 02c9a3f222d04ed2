"""The ward as one TOML file describes it: line, link, amplifiers with their zones, boards."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ward_sim.faults import AnyFault, problems
from ward_sim.section import Section

DEFAULT = Path(__file__).parent / "ward.toml"
BOARD_BAUDRATE = 115_200
SUPPLY_RELAY = 0
ZONES_AN_AMPLIFIER = 4


class WardError(ValueError):
    """The ward's file cannot be used; the message names the file, the key and what is needed."""


class LineSection(Section, frozen=True):
    """The amplifiers' serial line: bit/s, and the faults of `ward_sim.line`."""

    baudrate: Literal[9600, 19200, 38400, 57600, 115200] = 19200
    ber: Annotated[float, Meta(ge=0, le=0.1)] = 0.0
    echo: bool = False


class LinkSection(Section, frozen=True):
    """The network between source and hub, each way."""

    delay_ms: Annotated[int, Meta(ge=0, le=5000)] = 60
    jitter_ms: Annotated[int, Meta(ge=0, le=1000)] = 0
    loss: Annotated[float, Meta(ge=0, le=0.5)] = 0.02


class ZoneSection(Section, frozen=True):
    """One cluster of horns; the first zone of an amplifier is behind relay 1, the next behind relay 2."""

    id: str
    name: str


class AmplifierSection(Section, frozen=True):
    """One amplifier controller on the line."""

    id: str
    name: str
    unit: Annotated[int, Meta(ge=1, le=247)]
    zones: Annotated[tuple[ZoneSection, ...], Meta(min_length=1, max_length=ZONES_AN_AMPLIFIER)]
    warm_up_ms: Annotated[int, Meta(ge=0, le=10_000)] = 800

    def relay_of(self, zone: str) -> int:
        """Return the relay behind which that zone of this amplifier is."""
        return 1 + [one.id for one in self.zones].index(zone)


class BoardSection(Section, frozen=True):
    """One board of P10 modules, 32 × 16 pixels each."""

    id: str
    name: str
    modules_wide: Annotated[int, Meta(ge=1, le=10)]
    modules_high: Annotated[int, Meta(ge=1, le=4)]


class Ward(Section, frozen=True):
    """Everything that is simulated."""

    seed: int
    name: str
    area: str
    hub: str
    line: LineSection
    link: LinkSection
    amplifier: Annotated[tuple[AmplifierSection, ...], Meta(min_length=1)]
    board: Annotated[tuple[BoardSection, ...], Meta(min_length=1)]
    fault: tuple[AnyFault, ...] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        """All zones, in the order of the file."""
        return tuple(zone.id for amplifier in self.amplifier for zone in amplifier.zones)


def load(path: Path = DEFAULT) -> Ward:
    """Read a ward's file; raises WardError."""
    try:
        ward = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Ward)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise WardError(f"{path}: {error}") from error
    if wrong := problems(ward.fault, frozenset(amplifier.unit for amplifier in ward.amplifier)):
        raise WardError(f"{path}: {'; '.join(wrong)}")
    return ward
