"""What the hub knows of the time, and how far it trusts that.

The hub's time is its own: a moment that a signed beat has shown, carried on by the monotonic clock. The system's clock
is one more witness (`system_clock`). So whoever sets clocks, forges NTP or plays recordings moves `now` by a day at
most, and only a next root moves it backwards.

- floor: a moment that has passed; the newest of the release, what the journal kept, and the newest beat. No author's
  timestamp counts.
- beats: the floor carried on; the best that signed statements give.
- sure: where bounds are counted from; the start, or the last beat with this hub's nonce. However many beats without
  it come, they move the clock by one step at most.
- shown: what `now` returned last. Where the best estimate turns out to lie behind it, `now` stands until it is reached.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from ward_hub.kernel_clock import KernelClock, boot_id
from ward_hub.released import RELEASED
from ward_hub.system_clock import AGREES_S, DAY_S, DRIFT, LARGEST_STEP_S, Mark, SystemClock
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import TimeTrust

STEP_S = DAY_S
GOOD_FOR_S = DAY_S
LONGEST_TRIP_S = 30.0
NONCE_BYTES = 16
KEEP_S = 600  # what a cut of power may cost the clock
SECOND_S = 1  # a beat's time is whole seconds: it may have been made so much later


class FloorFrom(StrEnum):
    """Where the clock's floor comes from."""

    RELEASE = "release"
    KEPT = "kept"
    BEAT = "beat"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a restart needs: `floor`, a moment that had passed, and more where the machine was not started anew.

    `boot` names the run of the machine, `at` is where its monotonic clock stood, `now` what the hub took for the time
    then (Unix seconds), `known` whether anything in that run had said so. `shown` is the latest time that anybody was
    told: it may be ahead of `now`, which then stands.
    """

    floor: int
    boot: str
    at: float
    now: float
    known: bool
    shown: float = 0.0

    def falls_short(self, later: Kept) -> bool:
        """Say whether a restart from this would know less than from `later`: a second of time, or `KEEP_S` of floor.

        While nothing but time passes it does not, as the monotonic clock carries it on; each write wears the card.
        """
        if (self.boot, self.known) != (later.boot, later.known) or abs(later.floor - self.floor) >= KEEP_S:
            return True
        carried = self.now + (later.at - self.at)
        return abs(later.now - carried) >= 1 or later.shown - max(self.shown, carried) >= 1


@dataclass(frozen=True, slots=True)
class Doubt:
    """A time that was not believed: how far ahead, since when (monotonic), and whether it held this hub's nonce."""

    ahead_s: int
    since: float
    proven: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the clock knows and why, for people. Ages are seconds, None where it never was."""

    now: float
    trust: TimeTrust
    floor: int
    floor_from: FloorFrom
    confirmed_age_s: float | None
    beat_age_s: float | None
    beat_behind_s: float
    ntp: bool | None
    ntp_age_s: float | None
    rtc: bool
    rtc_age_s: float | None
    system_off_s: float
    stands_for_s: float
    doubt: Doubt | None
    doubt_age_s: float | None


class Clock:
    """UTC that never goes backwards, and never ahead of what is known.

    `read` is the system's Unix time, `monotonic` the clock that no one sets, both in seconds; `ntp` says whether NTP
    keeps the system's clock; `rtc` that a battery keeps it; `boot` names this run of the machine. `newest_beat` is the
    time that the newest believed beat shows; `beat_at` says when one came last, and `confirmed_at` when one with this
    hub's nonce did, by the monotonic clock; `doubt` stands while the last beat was not believed.
    """

    def __init__(
        self,
        read: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        ntp: Callable[[], bool | None] | None = None,
        *,
        rtc: bool = False,
        rng: random.Random | None = None,
        boot: str | None = None,
        released: int = RELEASED,
    ) -> None:
        self._monotonic = monotonic
        self._rng = rng or random.SystemRandom()
        self._boot = boot_id() if boot is None else boot
        self._released = released
        self._lock = Lock()  # the journal's writer asks too
        self.system = SystemClock(read, ntp or KernelClock().synchronised, rtc=rtc)
        self.newest_beat = 0
        self.beat_at: float | None = None
        self.doubt: Doubt | None = None
        self._is_new = True
        self._begin(Mark(released, monotonic()), FloorFrom.RELEASE)

    def _begin(self, known: Mark, floor_from: FloorFrom) -> None:
        self._floor, self._floor_from = int(known.utc), floor_from
        self._beats = self._sure = known
        self._shown = float(known.utc)
        self._heard_at: float | None = None
        self.confirmed_at: float | None = None
        self._is_bounded = False  # by a nonce: the truth cannot be far ahead of `sure` any more
        self._asked: tuple[bytes, float] | None = None

    def restore(self, kept: Kept | None, beat: int = 0) -> None:
        """Take what the last run kept: `kept`, and the time of the newest beat. Once, before anything is heard.

        Where the machine was not started anew meanwhile, its monotonic clock has gone on and says how long that was.
        """
        at = self._monotonic()
        with self._lock:
            goes_on = kept is not None and bool(self._boot) and kept.boot == self._boot and kept.at <= at
            floor = float(beat)
            if kept is not None:
                floor = max(floor, kept.floor + (at - kept.at if goes_on else 0.0))
            if floor > self._released:
                self._begin(Mark(floor, at), FloorFrom.KEPT)
            if kept is not None and goes_on:
                self._heard_at = kept.at if kept.known else None
                self.system.go_on(Mark(kept.now, kept.at))
                self._shown = max(self._shown, kept.shown)
            self._is_new = not floor
            self.newest_beat = beat
            self._look(at)

    def keep(self) -> Kept:
        """Return what the journal should keep; its floor holds what signed statements and the monotonic clock say."""
        at = self._monotonic()
        known = self.trust is not TimeTrust.NONE
        return Kept(int(self._beats.on(at)), self._boot, at, self._estimate(at), known, self._shown)

    def now(self) -> float:
        """Return the best lower bound of Unix time in seconds."""
        with self._lock:
            self._shown = max(self._shown, self._estimate(self._monotonic()))
            return self._shown

    def ms(self) -> int:
        """Return the same in milliseconds."""
        return int(self.now() * 1000)

    @property
    def trust(self) -> TimeTrust:
        """How far that is to be trusted now: what is good lapses to coarse a day after it was proven last."""
        at = self._monotonic()
        proofs = [one for one in (self.confirmed_at, self.system.ntp_at, self.system.rtc_at) if one is not None]
        stands = self._shown - self._estimate(at) > AGREES_S
        if proofs and at - max(proofs) <= GOOD_FOR_S and not stands:
            return TimeTrust.GOOD
        return TimeTrust.COARSE if proofs or self._heard_at is not None else TimeTrust.NONE

    @property
    def ntp_contradicts(self) -> bool:
        """Whether NTP keeps the system's clock, and that is not what a beat with this hub's nonce has shown."""
        return bool(self.system.synchronised) and self.confirmed_at is not None and not self.system.agrees

    def ask(self) -> bytes:
        """Return a nonce for the source to put into a beat. It is good once, for 30 s, until the next is asked for."""
        nonce = self._rng.randbytes(NONCE_BYTES)
        self._asked = (nonce, self._monotonic())
        return nonce

    def heard(self, beat: int, nonce: bytes | None = None) -> bool:
        """Take the time of a verified beat, with the nonce that it holds, before the beat itself is taken.

        Says whether the nonce is this hub's, so that the beat is of now. Raises StatementError(TIME_STEP_TOO_LARGE)
        where it is too far ahead to be believed: the beat is then refused.
        """
        at = self._monotonic()
        with self._lock:
            trip = self._trip(nonce, at)
            if trip is None and beat < self.newest_beat:
                return False  # an old one again: it teaches nothing
            self._need_belief(beat, at, proven=trip is not None)
            self.doubt = None
            self.newest_beat, self.beat_at = max(self.newest_beat, beat), at
            if trip is not None:
                self._confirm(beat, trip, at)
            if beat >= self._floor:
                self._floor, self._floor_from, self._heard_at = beat, FloorFrom.BEAT, at
                self._beats = max(self._beats, Mark(beat, at), key=lambda mark: mark.on(at))
            self._look(at)
            return trip is not None

    def look(self) -> None:
        """Look at the system's clock; to be done every few seconds."""
        at = self._monotonic()
        with self._lock:
            self._look(at)

    def recover(self, root_issued: int) -> Kept:
        """Begin anew from the time of a root that took a beat key away: what that key showed does not count any more.

        The one way in which `now` goes backwards; it never goes ahead by it, as a root is no clock. Returns what the
        journal must keep before the root is taken.
        """
        at, now = self._monotonic(), self.now()
        with self._lock:
            floor_from = FloorFrom.ROOT if root_issued > self._released else FloorFrom.RELEASE
            self._begin(Mark(max(float(self._released), min(float(root_issued), now)), at), floor_from)
            self.newest_beat, self.doubt = 0, None
            self.system.forget()
            self._look(at)
        return self.keep()

    def known(self) -> Known:
        """Return what it knows and why."""
        now, at, system = self.now(), self._monotonic(), self.system
        return Known(
            now=now,
            trust=self.trust,
            floor=self._floor,
            floor_from=self._floor_from,
            confirmed_age_s=_age(self.confirmed_at, at),
            beat_age_s=_age(self.beat_at, at),
            beat_behind_s=now - self.newest_beat,
            ntp=system.synchronised,
            ntp_age_s=_age(system.ntp_at, at),
            rtc=system.rtc,
            rtc_age_s=_age(system.rtc_at, at),
            system_off_s=system.off_s,
            stands_for_s=max(0.0, now - self._estimate(at)),
            doubt=self.doubt,
            doubt_age_s=_age(self.doubt.since if self.doubt is not None else None, at),
        )

    # Inside, with the lock held

    def _estimate(self, at: float) -> float:
        system = self.system.mark
        return max(self._beats.on(at), system.on(at) if system is not None else 0.0)

    def _trip(self, nonce: bytes | None, at: float) -> float | None:
        """Return for how many seconds the answer to this hub's nonce was out; None where it is none, or a late one."""
        if nonce is None or self._asked is None or nonce != self._asked[0]:
            return None
        trip = at - self._asked[1]
        self._asked = None
        return trip if trip <= LONGEST_TRIP_S else None

    def _need_belief(self, beat: int, at: float, *, proven: bool) -> None:
        if proven and self._is_new:
            return
        sure, step = self._sure.on(at), LARGEST_STEP_S if proven else STEP_S
        if beat <= sure + step + DRIFT * (at - self._sure.at):
            return
        ahead = int(beat - sure)
        since = self.doubt.since if self.doubt is not None else at
        self.doubt = Doubt(ahead, since, proven)
        why = "which no nonce makes believable" if proven else "which needs a beat with this hub's nonce"
        raise StatementError(Reason.TIME_STEP_TOO_LARGE, f"{ahead} s ahead of what this hub is sure of, {why}")

    def _confirm(self, beat: int, trip: float, at: float) -> None:
        """Take that it is between `beat` and `latest` now; where a crystal ran fast, what is shown stands a while."""
        latest = beat + SECOND_S + trip
        slack = AGREES_S + DRIFT * (at - self._sure.at)
        if self._beats.on(at) > latest + slack:
            return  # the source's clock is behind: it proves nothing but that
        self._beats = min(self._beats, Mark(latest, at), key=lambda mark: mark.on(at))
        self._beats = max(self._beats, Mark(beat, at), key=lambda mark: mark.on(at))
        self._sure, self.confirmed_at, self._is_new = Mark(self._beats.on(at), at), at, False
        self._heard_at, self._is_bounded = at, True
        self.system.drop_beyond(at, latest + AGREES_S)

    def _look(self, at: float) -> None:
        ahead = (AGREES_S if self._is_bounded else STEP_S) + DRIFT * (at - self._sure.at)
        alarm = self.trust is not TimeTrust.NONE
        if self.system.look(at, self._beats.on(at), ahead, alarm=alarm):
            self.confirmed_at = None  # it may have slept: how long, nobody here can say


def _age(then: float | None, at: float) -> float | None:
    return None if then is None else at - then
