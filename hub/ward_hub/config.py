"""The agent's configuration: one TOML file, read into frozen records; an unknown key is fatal."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ward_hub.addresses import source_address
from ward_hub.errors import ConfigError
from ward_hub.keys.uri import TokenUri

Identifier = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Area = Annotated[str, Meta(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")]
PORT = re.compile(r"[1-9][0-9]{0,4}")
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
MAX_ZONES, MAX_BOARDS = 64, 8  # as many as a receipt's evidence holds


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: immutable, unknown keys refused."""


class HubSection(Section, frozen=True, kw_only=True):
    """Who this hub is: its id in audiences and receipts, its area, where it keeps its state.

    `key` is the URI of its key where that is on a token, and not in its state.
    """

    id: Identifier
    area: Area
    state: str
    name: str = ""
    language: Literal["vi", "en"] = "vi"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    key: str | None = None

    def __post_init__(self) -> None:
        if self.key is not None and _token_uri(self.key).pin_source is None:
            raise ValueError("key: nobody is there to type a PIN: name its file with pin-source=file:/PATH")


class TrustSection(Section, frozen=True, kw_only=True):
    """The first root document: the one file that a hub must be given by hand."""

    root: str


class SourceSection(Section, frozen=True, kw_only=True):
    """The source information system above this hub.

    `protected`: receipts go through the channel only (true), or open although there may be one (false), or as enrolled.
    """

    uri: Annotated[str, Meta(pattern=r"^coap://")]
    protected: bool | None = None

    def __post_init__(self) -> None:
        source_address(self.uri)


class BusSection(Section, frozen=True, kw_only=True):
    """One serial line with Modbus units on it; `port` is a device path, `baudrate` in bit/s."""

    name: Identifier
    port: str
    baudrate: Literal[9600, 19200, 38400, 57600, 115200] = 19200
    timeout_ms: Annotated[int, Meta(ge=20, le=5000)] = 300


class ZoneSection(Section, frozen=True, kw_only=True):
    """One cluster of horns behind one relay of its amplifier."""

    id: Identifier
    relay: Annotated[int, Meta(ge=0, le=31)]
    name: str = ""


class AmplifierSection(Section, frozen=True, kw_only=True):
    """One amplifier: its unit on a bus, the relay of its mains supply, and its zones.

    `warm_up_ms` is what the amplifier needs between supply and sound; `heard_mv` the line level, in mV, from which
    sound counts as heard. `serial` is the number, in hex, of the one controller that may answer as `unit`.
    `lease_proven` says that this board was tried by `wardhub bus lease`, where its profile asks for that.
    """

    name: Identifier
    bus: Identifier
    unit: Annotated[int, Meta(ge=1, le=247)]
    profile: str
    serial: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{2}){4,16}$")] | None = None
    lease_proven: bool = False
    supply_relay: Annotated[int, Meta(ge=0, le=31)] | None = None
    warm_up_ms: Milliseconds = 1500
    heard_mv: Annotated[int, Meta(ge=1, le=10_000)] = 30
    zones: Annotated[tuple[ZoneSection, ...], Meta(min_length=1, max_length=32)]


class MeterSection(Section, frozen=True, kw_only=True):
    """A product that measures what an amplifier does, in place of the amplifier's own controller.

    `reading` is a name of its profile; `heard_from` the value, in its unit, from which sound counts as heard.
    """

    amplifier: Identifier
    bus: Identifier
    unit: Annotated[int, Meta(ge=1, le=247)]
    profile: str
    reading: str
    heard_from: Annotated[float, Meta(gt=0)]


class BoardSection(Section, frozen=True, kw_only=True):
    """One LED board on a serial link of its own; its size is what the board itself reports."""

    id: Identifier
    port: str
    baudrate: Literal[9600, 19200, 38400, 57600, 115200] = 115200
    name: str = ""


class AudioSection(Section, frozen=True, kw_only=True):
    """How sound leaves the hub: a miniaudio backend, and where to keep a copy of what was played, if anywhere."""

    backend: Literal["null", "alsa", "default"] = "default"
    capture: str | None = None
    voice: Literal["north", "centre", "south"] = "north"


class ClockSection(Section, frozen=True, kw_only=True):
    """How the hub comes by the time. `rtc`: a battery keeps the machine's clock while the power is off.

    Seconds: each `confirm_s` the source is asked for a proof of its time; its beat is frozen when it lies `frozen_s`
    back; the source is silent after `silent_s` without a beat.
    """

    rtc: bool = False
    confirm_s: Annotated[int, Meta(ge=60, le=86_400)] = 3600
    frozen_s: Annotated[int, Meta(ge=10, le=3600)] = 60
    silent_s: Annotated[int, Meta(ge=60, le=604_800)] = 3600


class AiringSection(Section, frozen=True, kw_only=True):
    """How airings behave. Milliseconds; `board_hold_ms` is the least time that a board shows a bulletin."""

    tail_ms: Milliseconds = 300
    repeat_gap_ms: Milliseconds = 1000
    board_hold_ms: Milliseconds = 8000
    board_lease_ms: Annotated[int, Meta(ge=2000, le=60_000)] = 6000
    poll_ms: Annotated[int, Meta(ge=100, le=1000)] = 250
    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 5


