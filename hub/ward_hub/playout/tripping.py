"""What an amplifier's readings say of trips: rules by which its controller opens relays, and keeps them open."""

from __future__ import annotations

from collections.abc import Iterator

from ward_hub.alarm_words import Code, Detail, detail
from ward_hw.drivers.readings import AmplifierStatus


class TripWatch:
    """Takes every whole reading of amplifier `name`, whose relays may stay closed for `max_on_s`.

    A lease that ended is no trip here: the relays fell open because the hub did not renew them, and it knows that.
    """

    def __init__(self, name: str, max_on_s: int) -> None:
        self._name = name
        self._max_on_s = max_on_s
        self._trips: int | None = None
        self._carried: AmplifierStatus | None = None
        self._hottest_dc = 0

    def take(self, status: AmplifierStatus) -> tuple[Detail, ...]:
        """Return what this reading shows: causes that last, and one that opened relays and keeps them open.

        A trip that was over before anybody looked shows in the count alone, and is told once.
        """
        before, self._trips = self._trips, status.trips
        again = before is not None and status.trips is not None and status.trips > before
        if status.relays:
            self._carried = status
        shown = set(status.lasting)
        if status.last_trip is not None and (status.latched or again):
            shown.add(status.last_trip)
        hot = "temperature" in shown and status.temperature_dc is not None
        self._hottest_dc = max(self._hottest_dc, status.temperature_dc or 0) if hot else 0
        return tuple(self._details(shown, status, self._carried or status))

    def _details(self, shown: set[str], now: AmplifierStatus, then: AmplifierStatus) -> Iterator[Detail]:
        """Say each with what was measured; `then` is the last reading with a relay closed: behind it nothing flows."""
        name = self._name
        if "temperature" in shown:
            yield detail(Code.TOO_HOT, amplifier=name, temperature_c=round(self._hottest_dc / 10))
        if "current" in shown:
            yield detail(
                Code.TOO_MUCH_CURRENT, amplifier=name, current_ma=max(now.current_ma or 0, then.current_ma or 0)
            )
        if "voltage" in shown:
            yield detail(Code.SUPPLY_TOO_LOW, amplifier=name, supply_mv=then.supply_mv or 0)
        if "on-time" in shown:
            yield detail(Code.ON_TOO_LONG, amplifier=name, max_on_s=self._max_on_s)
