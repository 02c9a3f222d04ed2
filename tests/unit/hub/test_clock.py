"""The hub's clock: who may move it, how far, and what its word is worth."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.clocks import RELEASED, Machine
from tests.statements import NOW

from ward_hub.clock import GOOD_FOR_S, KEEP_S, LONGEST_TRIP_S, STEP_S, Clock, FloorFrom, Kept
from ward_hub.system_clock import AGREES_S, DAY_S, LARGEST_STEP_S
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import TimeTrust

NONE, COARSE, GOOD = TimeTrust
HOUR_S = 3600
KEPT = Kept(floor=NOW, boot="another", at=7.0, now=NOW + 0.5, known=True)


def started(machine: Machine, kept: Kept | None = KEPT, beat: int = 0) -> Clock:
    """A clock after a start of the agent; as a rule after a power cut, its journal kept NOW."""
    clock = machine.clock()
    clock.restore(kept, beat)
    return clock


def confirm(clock: Clock, machine: Machine, trip: float = 0.2) -> None:
    """The true source answers this hub's nonce after a round trip of so many seconds."""
    nonce = clock.ask()
    machine.wait(trip / 2)
    beat = int(machine.true)
    machine.wait(trip / 2)
    clock.heard(beat, nonce)


# Where it begins


def test_a_new_hub_knows_that_it_is_later_than_its_release() -> None:
    machine = Machine(system=0.0)
    clock = started(machine, None)
    machine.wait(10)
    assert clock.now() == RELEASED + 10
    assert clock.trust is NONE
    assert clock.known().floor_from is FloorFrom.RELEASE


def test_after_a_power_cut_it_goes_on_from_what_the_journal_kept() -> None:
    clock = started(Machine(system=0.0))
    assert (clock.now(), clock.trust, clock.known().floor_from) == (NOW, NONE, FloorFrom.KEPT)


def test_the_newer_of_beat_floor_and_release_counts() -> None:
    assert started(Machine(), KEPT, NOW + 30).now() == NOW + 30
    assert started(Machine(), KEPT, NOW - 30).now() == NOW
    assert started(Machine(released=NOW + 5)).now() == NOW + 5
    assert started(Machine(), None, NOW - 30).now() == NOW - 30


def test_a_restarted_agent_goes_on_with_the_clock_of_the_same_boot() -> None:
    machine = Machine()
    before = started(machine)
    confirm(before, machine)
    kept = before.keep()
    machine.wait(5000)
    after = started(machine, kept)
    assert after.now() == pytest.approx(machine.true, abs=2)
    assert after.trust is COARSE  # a beat was heard in this boot, and the proof is for the asking


def test_a_restarted_agent_of_a_boot_that_knew_nothing_knows_nothing() -> None:
    machine = Machine()
    kept = started(machine).keep()
    machine.wait(100)
    after = started(machine, kept)
    assert (after.now(), after.trust) == (machine.true, NONE)


def test_another_boot_goes_on_with_nothing_but_the_floor() -> None:
    machine = Machine()
    before = started(machine)
    confirm(before, machine)
    kept = before.keep()
    machine.reboot(5000)
    after = started(machine, kept)
    assert (after.now(), after.trust) == (kept.floor, NONE)


def test_a_restarted_agent_does_not_go_back_behind_what_ntp_or_a_battery_had_shown() -> None:
    machine = Machine(rtc=True)
    machine.wait(60 * DAY_S)
    kept = started(machine).keep()
    assert kept.floor == NOW
    machine.wait(100)
    machine.system -= 3600  # and the battery's word was spoken when the machine started
    after = started(machine, kept)
    assert (after.now(), after.trust) == (machine.true, COARSE)


@pytest.mark.parametrize("boot", ["", "another"])
def test_an_unknown_boot_is_another_one(boot: str) -> None:
    machine = Machine(boot=boot)
    clock = started(machine, replace(KEPT, boot="" if not boot else "one", at=900.0))
    assert (clock.now(), clock.trust) == (NOW, NONE)


def test_a_monotonic_clock_that_began_anew_is_another_boot() -> None:
    machine = Machine()
    clock = started(machine, replace(KEPT, boot=machine.boot, at=machine.monotonic + 1))
    assert (clock.now(), clock.trust) == (NOW, NONE)


# The system's clock


@pytest.mark.parametrize("moved", [10 * 365 * DAY_S, 2 * DAY_S, 100, -100, -NOW])
def test_a_system_clock_that_nobody_vouches_for_moves_nothing(moved: float) -> None:
    machine = Machine()
    clock = started(machine)
    machine.system += moved
    clock.look()
    assert (clock.now(), clock.trust) == (NOW, NONE)
    confirm(clock, machine)
    machine.system += moved
    clock.look()
    assert clock.now() == pytest.approx(machine.true, abs=2)


