"""The amplifier driver: relays as leases, every order read back, "unknown" said aloud."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ward_hw.bus import ModbusBus, Priority
from ward_hw.drivers.nonce_dialect import NonceDialect, NonceRegisters
from ward_hw.drivers.readings import AmplifierStatus, RelayReading
from ward_hw.drivers.timed_dialect import TimedDialect
from ward_hw.errors import HardwareError, LinkError, MisuseError, PeerError, Unconfirmed
from ward_protocol.portable.crc16 import crc16

if TYPE_CHECKING:
    from ward_hw.drivers.dialect import Dialect, Interlock
    from ward_hw.ports import Clock
    from ward_hw.profile import AmplifierProfile

_ORDER_BUDGET_S = 2.0
_READ_BUDGET_S = 2.0
_ATTEMPTS = 3
_DEVICE_FAILURE = 4


class Amplifier:
    """One amplifier controller on a bus.

    Relays close as leases: without `renew` at least every ``lease_ms`` they fall open, whatever becomes of
    us. ``clock`` stamps readings. ``lease_ms`` and ``max_on_s`` default to the profile's. ``interlock`` is given to
    a controller that can keep it by itself; to others it is nothing. ``serial``, in hex as `wardhub bus scan` shows it,
    says which controller must answer where its answers tell; without it that is the first that does. With
    ``lease_proven`` somebody has tried that this very board opens its relays by itself, where no maker attests it.
    """

    def __init__(
        self,
        name: str,
        bus: ModbusBus,
        unit: int,
        profile: AmplifierProfile,
        *,
        clock: Clock,
        lease_ms: int | None = None,
        max_on_s: int | None = None,
        interlock: Interlock | None = None,
        serial: str | None = None,
        lease_proven: bool = False,
    ) -> None:
        self.name = name
        self.unit = unit
        self.profile = profile
        if profile.timed_lease is not None and not (profile.timed_lease.attested or lease_proven):
            raise MisuseError(
                name,
                "set up",
                "nobody attests that this board opens its relays by itself",
                remedy="try it with `wardhub bus lease`; where it does, configure lease_proven = true",
            )
        self.lease_ms, self.max_on_s = _leases(name, profile, lease_ms, max_on_s)
        self._interlock = _kept(profile, interlock)
        self._dialect = _dialect(name, bus, unit, profile, clock=clock, interlock=self._interlock, serial=serial)
        self._one_order = asyncio.Lock()

    @property
    def another_answers(self) -> bool:
        """Whether who answered last was not the controller that has this number."""
        return self._dialect.another_answers

    async def set_relays(
        self,
        closed: frozenset[int],
        *,
        priority: Priority = Priority.COMMAND,
        budget_s: float = _ORDER_BUDGET_S,
    ) -> RelayReading:
        """Have exactly these relays closed (0 is the first) and return what was read back afterwards.

        Ends within ``budget_s``. Raises Unconfirmed when the reading cannot be had or differs: the relays
        are then unknown, and fall open by their lease. Raises MisuseError for a relay the product does not
        have.
        """
        count = self.profile.relays.count
        if not all(0 <= number < count for number in closed):
            raise MisuseError(
                self.name, "set relays", f"relays {sorted(closed)}", remedy=f"relays are 0 to {count - 1}"
            )
        deadline = asyncio.get_running_loop().time() + budget_s
        try:
            async with asyncio.timeout_at(deadline), self._one_order:
                return await self._order(closed, priority, deadline)
        except TimeoutError as error:
            raise self._unconfirmed(closed, "no time left", _ATTEMPTS) from error

    async def _order(self, closed: frozenset[int], priority: Priority, deadline: float) -> RelayReading:
        cause: HardwareError | None = None
        seen = "nothing read back"
        for _ in range(_ATTEMPTS):
            try:
                await self._dialect.write(closed, priority, deadline)
                status = await self._dialect.read_fresh(priority, deadline)
            except (LinkError, PeerError) as error:
                cause, seen = error, error.problem
                if isinstance(error, PeerError) and error.code == _DEVICE_FAILURE:
                    await self._supply_first(closed, priority, deadline)
                if asyncio.get_running_loop().time() >= deadline:
                    break
                continue
            if status.relays == closed:
                return RelayReading(status.relays, status.at)
            cause, seen = None, f"read back {sorted(status.relays)}"
        if closed and not isinstance(cause, LinkError):  # a silent one is not asked once more
            seen = "; ".join(one for one in (seen, await self._forbids(priority, deadline)) if one)
        raise self._unconfirmed(closed, seen, _ATTEMPTS) from cause

    async def _forbids(self, priority: Priority, deadline: float) -> str:
        """Ask the controller why it did not obey, as far as it says so."""
        with contextlib.suppress(HardwareError):  # the order itself is what gets told
            return (await self._dialect.read(priority, deadline)).forbids
        return ""

    async def _supply_first(self, closed: frozenset[int], priority: Priority, deadline: float) -> None:
        """After a refusal by the interlock: have the supply closed at least, so that the warm-up runs meanwhile.

        Only where the supply is seen to be open: a refusal that is an old one must open no zone.
        """
        lock = self._interlock
        if lock is None or not lock.supply <= closed:
            return
        with contextlib.suppress(HardwareError):  # the order itself is what gets told
            if not lock.supply <= (await self._dialect.read_fresh(priority, deadline)).relays:
                await self._dialect.write(closed - lock.zones, priority, deadline)

    def _unconfirmed(self, closed: frozenset[int], seen: str, attempts: int) -> Unconfirmed:
        return Unconfirmed(
            self.name,
            f"set relays {sorted(closed)}",
            f"{seen}; relays are unknown",
            remedy=f"they fall open within {self.lease_ms} ms; check the line and the controller",
            attempt=attempts,
        )

    async def renew(self, *, budget_s: float = _READ_BUDGET_S) -> AmplifierStatus:
        """Renew the lease of closed relays and return a fresh status. Raises LinkError or PeerError."""
        deadline = asyncio.get_running_loop().time() + budget_s
        async with self._one_order:
            return await self._dialect.renew(Priority.RENEWAL, deadline)

    async def read(self, *, priority: Priority = Priority.POLL, budget_s: float = _READ_BUDGET_S) -> AmplifierStatus:
        """Return the status; renews nothing. Raises LinkError or PeerError."""
        return await self._dialect.read(priority, asyncio.get_running_loop().time() + budget_s)

    async def configure(self, *, budget_s: float = _READ_BUDGET_S) -> None:
        """Write lease and longest on-time, read back. Raises LinkError, PeerError, MisuseError."""
        deadline = asyncio.get_running_loop().time() + budget_s
        async with self._one_order:
            await self._dialect.configure(self.lease_ms, self.max_on_s, deadline)


def _leases(name: str, profile: AmplifierProfile, lease_ms: int | None, max_on_s: int | None) -> tuple[int, int]:
    """The lease and on-time to use, checked against the product's limits."""
    if profile.register_lease is not None:
        limits = profile.register_lease
        lease = limits.default_ms if lease_ms is None else lease_ms
        longest = limits.max_on_default_s if max_on_s is None else max_on_s
        if not limits.min_ms <= lease <= limits.max_ms:
            raise MisuseError(
                name, "set up", f"lease of {lease} ms", remedy=f"choose {limits.min_ms} to {limits.max_ms} ms"
            )
        if not 1 <= longest <= limits.max_on_limit_s:
            raise MisuseError(name, "set up", f"on-time {longest} s", remedy=f"choose 1 to {limits.max_on_limit_s} s")
        return lease, longest
    default_ms = 0 if profile.timed_lease is None else profile.timed_lease.default_ms
    return default_ms if lease_ms is None else lease_ms, 0 if max_on_s is None else max_on_s