class LanSection(Section, frozen=True, kw_only=True):
    """Where the hub takes statements and recordings from its own network, and what may be on its way at once.

    `listen` is an IP address of the hub and a UDP port; only who writes `0.0.0.0` or `[::]` listens everywhere.
    """

    listen: str
    max_uploads: Annotated[int, Meta(ge=1, le=256)] = 16
    max_mib: Annotated[int, Meta(ge=9, le=1024)] = 32
    max_uploads_per_peer: Annotated[int, Meta(ge=1, le=256)] = 2
    max_mib_per_peer: Annotated[int, Meta(ge=9, le=1024)] = 9

    def __post_init__(self) -> None:
        self.endpoint()

    def endpoint(self) -> tuple[str, int]:
        """Return the address and the port to listen at; raises ValueError."""
        host, _, port = self.listen.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not _is_address(bare, 4 if bare == host else 6) or not PORT.fullmatch(port) or int(port) >= 2**16:
            raise ValueError(f"{self.listen!r}: write ADDRESS:PORT or [IPV6-ADDRESS]:PORT, such as 192.168.1.20:5683")
        return bare, int(port)


class UsbSection(Section, frozen=True, kw_only=True):
    """Where the system mounts sticks; a bundle that appears there is taken by itself."""

    mount: str


class MediaSection(Section, frozen=True, kw_only=True):
    """How much of the disk recordings may take, in MiB: all, those that came ahead, and what stays free in any case."""

    max_mib: Annotated[int, Meta(ge=64, le=1_000_000)] = 512
    max_ahead_mib: Annotated[int, Meta(ge=8, le=1_000_000)] = 32
    keep_free_mib: Annotated[int, Meta(ge=1, le=1_000_000)] = 64


class Config(Section, frozen=True, kw_only=True):
    """Everything the agent is told."""

    hub: HubSection
    trust: TrustSection
    source: SourceSection
    lan: LanSection | None = None
    usb: UsbSection | None = None
    media: MediaSection = MediaSection()
    bus: tuple[BusSection, ...] = ()
    amplifier: tuple[AmplifierSection, ...] = ()
    meter: tuple[MeterSection, ...] = ()
    board: tuple[BoardSection, ...] = ()
    audio: AudioSection = AudioSection()
    airing: AiringSection = AiringSection()
    clock: ClockSection = ClockSection()

    @property
    def key(self) -> TokenUri | None:
        """The hub's key on a token; None where it is in its state."""
        return None if self.hub.key is None else TokenUri.parse(self.hub.key)

    def units_on(self, bus: str) -> frozenset[int]:
        """Return the unit numbers that should answer on a bus."""
        amplifiers = frozenset(one.unit for one in self.amplifier if one.bus == bus)
        return amplifiers | frozenset(one.unit for one in self.meter if one.bus == bus)

    def __post_init__(self) -> None:
        zones = sum(len(one.zones) for one in self.amplifier)
        if zones > MAX_ZONES or len(self.board) > MAX_BOARDS:
            raise ValueError(f"a hub drives at most {MAX_ZONES} zones and {MAX_BOARDS} boards")
        buses = [one.name for one in self.bus]
        for amplifier in self.amplifier:
            if amplifier.bus not in buses:
                raise ValueError(f"amplifier {amplifier.name}: there is no bus {amplifier.bus}")
            relays = [zone.relay for zone in amplifier.zones]
            if amplifier.supply_relay is not None:
                relays.append(amplifier.supply_relay)
            _distinct(relays, f"amplifier {amplifier.name}: relay")
        _distinct(buses, "bus name")
        _distinct([one.port for one in self.bus] + [one.port for one in self.board], "serial port")
        _distinct([one.name for one in self.amplifier], "amplifier name")
        _distinct([(one.bus, one.unit) for one in self.amplifier], "bus and unit of an amplifier")
        _distinct([zone.id for one in self.amplifier for zone in one.zones], "zone id")
        _distinct([one.id for one in self.board], "board id")
        self._check_meters(buses)

    def _check_meters(self, buses: list[str]) -> None:
        amplifiers = {(one.bus, one.unit): one.name for one in self.amplifier}
        for meter in self.meter:
            if meter.amplifier not in amplifiers.values():
                raise ValueError(f"meter: there is no amplifier {meter.amplifier}")
            if meter.bus not in buses:
                raise ValueError(f"meter of {meter.amplifier}: there is no bus {meter.bus}")
            if (meter.bus, meter.unit) in amplifiers:
                taken = amplifiers[meter.bus, meter.unit]
                raise ValueError(f"meter of {meter.amplifier}: unit {meter.unit} is that of amplifier {taken}")
        _distinct([one.amplifier for one in self.meter], "meter: amplifier")


def _token_uri(text: str) -> TokenUri:
    try:
        return TokenUri.parse(text)
    except ValueError as error:
        raise ValueError(f"key: {error}") from error


def _is_address(host: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _distinct(values: list[Any], what: str) -> None:
    twice = {value for value in values if values.count(value) > 1}
    if twice:
        raise ValueError(f"{what} {min(twice)} is used twice")


def parse(content: str, name: str) -> Config:
    """Return the configuration in `content`, TOML text of the file `name`; raises ConfigError."""
    try:
        return msgspec.convert(tomllib.loads(content), Config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{name}: {error}") from error


def load(path: Path) -> Config:
    """Read a configuration file; raises ConfigError naming the file and what is wrong with it."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse(content, str(path))
