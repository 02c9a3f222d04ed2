"""Product profiles: the facts of one product, read from ``profiles/<vendor>/<model>.toml``.

A profile holds what the maker's manual says (registers, scale, limits, timing, quirks); a site's facts
(unit number, wiring) are configuration. The reader is strict: an unknown or missing key, a wrong type or a
value out of range stops the program with a message that names the file and the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from ward_hw.errors import MisuseError
from ward_hw.profile_reader import build, tables_of, wrong

_FILE_OF_NAME = "profiles/{}.toml"


@dataclass(frozen=True, slots=True)
class SerialFacts:
    """Line settings of the product as delivered; always 8N1."""

    baudrate: int
    baudrates: tuple[int, ...]
    unit: int


@dataclass(frozen=True, slots=True)
class RelayFacts:
    """Relays are coils ``coil`` to ``coil + count - 1``."""

    count: int
    coil: int


@dataclass(frozen=True, slots=True)
class RegisterLease:
    """The product itself opens its relays when nobody writes to it for a time.

    ``register`` is the holding register with that time in ms, ``max_on_register`` the one with the longest
    on-time in s.
    """

    register: int
    default_ms: int
    min_ms: int
    max_ms: int
    max_on_register: int
    max_on_default_s: int
    max_on_limit_s: int


@dataclass(frozen=True, slots=True)
class InterlockFacts:
    """The product itself keeps zones open until their supply is warm.

    ``register`` is the first of three holding registers in a row: mask of supply relays, mask of zones, warm-up in ms.
    They follow the nonce register, so that one write sets lease, on-time, nonce and interlock.
    """

    register: int
    max_warm_up_ms: int


@dataclass(frozen=True, slots=True)
class TimedLease:
    """The product closes a relay for a time: a single-coil write to ``coil`` + relay, the time as value.

    Where that is not ``attested`` by the maker, each board must be tried (`ward_hw.lease_proof`) before it is used.
    """

    coil: int
    step_ms: int
    default_ms: int
    max_ms: int
    attested: bool = True


@dataclass(frozen=True, slots=True)
class NonceFacts:
    """A holding register that is only written and read back.

    It is written and read with the status in one FC 23; ``status`` is the first holding register of the
    status block (the nonce being its first word), ``inputs`` the first input register of the same block.
    """

    register: int
    status: int
    inputs: int
    count: int


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """A harmless read of another shape than a relay read; its answer shows that older ones have come."""

    register: int


@dataclass(frozen=True, slots=True)
class StatusScale:
    """Offsets of values in the status block, and their scale.

    ``identity`` is the CRC-16 of the controller's serial number, behind the nonce and before ``relays``;
    ``flags`` and ``last_trip`` mean what `ward_protocol.portable.amplifier_reading` says.
    """

    identity: int
    relays: int
    line_level_mv: int
    supply: int
    supply_unit_mv: int
    temperature_dc: int
    lease_left_ms: int
    uptime_s: int
    reset_cause: int
    trips: int
    current_ma: int
    flags: int
    last_trip: int


@dataclass(frozen=True, slots=True)
class AmplifierProfile:
    """A product that switches amplifier supply and zones.

    Exactly one of ``register_lease`` and ``timed_lease`` is present: how closed relays fall open by
    themselves. Exactly one of ``nonce`` (with ``status``) and ``probe``: how an answer is known to be
    fresh.
    """

    title: str
    serial: SerialFacts
    relays: RelayFacts
    register_lease: RegisterLease | None = None
    interlock: InterlockFacts | None = None
    timed_lease: TimedLease | None = None
    nonce: NonceFacts | None = None
    status: StatusScale | None = None
    probe: ProbeFacts | None = None


def load_profile(name: str) -> AmplifierProfile:
    """The amplifier profile called ``vendor/model``; raises MisuseError naming file and key."""
    return parse_profile(name, profile_text(name))


def profile_text(name: str) -> str:
    """The text of the installed profile called ``vendor/model``; raises MisuseError."""
    vendor, _, model = name.partition("/")
    if not all(part.replace("-", "").isalnum() for part in (vendor, model)):
        raise MisuseError(name, "load profile", "not a profile name", remedy="write vendor/model, e.g. wardhub/amp8")
    file = files("ward_hw").joinpath(_FILE_OF_NAME.format(name))
    if not file.is_file():
        raise MisuseError(name, "load profile", "no such profile", remedy=f"known are: {', '.join(known_profiles())}")
    return file.read_text(encoding="utf-8")


def known_profiles() -> list[str]:
    """Names of the profiles that are installed."""
    vendors = [entry for entry in files("ward_hw").joinpath("profiles").iterdir() if entry.is_dir()]
    return sorted(
        f"{vendor.name}/{model.name.removesuffix('.toml')}"
        for vendor in vendors
        for model in vendor.iterdir()
        if model.name.endswith(".toml")
    )


def parse_profile(name: str, text: str) -> AmplifierProfile:
    """Read the text of a profile; raises MisuseError naming ``name`` and the key."""
    table = tables_of(name, text)
    if "readings" in table:
        raise wrong(name, "readings", "this product measures and switches nothing; name it in a meter's section")
    profile = build(name, "", AmplifierProfile, table)
    _check(name, profile)
    return profile


def _check(name: str, profile: AmplifierProfile) -> None:
    if (profile.register_lease is None) == (profile.timed_lease is None):
        raise wrong(name, "register_lease", "exactly one of register_lease and timed_lease must be there")
    if (profile.nonce is None) == (profile.probe is None) or (profile.nonce is None) != (profile.status is None):
        raise wrong(name, "nonce", "either nonce and status must be there, or probe")
    if profile.register_lease is not None and profile.nonce is None:
        raise wrong(name, "register_lease", "needs nonce: its settings are confirmed with it")
    if profile.interlock and (profile.nonce is None or profile.interlock.register != profile.nonce.register + 1):
        raise wrong(name, "interlock.register", "must be the register behind nonce.register")
    if not 1 <= profile.relays.count <= 32:
        raise wrong(name, "relays.count", "must be 1 to 32")
    check_serial(name, profile.serial)


def check_serial(name: str, serial: SerialFacts) -> None:
    """Raise MisuseError where a product is delivered with a baud rate that it does not have."""
    if serial.baudrate not in serial.baudrates:
        raise wrong(name, "serial.baudrate", "must be one of serial.baudrates")