def _kept(profile: AmplifierProfile, interlock: Interlock | None) -> Interlock | None:
    """The interlock, where the product keeps one; a warm-up that is too long for it is left to the hub beyond that."""
    if interlock is None or profile.interlock is None:
        return None
    return replace(interlock, warm_up_ms=min(interlock.warm_up_ms, profile.interlock.max_warm_up_ms))


def _dialect(
    name: str,
    bus: ModbusBus,
    unit: int,
    profile: AmplifierProfile,
    *,
    clock: Clock,
    interlock: Interlock | None,
    serial: str | None,
) -> Dialect:
    if profile.register_lease and profile.nonce and profile.status:
        facts = NonceRegisters(profile.relays, profile.register_lease, profile.nonce, profile.status)
        identity = None if serial is None else crc16(serial.lower().encode())
        return NonceDialect(bus, unit, facts, name=name, clock=clock, interlock=interlock, identity=identity)
    if serial is not None:
        raise MisuseError(name, "set up", "its answers tell no serial number", remedy="leave the serial number out")
    if profile.timed_lease and profile.probe:
        return TimedDialect(bus, unit, profile.relays, profile.timed_lease, profile.probe, name=name, clock=clock)
    raise MisuseError(name, "set up", "no driver fits this profile", remedy="read the profile with load_profile")
