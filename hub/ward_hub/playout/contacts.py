"""Whether an amplifier's supply follows its relay: the one contact with feedback, for supply is measured behind it."""

from __future__ import annotations

from ward_hub.alarm_words import Code, Detail, detail
from ward_hw.drivers.readings import AmplifierStatus

COMES_S = 3.0  # from a closed relay to supply
GOES_S = 10.0  # from an open one to none: what is stored must be used up


class ContactWatch:
    """Takes every whole reading of amplifier `name`, whose mains come by the relays `supply`."""

    def __init__(self, name: str, supply: frozenset[int]) -> None:
        self._name = name
        self._supply = supply
        self._closed: bool | None = None
        self._at = 0.0  # when it was first seen that the supply does not follow

    def take(self, status: AmplifierStatus) -> tuple[Detail, ...]:
        """Return what this reading shows: nothing, or a supply that has not followed for longer than it may take."""
        present, closed = status.supply_present, self._supply <= status.relays
        if not self._supply or present is None or present == closed or closed != self._closed:
            self._at = status.at
        self._closed = closed
        if status.at - self._at < (COMES_S if closed else GOES_S):
            return ()
        code = Code.NO_SUPPLY if closed else Code.SUPPLY_STAYS
        return (detail(code, amplifier=self._name, supply_mv=status.supply_mv or 0),)
