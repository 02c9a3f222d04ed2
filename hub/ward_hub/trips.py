"""Which amplifiers' controllers tripped: one alarm for all of them, until the last is over."""

from __future__ import annotations

from collections.abc import Sequence

from ward_hub.alarm_words import Detail
from ward_hub.alarms import Alarms
from ward_protocol.reasons import Reason


class Trips:
    """Takes what each reading of an amplifier shows. Used from the loop alone."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms
        self._shown: dict[str, Sequence[Detail]] = {}
        self._alarms.still(Reason.OUTPUT_TRIPPED)  # of the last run; what still is so will be read

    def read(self, amplifier: str, shown: Sequence[Detail]) -> None:
        """Say what the latest reading of an amplifier shows; nothing where all is well."""
        if shown:
            self._shown[amplifier] = shown
        else:
            self._shown.pop(amplifier, None)
        details = [one for each in self._shown.values() for one in each]
        if details:
            self._alarms.sound(Reason.OUTPUT_TRIPPED, *details)
        else:
            self._alarms.still(Reason.OUTPUT_TRIPPED)
