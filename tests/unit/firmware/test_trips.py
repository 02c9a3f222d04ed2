"""Too hot, too much current, too little supply: when relays open, when they may close again, what is told."""

from __future__ import annotations

import pytest
from tests.unit.firmware.benches import AmplifierBench

from ward_firmware.amplifier.trips import HOLD_MS, Limit
from ward_protocol.portable.amplifier_reading import TRIP_NAMES

DONE, REFUSED = "0F 00 00 00 08", "8F 04"
# What is measured, a value beyond the limit, one that is back, one between, and how it is told.
CAUSES = {
    "temperature": ("temperature", 850, 750, 751, "over_temperature", "temperature_trips"),
    "current": ("current", 12_000, 10_499, 10_500, "over_current", "current_trips"),
}


@pytest.fixture(params=CAUSES)
def cause(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_value_beyond_its_limit_opens_and_latches_everything(cause: str) -> None:
    what, beyond, *_, flag, counter = CAUSES[cause]
    bench = AmplifierBench()
    bench.coils(0b11)
    setattr(bench.readings, what, beyond)
    assert bench.after(HOLD_MS + 200) == 0
    status = bench.status()
    assert (getattr(status, counter), status.trips, TRIP_NAMES[status.last_trip]) == (1, 1, cause)
    assert status.flags >> 8 == 0xFF
    assert flag in bench.flags()


def test_nothing_closes_while_the_cause_lasts_and_what_was_latched_needs_to_be_opened_first(cause: str) -> None:
    what, beyond, back, between, flag, counter = CAUSES[cause]
    bench = AmplifierBench()
    bench.coils(0b11)
    setattr(bench.readings, what, beyond)
    bench.after(HOLD_MS + 200)
    assert bench.coils(0b11) == REFUSED
    assert bench.coils(0) == DONE  # acknowledged, but the cause lasts
    setattr(bench.readings, what, between)
    bench.after(1000)
    assert (bench.coils(0b11), flag in bench.flags()) == (REFUSED, True)
    setattr(bench.readings, what, back)
    bench.after(200)
    assert (bench.coils(0b11), bench.relays.mask, flag in bench.flags()) == (DONE, 0b11, False)
    assert getattr(bench.status(), counter) == 1


def test_a_relay_that_was_not_opened_since_the_trip_does_not_close(cause: str) -> None:
    what, beyond, back, *_ = CAUSES[cause]
    bench = AmplifierBench()
    bench.coils(0b11)
    setattr(bench.readings, what, beyond)
    bench.after(HOLD_MS + 200)
    setattr(bench.readings, what, back)
    bench.after(200)
    bench.coils(0b11)
    assert bench.relays.mask == 0
    bench.ask("05 0000 0000")
    bench.coils(0b11)
    assert bench.relays.mask == 0b01


def test_a_short_excursion_does_not_trip(cause: str) -> None:
    what, beyond, back, *_ = CAUSES[cause]
    bench = AmplifierBench()
    bench.coils(1)
    for _ in range(20):
        setattr(bench.readings, what, beyond)
        bench.keep(200, 1)
        setattr(bench.readings, what, back)
        bench.keep(200, 1)
    assert (bench.relays.mask, bench.status().trips) == (1, 0)


def test_a_limit_of_zero_is_none(cause: str) -> None:
    bench = AmplifierBench(temperature_limit_dc=0) if cause == "temperature" else AmplifierBench(current_limit_ma=0)
    setattr(bench.readings, CAUSES[cause][0], 65_000)
    bench.coils(1)
    assert bench.keep(2000, 1) == 1


def test_a_limit_that_is_switched_off_ends_its_trip(cause: str) -> None:
    bench = AmplifierBench()
    setattr(bench.readings, CAUSES[cause][0], CAUSES[cause][1])
    bench.after(1000)
    assert bench.coils(1) == REFUSED
    bench.ask(f"06 00{6 if cause == 'temperature' else 7:02X} 0000")
    bench.after(200)
    assert (bench.coils(1), bench.relays.mask) == (DONE, 1)


def test_a_cause_that_finds_everything_open_only_forbids(cause: str) -> None:
    what, beyond, back, _, _, counter = CAUSES[cause]
    bench = AmplifierBench()
    setattr(bench.readings, what, beyond)
    bench.after(1000)
    assert (bench.coils(1), bench.status().refused, getattr(bench.status(), counter)) == (REFUSED, 1, 0)
    setattr(bench.readings, what, back)
    bench.after(200)
    assert (bench.coils(1), bench.relays.mask) == (DONE, 1)


def test_too_little_supply_opens_once_the_supply_should_be_there() -> None:
    bench = AmplifierBench(supply=1, zones=2, warm_up_ms=600, supply_min_cv=2000)
    bench.readings.supply = 0
    bench.after(1000)
    assert "under_voltage" not in bench.flags()  # nothing feeds it yet
    bench.coils(1)
    bench.after(600)
    assert bench.relays.mask == 1  # still warming up
    assert bench.after(HOLD_MS + 200) == 0
    status = bench.status()
    assert (status.voltage_trips, TRIP_NAMES[status.last_trip]) == (1, "voltage")
    bench.readings.supply = 2400
    bench.coils(0)
    bench.coils(1)
    assert bench.keep(2000, 1) == 1
    assert "supply_present" in bench.flags()


def test_without_an_interlock_any_closed_relay_may_feed_the_amplifier() -> None:
    bench = AmplifierBench(supply_min_cv=2000)
    bench.readings.supply = 1500
    bench.coils(0b1000)
    assert bench.keep(800, 0b1000) == 0
    assert bench.status().voltage_trips == 1


@pytest.mark.parametrize(("least_cv", "value_cv", "present"), [(0, 499, False), (0, 500, True), (2000, 1999, False)])
def test_supply_present(least_cv: int, value_cv: int, present: bool) -> None:
    bench = AmplifierBench(supply_min_cv=least_cv)
    bench.readings.supply = value_cv
    assert ("supply_present" in bench.flags()) == present


def test_a_relay_that_does_not_follow_is_a_discrete_input() -> None:
    bench = AmplifierBench()
    bench.relays.stuck = 0b0100_0000
    bench.coils(0b0100_0001)
    assert bench.ask("02 0000 0010") == "02 02 01 40"


@pytest.mark.parametrize("step_ms", [1, 7, 100, HOLD_MS])
def test_a_limit_trips_once_and_not_before_its_time(step_ms: int) -> None:
    limit = Limit()
    tripped = [ms for ms in range(0, 5 * HOLD_MS, step_ms) if limit.judge(beyond=True, back=False, ms=ms)]
    assert len(tripped) == 1
    assert HOLD_MS <= tripped[0] < HOLD_MS + step_ms
    assert limit.active
    assert not limit.judge(beyond=False, back=False, ms=9000)
    assert limit.active
    limit.judge(beyond=False, back=True, ms=9001)
    assert not limit.active