def test_ntp_that_agrees_makes_it_good() -> None:
    machine = Machine(ntp=True)
    machine.wait(10 * HOUR_S)  # the power was off so long
    clock = started(machine)
    assert (clock.now(), clock.trust) == (machine.true, GOOD)


@pytest.mark.parametrize("off", [STEP_S + 10, 10 * 365 * DAY_S, -AGREES_S - 1])
def test_ntp_that_does_not_agree_with_the_floor_does_not_count(off: float) -> None:
    machine = Machine(ntp=True, system=NOW + off)
    clock = started(machine)
    assert (clock.now(), clock.trust) == (NOW, NONE)


@pytest.mark.parametrize("ntp", [False, None])
def test_without_ntp_a_clock_that_agrees_is_luck(ntp: bool | None) -> None:
    assert started(Machine(ntp=ntp)).trust is NONE


def test_forged_ntp_moves_it_by_a_day_at_most_however_often_it_tries() -> None:
    machine = Machine(ntp=True)
    clock = started(machine)
    for _ in range(50):
        machine.wait(60)
        machine.system += 20 * HOUR_S
        clock.look()
    assert clock.now() - machine.true <= STEP_S + AGREES_S
    machine.reboot(60)
    assert started(machine, clock.keep()).now() <= machine.true  # and nothing of it is kept


@pytest.mark.parametrize("moved", [AGREES_S + 30, 20 * HOUR_S, -AGREES_S - 30])
def test_after_a_proof_ntp_must_agree_within_a_minute_and_a_half(moved: float) -> None:
    machine = Machine(ntp=True)
    clock = started(machine)
    confirm(clock, machine)
    for _ in range(3):
        machine.system += moved
        machine.wait(1)
        clock.look()
        assert clock.now() == pytest.approx(machine.true, abs=2)


def test_ntp_that_contradicts_a_proof_is_told() -> None:
    machine = Machine(ntp=True, system=NOW + 10 * HOUR_S)
    clock = started(machine)
    assert not clock.ntp_contradicts
    confirm(clock, machine)
    clock.look()
    assert clock.ntp_contradicts


def test_a_proof_takes_back_the_trust_in_ntp_that_was_ahead_and_the_clock_stands() -> None:
    machine = Machine(ntp=True, system=NOW + 10 * HOUR_S)
    clock = started(machine)
    assert clock.trust is GOOD
    ahead = clock.now()
    confirm(clock, machine)
    assert (clock.now(), clock.trust) == (ahead, COARSE)
    assert clock.known().stands_for_s == pytest.approx(10 * HOUR_S, abs=2)
    machine.wait(10 * HOUR_S + 5)
    assert clock.now() == pytest.approx(machine.true, abs=2)


def test_ntp_that_corrects_itself_is_followed_by_standing() -> None:
    machine = Machine(ntp=True, system=NOW + 600.0)
    clock = started(machine)
    ahead = clock.now()
    machine.system -= 600
    clock.look()
    assert (clock.now(), clock.trust) == (ahead, COARSE)
    machine.wait(601)
    clock.look()
    assert (clock.now(), clock.trust) == (machine.system, GOOD)


# A battery-backed clock


def test_a_clock_with_a_battery_bridges_the_time_without_power() -> None:
    machine = Machine(rtc=True)
    machine.wait(60 * DAY_S)
    clock = started(machine)
    assert (clock.now(), clock.trust) == (machine.true, GOOD)


@pytest.mark.parametrize("off", [-NOW, -AGREES_S - 1, LARGEST_STEP_S + 1, 50 * 365 * DAY_S])
def test_a_battery_that_is_empty_is_noticed(off: float) -> None:
    clock = started(Machine(rtc=True, system=NOW + off))
    assert (clock.now(), clock.trust) == (NOW, NONE)


def test_what_the_battery_kept_counts_at_the_start_alone() -> None:
    machine = Machine(rtc=True, system=0.0)
    clock = started(machine)
    machine.system = NOW + 3600.0
    clock.look()
    assert (clock.now(), clock.trust) == (NOW, NONE)


def test_a_new_hub_does_not_believe_a_battery_without_bounds() -> None:
    clock = started(Machine(rtc=True, system=RELEASED + LARGEST_STEP_S + 10.0), None)
    assert clock.now() == RELEASED


# Beats


