"""The dead-man and the longest on-time: what opens relays, what does not keep them closed, what is counted."""

from __future__ import annotations

import pytest
from tests.unit.firmware.benches import AmplifierBench

from ward_firmware.amplifier.core import IDLE_WAIT_MS

CLOSE_0 = "05 0000 FF00"
CLOSE_0_AND_1 = "0F 0000 0008 01 03"
LEASE_MS = 3000


@pytest.fixture
def bench() -> AmplifierBench:
    return AmplifierBench()


def test_everything_is_off_at_boot(bench: AmplifierBench) -> None:
    assert bench.relays.writes == [0]
    assert bench.relays.mask == 0


def test_silence_opens_every_relay_after_the_lease_and_not_before(bench: AmplifierBench) -> None:
    bench.ask(CLOSE_0_AND_1)
    assert bench.after(LEASE_MS - 1) == 3
    assert bench.after(1) == 0
    assert bench.status().trips == 1


@pytest.mark.parametrize("read", ["01 0000 0008", "03 0000 0001", "04 0000 000C"])
def test_reading_does_not_renew(bench: AmplifierBench, read: str) -> None:
    bench.ask(CLOSE_0)
    for _ in range(LEASE_MS // 500):
        bench.after(500)
        bench.ask(read)
    assert bench.relays.mask == 0


@pytest.mark.parametrize(
    "write",
    [CLOSE_0, "06 0002 0001", CLOSE_0_AND_1, "10 0002 0001 02 0001", "17 0100 0001 0002 0001 02 0001"],
)
@pytest.mark.parametrize("unit", [0, 1])
def test_every_accepted_write_renews(bench: AmplifierBench, write: str, unit: int) -> None:
    bench.ask(CLOSE_0)
    bench.after(LEASE_MS - 100)
    bench.ask(write, unit)
    assert bench.after(LEASE_MS - 1) & 1
    assert bench.after(1) == 0


@pytest.mark.parametrize(
    ("write", "unit"),
    [("06 0000 0000", 1), ("05 0009 FF00", 1), ("06 0002 0001", 2)],
    ids=["refused value", "refused address", "another unit"],
)
def test_what_is_no_valid_write_to_us_does_not_renew(bench: AmplifierBench, write: str, unit: int) -> None:
    bench.ask(CLOSE_0)
    bench.after(LEASE_MS - 100)
    bench.ask(write, unit)
    assert bench.after(100) == 0


def test_a_write_that_comes_too_late_cannot_revive_a_lease(bench: AmplifierBench) -> None:
    bench.ask(CLOSE_0)
    bench.ms += LEASE_MS  # the main loop was busy all the time
    bench.ask("06 0002 0001")
    assert bench.relays.mask == 0
    assert bench.status().trips == 1


def test_lease_length_is_a_setting_and_takes_effect_at_once(bench: AmplifierBench) -> None:
    bench.ask("06 0000 01F4")
    bench.ask(CLOSE_0)
    assert bench.after(499) == 1
    assert bench.after(1) == 0


def test_lease_left_is_told_only_while_a_relay_is_closed(bench: AmplifierBench) -> None:
    assert bench.status().lease_left_ms == 0
    bench.ask(CLOSE_0)
    bench.after(1000)
    assert bench.status().lease_left_ms == LEASE_MS - 1000


def test_longest_on_time_opens_one_relay_whatever_is_renewed(bench: AmplifierBench) -> None:
    bench.ask("06 0001 0005")
    bench.ask(CLOSE_0)
    bench.after(2500)
    bench.ask(CLOSE_0_AND_1)
    bench.after(2499)
    assert bench.relays.mask == 3
    assert bench.after(1) == 2
    assert bench.status().trips == 1


def test_a_relay_that_was_on_too_long_closes_only_after_it_was_written_open(bench: AmplifierBench) -> None:
    bench.ask("06 0001 0001")
    bench.ask(CLOSE_0)
    assert bench.after(1000) == 0
    bench.ask(CLOSE_0)
    assert bench.relays.mask == 0
    bench.ask("05 0000 0000")
    bench.ask(CLOSE_0)
    assert bench.relays.mask == 1


def test_uptime_runs_on_across_wraps_of_the_counter(bench: AmplifierBench) -> None:
    bench.after(3_000_000)
    assert bench.status().uptime_s == 3000


def test_sleeps_long_when_idle_and_never_past_the_end_of_a_lease(bench: AmplifierBench) -> None:
    assert bench.core.wait_ms() == IDLE_WAIT_MS
    bench.ask(CLOSE_0)
    bench.ms += LEASE_MS - 30
    bench.core.tick(bench.now_us)
    assert bench.core.wait_ms() <= 31
