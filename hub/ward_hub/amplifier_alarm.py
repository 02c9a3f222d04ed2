"""What the readings of amplifiers show to be wrong: one alarm for all of them, until the last is over."""

from __future__ import annotations

from collections.abc import Sequence

from ward_hub.alarm_words import Detail
from ward_hub.alarms import Alarm, Alarms


class AmplifierAlarm:
    """Takes what each reading of an amplifier shows, for the alarm `reason`. Used from the loop alone."""

    def __init__(self, alarms: Alarms, reason: Alarm) -> None:
        self._alarms = alarms
        self._reason: Alarm = reason
        self._shown: dict[str, Sequence[Detail]] = {}
        self._alarms.still(reason)  # of the last run; what still is so will be read

    def read(self, amplifier: str, shown: Sequence[Detail]) -> None:
        """Say what the latest reading of an amplifier shows; nothing where all is well."""
        if shown:
            self._shown[amplifier] = shown
        else:
            self._shown.pop(amplifier, None)
        details = [one for each in self._shown.values() for one in each]
        if details:
            self._alarms.sound(self._reason, *details)
        else:
            self._alarms.still(self._reason)