def test_a_beat_that_is_not_older_than_the_floor_makes_it_coarse() -> None:
    clock = started(Machine(system=0.0))
    clock.heard(NOW + 50)
    assert (clock.now(), clock.trust) == (NOW + 50, COARSE)
    assert clock.known().floor_from is FloorFrom.BEAT


def test_an_older_beat_teaches_nothing() -> None:
    clock = started(Machine(system=0.0))
    clock.heard(NOW - 1)
    assert (clock.now(), clock.trust) == (NOW, NONE)


def test_recordings_never_make_it_good() -> None:
    machine = Machine()
    clock = started(machine)
    old = clock.ask()
    machine.wait(2)
    clock.ask()
    for second in range(500):
        machine.wait(1)
        clock.heard(NOW + second, old if second % 2 else b"a nonce of another")
    assert clock.trust is COARSE


def test_a_beat_with_its_nonce_makes_it_good_and_bounds_it_from_both_sides() -> None:
    machine = Machine(system=0.0)
    machine.wait(DAY_S * 30)
    clock = started(machine)
    confirm(clock, machine, trip=4.0)
    assert clock.trust is GOOD
    assert machine.true - 5 <= clock.now() <= machine.true


def test_a_nonce_is_good_once_and_only_the_last_one() -> None:
    machine = Machine()
    clock = started(machine)
    first, second = clock.ask(), clock.ask()
    clock.heard(NOW, first)
    assert clock.trust is COARSE
    clock.heard(NOW, second)
    assert clock.trust is GOOD
    machine.wait(GOOD_FOR_S + 1)
    clock.heard(NOW + 100, second)
    assert clock.trust is COARSE


@pytest.mark.parametrize(("trip", "trust"), [(LONGEST_TRIP_S, GOOD), (LONGEST_TRIP_S + 1, COARSE)])
def test_an_answer_that_was_long_on_its_way_proves_nothing(trip: float, trust: TimeTrust) -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine, trip)
    assert clock.trust is trust


def test_good_lapses_a_day_after_the_proof() -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    machine.wait(GOOD_FOR_S - 1)
    assert clock.trust is GOOD
    machine.wait(2)
    assert clock.trust is COARSE
    confirm(clock, machine)
    assert clock.trust is GOOD


# Steps


def refused(clock: Clock, beat: int, nonce: bytes | None = None) -> str:
    before = clock.now()
    with pytest.raises(StatementError) as caught:
        clock.heard(beat, nonce)
    assert caught.value.reason is Reason.TIME_STEP_TOO_LARGE
    assert clock.now() == before
    return caught.value.detail


def test_a_day_ahead_is_believed_without_a_nonce_and_no_more() -> None:
    clock = started(Machine())
    assert "needs a beat with this hub's nonce" in refused(clock, NOW + STEP_S + 1)
    clock.heard(NOW + STEP_S)
    assert clock.now() == NOW + STEP_S


def test_many_steps_are_one_step() -> None:
    """Whoever stole the beat key may sign any time, a thousand times a second."""
    clock = started(Machine())
    for _ in range(100):
        beat = int(clock.now()) + 20 * HOUR_S
        if beat > NOW + STEP_S:
            refused(clock, beat)
        else:
            clock.heard(beat)
    assert clock.now() <= NOW + STEP_S


def test_while_time_passes_the_bound_moves_with_it() -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    machine.wait(30 * DAY_S)
    clock.heard(int(machine.true) + STEP_S)
    assert clock.now() == int(machine.true) + STEP_S


def test_a_proven_step_is_believed_up_to_its_bound() -> None:
    clock = started(Machine())
    assert "no nonce makes believable" in refused(clock, NOW + LARGEST_STEP_S + 1, clock.ask())
    assert clock.trust is NONE
    clock.heard(NOW + LARGEST_STEP_S, clock.ask())
    assert (clock.now(), clock.trust) == (NOW + LARGEST_STEP_S, GOOD)


def test_a_new_hub_believes_any_later_time_that_is_proven() -> None:
    clock = started(Machine(released=NOW - 9 * LARGEST_STEP_S), None)
    refused(clock, NOW)
    clock.heard(NOW, clock.ask())
    assert (clock.now(), clock.trust) == (NOW, GOOD)
    refused(clock, NOW + LARGEST_STEP_S + 1, clock.ask())  # and is not new any more


def test_what_was_not_believed_is_remembered_until_something_is() -> None:
    machine = Machine()
    clock = started(machine)
    refused(clock, NOW + 2 * STEP_S)
    machine.wait(50)
    refused(clock, NOW + 3 * STEP_S)
    assert clock.doubt is not None
    assert (clock.known().doubt_age_s, clock.doubt.proven) == (50, False)
    refused(clock, NOW + 2 * LARGEST_STEP_S, clock.ask())
    assert clock.doubt.proven
    clock.heard(NOW + 60)
    assert clock.doubt is None


