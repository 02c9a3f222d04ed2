"""What is remembered of a line: how the last requests to each unit ended, as numbers.

A log takes what a bus observes (`LinkLog.observe`) and gives `UnitStatistics` of the last WINDOW requests to each unit,
so that a fault of last week does not hide that of today. Pure, and of bounded size.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from ward_hw.bus.outcome import Outcome

WINDOW = 100
_ALIVE = frozenset({Outcome.ANSWER, Outcome.EXCEPTION})


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """The last requests to one unit, counted. ``answers`` includes ``exceptions``.

    ``silent_run`` is how many of the latest in a row brought no byte of the unit; ``second`` how often more bytes
    followed an answer, ``late`` how often bytes came after a request had run out of time. Latencies are
    milliseconds from the end of the request to the end of the answer, None without any.
    """

    unit: int
    tries: int = 0
    answers: int = 0
    exceptions: int = 0
    silent: int = 0
    echoes: int = 0
    damaged: int = 0
    foreign: int = 0
    garbage: int = 0
    silent_run: int = 0
    second: int = 0
    late: int = 0
    median_ms: float | None = None
    p95_ms: float | None = None

    @property
    def dirty(self) -> int:
        """Requests that met bytes which were not the answer."""
        return self.damaged + self.foreign + self.garbage

    @property
    def quiet(self) -> int:
        """Requests on which the unit said nothing."""
        return self.silent + self.echoes


@dataclass(slots=True)
class _Request:
    outcome: Outcome
    latency: float
    followed: bool = False  # by bytes that nobody asked for


@dataclass(slots=True)
class LinkLog:
    """The log of one line."""

    _units: dict[int, deque[_Request]] = field(default_factory=dict[int, "deque[_Request]"])

    def observe(self, unit: int, outcome: Outcome, latency: float) -> None:
        """Take how a request ended (a `ward_hw.bus.Observer`); ``latency`` in seconds."""
        requests = self._units.get(unit)
        if outcome is Outcome.STRAY:
            if requests:
                requests[-1].followed = True
            return
        if requests is None:
            requests = self._units[unit] = deque(maxlen=WINDOW)
        requests.append(_Request(outcome, latency))

    def statistics(self) -> tuple[UnitStatistics, ...]:
        """The numbers of every unit that was asked, by unit."""
        return tuple(_statistics(unit, requests) for unit, requests in sorted(self._units.items()))


def _statistics(unit: int, requests: deque[_Request]) -> UnitStatistics:
    counts = Counter(each.outcome for each in requests)
    latencies = sorted(each.latency * 1000 for each in requests if each.outcome in _ALIVE)
    followed = Counter(each.outcome in _ALIVE for each in requests if each.followed)
    return UnitStatistics(
        unit,
        tries=len(requests),
        answers=sum(counts[each] for each in _ALIVE),
        exceptions=counts[Outcome.EXCEPTION],
        silent=counts[Outcome.SILENCE],
        echoes=counts[Outcome.ECHO],
        damaged=counts[Outcome.DAMAGED],
        foreign=counts[Outcome.FOREIGN],
        garbage=counts[Outcome.GARBAGE],
        silent_run=_silent_run(requests),
        second=followed[True],
        late=followed[False],
        median_ms=_share(latencies, 0.5),
        p95_ms=_share(latencies, 0.95),
    )


def _silent_run(requests: deque[_Request]) -> int:
    run = 0
    for each in reversed(requests):
        if each.outcome not in {Outcome.SILENCE, Outcome.ECHO}:
            break
        run += 1
    return run


def _share(values: list[float], share: float) -> float | None:
    """The value below which that share of the sorted values lies; None without any."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else None
