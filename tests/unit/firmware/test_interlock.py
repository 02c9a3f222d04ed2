"""Supply, warm-up, zones: what the controller itself refuses, whoever asks, and what it opens by itself."""

from __future__ import annotations

import pytest
from tests.unit.firmware.benches import AmplifierBench

SUPPLY, ZONE, OTHER_ZONE, FREE = 0b0001, 0b0010, 0b0100, 0b1000
WARM_UP_MS = 800
DONE = "0F 00 00 00 08"
REFUSED = "8F 04"


@pytest.fixture
def bench() -> AmplifierBench:
    return AmplifierBench(supply=SUPPLY, zones=ZONE | OTHER_ZONE, warm_up_ms=WARM_UP_MS)


def warm(bench: AmplifierBench) -> None:
    bench.coils(SUPPLY)
    bench.after(WARM_UP_MS)


def test_a_zone_closes_when_the_supply_is_warm_and_not_a_millisecond_before(bench: AmplifierBench) -> None:
    assert bench.coils(SUPPLY) == DONE
    bench.after(WARM_UP_MS - 1)
    assert bench.coils(SUPPLY | ZONE) == REFUSED
    assert bench.relays.mask == SUPPLY
    bench.after(1)
    assert bench.coils(SUPPLY | ZONE) == DONE
    assert bench.relays.mask == SUPPLY | ZONE


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("05 0001 FF00", "85 04"),
        ("0F 0000 0008 01 02", REFUSED),
        ("0F 0000 0008 01 03", REFUSED),
        ("0F 0001 0002 01 03", REFUSED),
    ],
    ids=["one zone alone", "a zone without supply", "both in one order", "two zones"],
)
def test_no_order_closes_a_zone_of_a_cold_amplifier(bench: AmplifierBench, request_: str, answer: str) -> None:
    assert bench.ask(request_) == answer
    assert bench.relays.mask == 0
    assert bench.status().refused == 1


def test_a_refused_order_moves_nothing_and_renews_nothing(bench: AmplifierBench) -> None:
    bench.coils(SUPPLY | FREE)
    bench.after(500)
    left = bench.status().lease_left_ms
    assert bench.coils(SUPPLY | ZONE) == REFUSED
    assert (bench.relays.mask, bench.status().lease_left_ms) == (SUPPLY | FREE, left)


def test_a_broadcast_that_breaks_the_interlock_does_nothing(bench: AmplifierBench) -> None:
    assert bench.ask("0F 0000 0008 01 03", unit=0) == ""
    assert (bench.relays.mask, bench.status().refused) == (0, 1)


def test_opening_the_supply_opens_the_zones_with_it(bench: AmplifierBench) -> None:
    warm(bench)
    bench.coils(SUPPLY | ZONE | FREE)
    assert bench.ask("05 0000 0000") == "05 00 00 00 00"
    assert bench.relays.mask == FREE
    assert bench.ask("05 0001 FF00") == "85 04"  # cold again


def test_opening_is_never_refused(bench: AmplifierBench) -> None:
    assert bench.coils(0) == DONE
    bench.coils(SUPPLY)
    assert bench.ask("0F 0001 0007 01 00") == "0F 00 01 00 07"
    assert bench.coils(0) == DONE
    assert bench.relays.mask == 0


def test_warm_up_begins_anew_when_the_lease_has_opened_the_supply(bench: AmplifierBench) -> None:
    warm(bench)
    assert bench.after(3000) == 0
    bench.coils(SUPPLY)
    assert bench.coils(SUPPLY | ZONE) == REFUSED


def test_writing_what_is_closed_already_is_no_closing(bench: AmplifierBench) -> None:
    warm(bench)
    bench.coils(SUPPLY | ZONE)
    assert bench.coils(SUPPLY | ZONE) == DONE
    assert bench.coils(SUPPLY | ZONE | OTHER_ZONE) == DONE


def test_without_a_warm_up_one_order_closes_supply_and_zone_and_still_no_zone_alone() -> None:
    bench = AmplifierBench(supply=SUPPLY, zones=ZONE, warm_up_ms=0)
    assert bench.coils(ZONE) == REFUSED
    assert bench.coils(SUPPLY | ZONE) == DONE
    assert bench.relays.mask == SUPPLY | ZONE
    bench.coils(0)
    assert bench.relays.mask == 0


def test_the_longest_on_time_of_the_supply_takes_the_zones_along() -> None:
    bench = AmplifierBench(supply=SUPPLY, zones=ZONE, warm_up_ms=0, max_on_s=2)
    bench.coils(SUPPLY)
    bench.after(1000)
    bench.coils(SUPPLY | ZONE)
    assert bench.after(1000) == 0
    status = bench.status()
    assert (status.on_time_trips, status.flags >> 8) == (1, SUPPLY)
    assert bench.coils(SUPPLY | ZONE) == REFUSED  # the supply is latched, so the zone has none


def test_several_relays_may_be_the_supply_and_all_must_be_warm() -> None:
    bench = AmplifierBench(supply=SUPPLY | FREE, zones=ZONE, warm_up_ms=WARM_UP_MS)
    bench.coils(SUPPLY)
    bench.after(WARM_UP_MS)
    assert bench.coils(SUPPLY | ZONE) == REFUSED
    bench.coils(SUPPLY | FREE)
    bench.after(WARM_UP_MS - 1)
    assert bench.coils(SUPPLY | FREE | ZONE) == REFUSED
    bench.after(1)
    assert bench.coils(SUPPLY | FREE | ZONE) == DONE


def test_a_relay_in_both_masks_is_a_supply() -> None:
    bench = AmplifierBench(supply=SUPPLY, zones=SUPPLY | ZONE, warm_up_ms=WARM_UP_MS)
    assert bench.coils(SUPPLY) == DONE
    assert bench.ask("05 0001 FF00") == "85 04"


def test_without_an_interlock_any_relay_closes_at_any_time() -> None:
    for bench in (AmplifierBench(), AmplifierBench(zones=0xFF), AmplifierBench(warm_up_ms=5000)):
        assert bench.coils(0xFF) == DONE
        assert bench.relays.mask == 0xFF
        assert "warm" in bench.flags()


def test_an_interlock_that_is_set_now_opens_the_zones_it_finds_without_supply() -> None:
    bench = AmplifierBench()
    bench.coils(ZONE | FREE)
    assert bench.ask("10 0003 0003 06 0001 0006 0320") == "10 00 03 00 03"
    assert bench.relays.mask == FREE


def test_the_interlock_is_a_setting_that_can_be_read(bench: AmplifierBench) -> None:
    assert bench.ask("03 0003 0003") == "03 06 00 01 00 06 03 20"


def test_warm_is_told(bench: AmplifierBench) -> None:
    assert "warm" not in bench.flags()
    bench.coils(SUPPLY)
    assert "warm" not in bench.flags()
    bench.after(WARM_UP_MS)
    assert "warm" in bench.flags()
    assert bench.ask("02 0011 0001") == "02 01 01"