# Crystals, sleep and steps of the system


def test_a_crystal_that_runs_fast_is_corrected_by_standing() -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    before = clock.now()
    for _ in range(24 * 365):
        machine.true += HOUR_S
        machine.monotonic += HOUR_S * (1 + 50e-6)
        machine.system += HOUR_S * (1 + 50e-6)  # the same crystal, and nobody corrects it
        confirm(clock, machine)
        assert clock.trust is GOOD
        assert before <= clock.now() <= machine.true + 2
        before = clock.now()


def test_a_source_that_is_behind_proves_nothing() -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    machine.wait(GOOD_FOR_S)
    nonce = clock.ask()
    clock.heard(int(machine.true) - 600, nonce)
    machine.wait(2)
    assert clock.trust is COARSE
    assert clock.now() == pytest.approx(machine.true, abs=2)


def test_a_machine_that_slept_is_behind_and_says_so_until_the_next_proof() -> None:
    machine = Machine(ntp=True)
    clock = started(machine)
    confirm(clock, machine)
    machine.sleep(3 * DAY_S)
    clock.look()
    assert clock.trust is COARSE
    assert clock.now() < machine.true
    assert clock.system.stepped == pytest.approx(3 * DAY_S)
    confirm(clock, machine)
    clock.look()
    assert (clock.trust, clock.system.stepped) == (GOOD, None)
    assert clock.now() == pytest.approx(machine.true, abs=2)


def test_a_sleep_may_hide_behind_a_step_back() -> None:
    """Found by the state machine: NTP puts a clock right that was an hour ahead, while the machine sleeps."""
    machine = Machine(system=NOW + 3600.0)
    clock = started(machine)
    confirm(clock, machine)
    machine.sleep(600)
    machine.system, machine.ntp = machine.true, True
    clock.look()
    assert clock.trust is COARSE


def test_short_naps_add_up() -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    for _ in range(5):
        machine.sleep(AGREES_S / 3)
        machine.wait(1)
        clock.look()
    assert clock.trust is COARSE


@pytest.mark.parametrize("moved", [-2 * AGREES_S, -NOW, 2 * AGREES_S, 9 * DAY_S])
def test_a_step_away_from_what_is_known_is_told_until_it_is_put_right(moved: float) -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    machine.system += moved
    clock.look()
    assert clock.system.stepped == pytest.approx(moved)
    machine.wait(5)
    clock.look()
    assert clock.system.stepped == pytest.approx(moved)
    machine.system -= moved
    clock.look()
    assert clock.system.stepped is None


def test_a_clock_that_is_put_right_is_no_alarm() -> None:
    """After a boot NTP moves a clock that stood wrong: that is what it is for."""
    machine = Machine(system=0.0)
    clock = started(machine)
    confirm(clock, machine)
    machine.system = machine.true
    clock.look()
    assert clock.system.stepped is None


def test_a_clock_that_stood_wrong_and_is_moved_to_another_wrong_is_no_alarm() -> None:
    """It did not count before either: `status` says that it does not."""
    machine = Machine(system=0.0)
    clock = started(machine)
    confirm(clock, machine)
    machine.system += 10 * 365 * DAY_S
    clock.look()
    assert clock.system.stepped is None


def test_a_step_is_seen_as_well_after_months_of_quiet() -> None:
    machine = Machine()
    clock = started(machine)
    for _ in range(90 * 24):
        machine.wait(HOUR_S)
        clock.look()
    confirm(clock, machine)
    machine.system -= 3 * AGREES_S
    clock.look()
    assert clock.system.stepped == pytest.approx(-3 * AGREES_S)


def test_while_nothing_is_known_no_step_is_an_alarm() -> None:
    machine = Machine()
    clock = started(machine)
    machine.system += 5 * DAY_S
    clock.look()
    assert clock.system.stepped is None


def test_ntps_gentle_hand_is_no_step() -> None:
    machine = Machine(ntp=True)
    clock = started(machine)
    confirm(clock, machine)
    for _ in range(500):
        machine.wait(HOUR_S)
        machine.true += HOUR_S * 4e-4
        machine.system += HOUR_S * 4e-4
        clock.look()
        if _ % 3 == 0:
            confirm(clock, machine)
        assert (clock.trust, clock.system.stepped) == (GOOD, None)


# Recovery


def stolen(machine: Machine) -> Clock:
    """A clock that somebody with the beat key pushed a year ahead, with this hub's own nonce."""
    clock = started(machine)
    clock.heard(NOW + 365 * DAY_S, clock.ask())
    clock.heard(NOW + 366 * DAY_S)
    return clock


