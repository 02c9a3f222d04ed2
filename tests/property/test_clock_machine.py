"""The hub's clock as a state machine: beats true, old and recorded, steps, sleep, reboots, kills, NTP now and then.

While all that is signed is true, and NTP and battery do not lie, it never shows more than the truth and a round trip,
never goes backwards within a run, never falls behind what was kept, is never good by recordings, and where it is good
it is near the truth. A thief with the beat key is a machine of its own: what he can reach is bounded, and a next root
undoes it.
"""

from __future__ import annotations

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.clocks import RELEASED, Machine
from tests.statements import NOW

from ward_hub.clock import GOOD_FOR_S, LONGEST_TRIP_S, SECOND_S, STEP_S, Clock, Kept
from ward_hub.system_clock import AGREES_S, DAY_S, DRIFT, LARGEST_STEP_S
from ward_protocol.errors import StatementError
from ward_protocol.statements import TimeTrust

SPANS = st.sampled_from([0.4, 1, 7, 59, 600, 3600, DAY_S - 60, DAY_S, 3 * DAY_S])
STEPS = st.sampled_from([-NOW, -3 * DAY_S, -3600, -30, 30, 100, 3600, 20 * 3600, 3 * DAY_S, 20 * 365 * DAY_S])
TRIPS = st.sampled_from([0.01, 0.4, 3, LONGEST_TRIP_S])
# What GOOD may hide: half a trip, the beat's whole second, naps and drift that stay below a step for a day each way.
NEAR_S = LONGEST_TRIP_S + SECOND_S + 2 * (AGREES_S + 2 * DRIFT * GOOD_FOR_S) + AGREES_S


class Life(RuleBasedStateMachine):
    """A hub's clock in a world whose true time is known; `kept` is what the journal holds."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: Kept | None = None
        self.recorded: list[tuple[int, bytes | None]] = []

    @initialize(rtc=st.booleans(), off_s=SPANS)
    def start(self, rtc: bool, off_s: float) -> None:
        self.machine = Machine(rtc=rtc, released=NOW - DAY_S)
        self.machine.reboot(off_s)
        self.begin()

    def begin(self) -> None:
        """The agent starts."""
        self.clock: Clock = self.machine.clock()
        self.clock.restore(self.kept)
        self.proofs = int(bool(self.machine.ntp))  # in this run: true nonces answered, looks at a clock that NTP keeps
        self.shown = self.clock.now()
        assert self.kept is None or self.shown >= self.kept.floor
        self.keep()  # as the agent does, so that a next start knows that this run of the machine had begun

    def hear(self, beat: int, nonce: bytes | None) -> None:
        self.proofs += bool(self.machine.ntp)
        with contextlib.suppress(StatementError):
            self.clock.heard(beat, nonce)

    # The source and the network

    @rule()
    def beat(self) -> None:
        """The source's beat arrives, without a nonce."""
        self.recorded.append((int(self.machine.true), None))
        self.hear(*self.recorded[-1])

    @rule(trip=TRIPS, lost=st.booleans())
    def answer(self, trip: float, lost: bool) -> None:
        """The source answers this hub's nonce; the answer arrives, or somebody keeps it for later."""
        nonce = self.clock.ask()
        self.machine.wait(trip / 2)
        self.recorded.append((int(self.machine.true), nonce))
        self.machine.wait(trip / 2)
        if lost:
            self.clock.ask()
        else:
            self.proofs += 1
            self.hear(*self.recorded[-1])

    @precondition(lambda self: bool(self.recorded))
    @rule(which=st.integers(0), many=st.booleans())
    def replay(self, which: int, many: bool) -> None:
        """Somebody plays one recorded beat, or all of them, also with nonces that were answered or kept."""
        for beat, nonce in self.recorded if many else [self.recorded[which % len(self.recorded)]]:
            self.hear(beat, nonce)

    # The machine

    @rule(seconds=SPANS)
    def wait(self, seconds: float) -> None:
        """Time passes, with a look at its end."""
        self.machine.wait(seconds)
        self.look()

    @rule(seconds=SPANS)
    def sleep(self, seconds: float) -> None:
        """The machine is suspended."""
        self.machine.sleep(seconds)
        self.look()

    @rule(by=STEPS)
    def step(self, by: float) -> None:
        """Somebody sets the system's clock; the kernel then counts it as unsynchronised."""
        self.machine.ntp = False
        self.machine.system += by
        self.look()

    @rule(steps=st.booleans())
    def synchronise(self, steps: bool) -> None:
        """NTP has set the clock right, now or between two looks."""
        self.machine.system = self.machine.true
        self.machine.ntp = True
        if steps:
            self.look()

    @rule(told=st.sampled_from([False, None]))
    def lose_ntp(self, told: bool | None) -> None:
        """NTP is gone, or the kernel does not tell; the clock runs on."""
        self.machine.ntp = told
        self.look()

    def look(self) -> None:
        if self.machine.ntp:
            self.proofs += 1
        self.clock.look()

    @rule()
    def keep(self) -> None:
        self.kept = self.clock.keep()

    @rule()
    def kill(self) -> None:
        """The agent is killed and starts again; what it did not keep is gone."""
        self.begin()

    @rule(off_s=SPANS, battery=st.sampled_from(["good", "empty", "wild"]))
    def reboot(self, off_s: float, battery: str) -> None:
        """The power was off; a battery kept the clock, or it stands at 1970, or far from anything."""
        shows = {"good": None, "empty": 0.0, "wild": NOW + 5.0 * LARGEST_STEP_S}[battery]
        self.machine.ntp = False
        self.machine.reboot(off_s, shows)
        self.begin()

    # What always holds

    @invariant()
    def it_never_goes_back(self) -> None:
        now = self.clock.now()
        assert now >= self.shown
        assert now >= RELEASED
        self.shown = now

    @invariant()
    def it_is_never_ahead_of_the_truth(self) -> None:
        assert self.clock.now() <= self.machine.true + LONGEST_TRIP_S + SECOND_S
        assert self.clock.keep().floor <= self.machine.true + LONGEST_TRIP_S + SECOND_S

    @invariant()
    def it_is_good_by_proof_alone_and_then_it_is_near(self) -> None:
        if self.clock.trust is TimeTrust.GOOD:
            assert self.proofs > 0 or self.machine.rtc
            assert self.clock.now() >= self.machine.true - NEAR_S


