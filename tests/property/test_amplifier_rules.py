"""Whatever masters say and sensors show: no zone without a warm supply, nothing closed that is too hot or too long."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.firmware.benches import AmplifierBench

SUPPLY, ZONES, WARM_UP_MS, LEASE_MS, MAX_ON_S = 0b0000_0001, 0b0001_1110, 700, 1000, 5
LIMIT_DC, HELD_MS = 600, 500


class Rules(RuleBasedStateMachine):
    """An independent book of what was closed since when; time passes in the controller's own steps."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = AmplifierBench(
            supply=SUPPLY, zones=ZONES, warm_up_ms=WARM_UP_MS, lease_ms=LEASE_MS, max_on_s=MAX_ON_S,
            temperature_limit_dc=LIMIT_DC,
        )  # fmt: skip
        self.closed_at: dict[int, int] = {}
        self.hot_since: int | None = None

    def note(self) -> None:
        """Enter into the book what the pins show now."""
        for relay in range(8):
            if self.bench.relays.mask >> relay & 1:
                self.closed_at.setdefault(relay, self.bench.ms)
            else:
                self.closed_at.pop(relay, None)

    @rule(first=st.integers(0, 7), bits=st.integers(0, 255), broadcast=st.booleans())
    def master_writes(self, first: int, bits: int, broadcast: bool) -> None:
        before, was_closed = self.bench.relays.mask, dict(self.closed_at)
        count = 8 - first
        bits &= (1 << count) - 1
        answer = self.bench.ask(f"0F {first:04X} {count:04X} 01 {bits:02X}", unit=0 if broadcast else None)
        self.note()
        new = self.bench.relays.mask & ~before
        if new & ZONES:
            assert self.bench.ms - was_closed[0] >= WARM_UP_MS
        if answer == "8F 04":
            assert self.bench.relays.mask == before
        elif not broadcast:
            assert self.bench.relays.mask & ~(bits << first) & ((1 << count) - 1 << first) == 0, (
                "asked open, still closed"
            )
            self.written_ms = self.bench.ms
        elif new or self.bench.relays.mask != before:
            self.written_ms = self.bench.ms

    @rule()
    def master_renews(self) -> None:
        assert self.bench.ask("17 0100 0002 0002 0001 02 1234").startswith("17")

    @rule(steps=st.integers(1, 30))
    def time_passes(self, steps: int) -> None:
        for _ in range(steps):
            self.bench.after(min(50, self.bench.core.wait_ms()))
            self.note()

    @rule(steps=st.integers(1, 8))
    def a_master_keeps_it_on(self, steps: int) -> None:
        for _ in range(steps):
            self.master_renews()
            self.time_passes(10)

    @rule(value_dc=st.sampled_from([200, LIMIT_DC - 1, LIMIT_DC, 900]))
    def it_warms_or_cools(self, value_dc: int) -> None:
        self.bench.readings.temperature = value_dc
        if value_dc < LIMIT_DC:
            self.hot_since = None
        elif self.hot_since is None:
            self.hot_since = self.bench.ms

    @invariant()
    def zones_have_a_supply(self) -> None:
        mask = self.bench.relays.mask
        assert mask & SUPPLY or not mask & ZONES

    @invariant()
    def nothing_is_closed_too_long(self) -> None:
        for since in self.closed_at.values():
            assert self.bench.ms - since <= MAX_ON_S * 1000 + 100

    @invariant()
    def nothing_is_closed_that_is_too_hot(self) -> None:
        if self.hot_since is not None and self.bench.ms - self.hot_since > HELD_MS:
            assert self.bench.relays.mask == 0

    @invariant()
    def nothing_outlives_the_lease(self) -> None:
        if self.bench.relays.mask:
            assert self.bench.status().lease_left_ms <= LEASE_MS


TestRules = Rules.TestCase