def test_a_root_that_takes_the_beat_key_away_takes_its_time_away_too() -> None:
    machine = Machine()
    clock = stolen(machine)
    machine.wait(5 * DAY_S)
    kept = clock.recover(NOW + 4 * DAY_S)
    assert (clock.now(), clock.trust) == (NOW + 4 * DAY_S, NONE)
    assert kept.floor == NOW + 4 * DAY_S
    assert (clock.newest_beat, clock.known().floor_from) == (0, FloorFrom.ROOT)
    confirm(clock, machine)
    assert clock.trust is GOOD
    assert clock.now() == pytest.approx(machine.true, abs=2)


def test_not_even_a_root_makes_it_earlier_than_the_release() -> None:
    machine = Machine(released=NOW - 5)
    clock = stolen(machine)
    clock.recover(NOW - 1000)
    assert (clock.now(), clock.known().floor_from) == (NOW - 5, FloorFrom.RELEASE)


def test_a_root_from_an_office_whose_clock_is_ahead_does_not_put_the_hub_ahead() -> None:
    machine = Machine()
    clock = started(machine)
    confirm(clock, machine)
    clock.recover(NOW + 7200)
    assert clock.now() <= machine.true + 0.001


def test_a_battery_bridges_a_recovery_too() -> None:
    machine = Machine(rtc=True)
    clock = stolen(machine)
    machine.wait(5 * DAY_S)
    clock.recover(NOW + DAY_S)
    assert (clock.now(), clock.trust) == (machine.true, GOOD)


def test_a_nonce_from_before_the_recovery_is_none() -> None:
    machine = Machine()
    clock = stolen(machine)
    nonce = clock.ask()
    clock.recover(NOW)
    clock.heard(NOW + 5, nonce)
    assert clock.trust is COARSE


# What it tells


def test_it_tells_what_it_knows_and_why() -> None:
    machine = Machine(ntp=None, system=NOW + 500.0, rng=random.Random(5))
    clock = started(machine, KEPT, NOW - 3)
    known = clock.known()
    assert (known.confirmed_age_s, known.beat_age_s, known.ntp_age_s, known.rtc_age_s) == (None, None, None, None)
    assert (known.ntp, known.rtc, known.floor, known.beat_behind_s) == (None, False, NOW, 3)
    assert known.system_off_s == 500
    confirm(clock, machine)
    machine.wait(10)
    known = clock.known()
    assert (known.confirmed_age_s, known.beat_age_s) == (10, 10)
    assert known.beat_behind_s == pytest.approx(10, abs=2)


def test_nonces_are_as_long_as_a_beat_takes_and_never_the_same() -> None:
    clock = Machine().clock()
    nonces = {clock.ask() for _ in range(1000)}
    assert len(nonces) == 1000
    assert {len(one) for one in nonces} == {16}


def test_on_this_machine_it_never_shows_less_than_before() -> None:
    clock = Clock()
    clock.restore(None)
    shown = [clock.now() for _ in range(1000)]
    assert shown == sorted(shown)
    assert clock.ms() >= int(shown[-1] * 1000)


def test_an_agent_that_ends_while_its_time_stands_goes_on_standing() -> None:
    """A source that was ahead put itself right: what was told before is not told again by the next agent."""
    machine = Machine()
    before = started(machine, None)
    before.heard(NOW + 60, before.ask())
    machine.wait(30)
    told = before.now()
    before.heard(NOW + 30, before.ask())
    assert before.known().stands_for_s > 50
    after = started(machine, before.keep(), NOW + 60)
    assert after.now() == told
    assert after.known().stands_for_s == 30  # a beat that was kept still counts: it is NOW + 60 at least


@pytest.mark.parametrize(
    ("later", "short"),
    [
        ({"at": 70.0, "now": NOW + 60.0}, False),
        ({"at": 70.0, "now": NOW + 60.9}, False),
        ({"at": 70.0, "now": NOW + 61.0}, True),
        ({"at": 70.0, "now": NOW + 59.0}, True),
        ({"shown": NOW + 0.9}, False),
        ({"shown": NOW + 1.0}, True),
        ({"floor": NOW + KEEP_S}, True),
        ({"boot": "another"}, True),
        ({"known": False}, True),
    ],
)
def test_what_is_worth_a_write(later: dict[str, Any], short: bool) -> None:
    kept = Kept(NOW, "boot-1", 10.0, float(NOW), True, float(NOW))
    assert kept.falls_short(replace(kept, **later)) is short