class Thief(RuleBasedStateMachine):
    """Somebody who stole the beat key signs whatever he likes, with this hub's nonces too; then comes the next root."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine()
        self.clock = self.machine.clock()
        self.clock.restore(None)
        nonce = self.clock.ask()
        self.clock.heard(NOW, nonce)
        self.asked = 0

    @rule(ahead=st.integers(-LARGEST_STEP_S, 3 * LARGEST_STEP_S))
    def forge(self, ahead: int) -> None:
        with contextlib.suppress(StatementError):
            self.clock.heard(int(self.machine.true) + ahead)

    @rule(ahead=st.integers(-LARGEST_STEP_S, 3 * LARGEST_STEP_S))
    def forge_an_answer(self, ahead: int) -> None:
        self.asked += 1
        with contextlib.suppress(StatementError):
            self.clock.heard(int(self.machine.true) + ahead, self.clock.ask())

    @rule(seconds=SPANS)
    def wait(self, seconds: float) -> None:
        self.machine.wait(seconds)
        self.clock.look()

    @invariant()
    def each_question_costs_a_step_at_most(self) -> None:
        passed = self.machine.true - NOW
        assert self.clock.now() <= self.machine.true + self.asked * LARGEST_STEP_S + STEP_S + DRIFT * passed + 1

    @rule(after=SPANS)
    def recover(self, after: float) -> None:
        """The next root takes his key away; what he signed is refused from now on, so the truth comes through."""
        issued = int(self.machine.true)
        self.machine.wait(after)
        self.clock.recover(issued)
        assert self.clock.now() <= issued
        assert not self.clock.trust
        self.clock.heard(int(self.machine.true), self.clock.ask())
        assert self.clock.trust is TimeTrust.GOOD
        assert self.machine.true - 1 <= self.clock.now() <= self.machine.true + 1
        self.asked = 0


Life.TestCase.settings = settings(max_examples=300, stateful_step_count=60)
TestLife = Life.TestCase
Thief.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestThief = Thief.TestCase
