"""What an amplifier's readings show to be wrong: logged when it begins, told to whoever keeps the alarms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ward_hub.alarm_words import Code, Detail, detail, joined
from ward_hub.config import AmplifierSection
from ward_hub.playout.contacts import ContactWatch
from ward_hub.playout.tripping import TripWatch
from ward_hw.drivers.readings import AmplifierStatus

log = logging.getLogger(__name__)
UPTIME_WRAPS_S = 0x10000
UPTIME_SLACK_S = 1.4  # whole seconds, told by an answer that took its time


@dataclass(frozen=True, slots=True)
class Told:
    """Who hears of what somebody else did, and what each reading shows of trips and of contacts."""

    tampered: Callable[[Detail], None] = lambda _what: None
    tripped: Callable[[Sequence[Detail]], None] = lambda _shown: None
    stuck: Callable[[Sequence[Detail]], None] = lambda _shown: None


NOBODY = Told()


class AmplifierWatch:
    """Looks at the readings of one amplifier, whose relays may stay closed for `max_on_s`."""

    def __init__(self, section: AmplifierSection, max_on_s: int, told: Told) -> None:
        supply = section.supply_relay
        self._section = section
        self._told = told
        self._trips = TripWatch(section.name, max_on_s)
        self._contacts = ContactWatch(section.name, frozenset() if supply is None else frozenset({supply}))
        self._tripped: Sequence[Detail] = ()
        self._stuck: Sequence[Detail] = ()
        self._another_answered = False

    @property
    def tripped(self) -> bool:
        """Whether the last reading showed a trip."""
        return bool(self._tripped)

    def take(self, status: AmplifierStatus) -> str:
        """Take a whole reading; return in words why what is on air is not heard, "" where nothing says so."""
        tripped, stuck = self._trips.take(status), self._contacts.take(status)
        for shown, before in ((tripped, self._tripped), (stuck, self._stuck)):
            if shown and not before:
                log.error("%s", joined(shown))
        self._tripped, self._stuck = tripped, stuck
        self._told.tripped(tripped)
        self._told.stuck(stuck)
        return joined((*tripped, *stuck))

    def answered(self, *, another: bool) -> None:
        """Take whether another controller answered last; tell of it once, until the right one answers again."""
        if another and not self._another_answered:
            self.tampered(detail(Code.ANOTHER_ANSWERS, amplifier=self._section.name, unit=self._section.unit))
        self._another_answered = another

    def tampered(self, what: Detail) -> None:
        """Tell of what this hub did not order."""
        log.error("%s", what)
        self._told.tampered(what)


def began_anew(before: AmplifierStatus, status: AmplifierStatus) -> bool:
    """Say whether the uptime has not grown by the time between two readings: then it was reset, whatever it is now."""
    if before.uptime_s is None or status.uptime_s is None:
        return False
    missing = (status.at - before.at - (status.uptime_s - before.uptime_s)) % UPTIME_WRAPS_S
    return UPTIME_SLACK_S < missing < UPTIME_WRAPS_S - UPTIME_SLACK_S
