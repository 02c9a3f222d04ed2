"""The amplifier output over the real driver: order of relays, leases, what was heard, and what cannot be confirmed."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from tests.sim.hw.virtual import run
from tests.sim.playout.rigs import SUPPLY, WARM_MS, Horns, amplifier, now, stock
from tests.statements import NOW

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.playout.amplifiers import FIRST_LOOK_S, LOOK_S, AmplifierOutput
from ward_hub.playout.tracks import ZoneTrack
from ward_hw.errors import HardwareError, Unconfirmed
from ward_protocol.portable.amplifier import TRIP_TEMPERATURE

ALL = ("zone-1", "zone-2")


def only(output: AmplifierOutput) -> ZoneTrack:
    (track,) = output.end_tracks()
    return track


def test_supply_then_warm_up_then_zones_and_all_open_together() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            begun = now()
            await output.carry(ALL, urgent=False)
            assert now() - begun >= WARM_MS / 1000
            await asyncio.sleep(5)
            await output.release()
            states = [closed for _, closed in horns.moves]
            assert states == [frozenset(), {0}, {0, 1, 2}, frozenset()]
            assert horns.moves[2][0] - horns.moves[1][0] >= WARM_MS / 1000 - 0.1
            assert horns.trips == 0

    run(story())


def test_what_was_heard_is_about_as_long_as_it_was_loud() -> None:
    async def story() -> None:
        horns = Horns(level_mv=0)
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            horns.level_mv = 900
            await asyncio.sleep(4)
            horns.level_mv = 29  # just below what counts
            await asyncio.sleep(3)
            track = only(output)
            assert track.confirmed
            assert track.heard_ms == pytest.approx(4000, abs=600)
            assert track.opened_ms - track.closed_ms == pytest.approx(10_000, abs=100)

    run(story())


def test_setting_the_clock_makes_nothing_heard() -> None:
    """A beat may put the hub's clock years ahead while something is on air."""

    async def story() -> None:
        async with amplifier(Horns()) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(2)
            output._clock.heard(NOW + 300 * 86_400, output._clock.ask())
            await asyncio.sleep(2)
            assert only(output).heard_ms == pytest.approx(4000, abs=600)

    run(story())


def test_a_gap_in_which_nobody_listened_is_not_heard() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(2)
            horns.holding[0] = 10_000  # a lease that outlasts the silence
            horns.renew()
            horns.deaf = [True] * 100
            await asyncio.sleep(8)
            horns.deaf.clear()
            await asyncio.sleep(2)
            heard = only(output).heard_ms
            assert heard is not None
            assert heard < 6500

    run(story())


def test_a_product_that_measures_nothing_says_nothing_of_it() -> None:
    async def story() -> None:
        station = stock()
        async with amplifier(station, "waveshare/modbus-rtu-relay-8ch") as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(20)
            assert [number for number, on in enumerate(station.relays) if on] == [0, 1]
            track = only(output)
            assert (track.confirmed, track.heard_ms) == (True, None)
            await output.release()
            assert not any(station.relays)

    run(story())


def test_the_next_airing_keeps_what_both_use_and_does_not_warm_up_again() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            begun = now()
            await output.carry(ALL, urgent=True)
            assert now() - begun < 0.2
            assert all({0} <= closed for _, closed in horns.moves[1:])
            assert [track.zone for track in output.end_tracks()] == list(ALL)

    run(story())


def test_an_airing_cut_short_in_the_warm_up_shortens_no_warm_up() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            first = asyncio.create_task(output.carry(["zone-1"], urgent=False))
            await asyncio.sleep(0.5)
            first.cancel()
            await asyncio.wait([first])
            await output.carry(ALL, urgent=True)
            assert horns.moves[2][0] - horns.moves[1][0] == pytest.approx(WARM_MS / 1000, abs=0.1)

    run(story())


def test_zones_that_are_not_meant_open() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(ALL, urgent=False)
            await output.carry(["zone-2"], urgent=False)
            assert horns.closed == {0, 2}
            await output.carry([], urgent=True)
            assert horns.closed == frozenset()
            assert output.end_tracks() == []

    run(story())


# What goes wrong


def test_a_stuck_relay_is_never_confirmed() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns, warm_up_ms=0) as output:
            horns.stuck = True
            with pytest.raises(Unconfirmed, match="amp-1"):
                await output.carry(["zone-1"], urgent=True)
            await asyncio.sleep(2)
            track = only(output)
            assert (track.confirmed, track.closed_ms, track.heard_ms) == (False, 0, None)

    run(story())


def test_a_relay_that_stays_closed_is_tried_again_until_it_opens() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns, warm_up_ms=0) as output:
            await output.carry(["zone-1"], urgent=False)
            horns.stuck = True
            with pytest.raises(Unconfirmed):
                await output.release()
            horns.stuck = False
            await asyncio.sleep(30)
            assert horns.closed == frozenset()

    run(story())


def test_a_dead_controller_is_an_error_and_unconfirmed() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            horns.deaf = [True] * 1000
            with pytest.raises(HardwareError):
                await output.carry(["zone-1"], urgent=False)
            assert not only(output).confirmed

    run(story())


def test_one_lost_answer_is_no_open_relay() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            horns.deaf = [True] * 2
            await asyncio.sleep(3)
            assert only(output).confirmed
            assert horns.trips == 0

    run(story())


def test_a_controller_that_restarts_is_closed_again_and_the_zone_unconfirmed() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            horns.power_cut()
            await asyncio.sleep(0.5)
            assert horns.closed == {0}  # its interlock: the supply first, and the zone when that is warm
            await asyncio.sleep(WARM_MS / 1000 + 0.5)
            assert horns.closed == {0, 1}
            assert not only(output).confirmed

    run(story())


@pytest.mark.parametrize("silent_s", [0.0, 60.0], ids=["between two looks", "while nobody could ask"])
def test_a_controller_that_restarted_is_told_its_interlock_again_however_long_it_has_been_up(silent_s: float) -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns):
            await asyncio.sleep(3)
            told = horns.holding[3:]
            assert told == [1, 0b110, WARM_MS]
            horns.power_cut()
            horns.deaf = [True] * 1000 if silent_s else []
            await asyncio.sleep(silent_s)
            horns.deaf.clear()
            assert horns.holding[3:] == [0, 0, 0]
            await asyncio.sleep(6 * LOOK_S)  # one that was silent is asked ever more rarely
            assert horns.holding[3:] == told

    run(story())


def test_an_uptime_that_begins_at_nought_after_16_bits_is_no_restart(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns):
            horns.begun -= 0x10000 - 20
            await asyncio.sleep(2 * LOOK_S)
            caplog.clear()
            await asyncio.sleep(6 * LOOK_S)
            assert "began anew" not in caplog.text

    run(story())


def test_a_lease_that_ran_out_unseen_is_found_out() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            horns.deaf = [True] * 100
            await asyncio.sleep(6)
            assert horns.closed == frozenset()
            assert horns.trips == 1
            horns.deaf.clear()
            await asyncio.sleep(12)  # a unit that was silent is asked ever more rarely, at last every 10 s
            assert horns.closed == {0, 1}
            assert not only(output).confirmed

    run(story())


def test_an_airing_that_ends_in_doubt_is_not_confirmed() -> None:
    """Nobody could read the relays for seconds; that the line is back for the opening proves nothing of before."""

    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            horns.deaf = [True] * 100
            await asyncio.sleep(2.6)  # a renewal has failed by now, with all its attempts
            horns.deaf.clear()
            await output.release()
            assert not only(output).confirmed

    run(story())


def test_an_airing_soon_after_an_opening_that_nobody_confirmed_keeps_its_relays() -> None:
    """While the output waits to order that opening again, it must not forget the leases of what begins meanwhile."""

    async def story() -> None:
        horns = Horns()
        async with amplifier(horns, warm_up_ms=0) as output:
            await output.carry(["zone-1"], urgent=False)
            horns.deaf = [True] * 1000
            with pytest.raises(HardwareError):
                await output.release()
            horns.deaf.clear()
            await asyncio.sleep(3)
            trips = horns.trips
            await output.carry(ALL, urgent=True)
            await asyncio.sleep(9)
            assert horns.closed == {0, 1, 2}
            assert horns.trips == trips
            assert all(track.confirmed for track in output.end_tracks())

    run(story())


def test_what_an_earlier_run_left_closed_is_opened_at_the_start() -> None:
    async def story() -> None:
        horns = Horns(relays=[True] * 8)
        async with amplifier(horns):
            assert horns.closed == frozenset()

    run(story())


def test_an_airing_that_finds_the_controller_back_at_last_keeps_its_relays() -> None:
    """Silent since the start, and asked ever more rarely: an order that succeeds is renewed from then on."""

    async def story() -> None:
        horns = Horns(deaf=[True] * 10_000)
        async with amplifier(horns, warm_up_ms=0) as output:
            await asyncio.sleep(60)
            horns.deaf.clear()
            await output.carry(ALL, urgent=True)
            await asyncio.sleep(9)
            assert horns.closed == {0, 1, 2}
            assert horns.trips == 0

    run(story())


def test_measurements_belong_to_one_airing() -> None:
    async def story() -> None:
        async with amplifier(Horns()) as output:
            await output.carry(["zone-1"], urgent=False)
            assert [track.zone for track in output.end_tracks()] == ["zone-1"]
            assert output.end_tracks() == []

    run(story())


def test_relays_that_somebody_else_closed_are_opened_and_told() -> None:
    """A second master on the line renews what it closed: the hub opens it again and again, and says so."""

    async def story() -> None:
        horns, told = Horns(), list[Detail]()
        async with amplifier(horns, tampered=told.append):
            await asyncio.sleep(30)
            assert told == []
            for _ in range(20):  # closes it again every second, so that its dead-man never lets go
                horns.relays[1] = True
                await asyncio.sleep(1)
            assert len(told) >= 20 // (LOOK_S + 1)
            await asyncio.sleep(LOOK_S + 1)
            assert not any(horns.relays)
            assert str(told[0]) == "amplifier amp-1: relays 1 were closed without an order"

    run(story())


def test_relays_that_somebody_else_closed_for_a_moment_are_told_as_well() -> None:
    """They fall open by their lease before anybody looks, and the controller counts it. An airing's own is no news."""

    async def story() -> None:
        horns, told = Horns(), list[Detail]()
        async with amplifier(horns, tampered=told.append) as output:
            await asyncio.sleep(2 * LOOK_S)
            horns.trips += 1
            await asyncio.sleep(2 * LOOK_S)
            assert told == [detail(Code.RELAYS_FELL_OPEN, amplifier="amp-1")]
            await output.carry(["zone-1"], urgent=False)
            horns.trips, horns.last_trip = horns.trips + 1, TRIP_TEMPERATURE
            await output.release()
            await asyncio.sleep(2 * FIRST_LOOK_S)
            assert len(told) == 1
            horns.trips += 1  # by whichever rule: a relay was closed that the hub had not ordered
            await asyncio.sleep(LOOK_S)
            assert len(told) == 2
            horns.trips = 0  # it began anew
            await asyncio.sleep(2 * LOOK_S)
            assert len(told) == 2

    run(story())


def test_what_somebody_else_closed_right_behind_an_airing_is_told_however_late_the_first_look() -> None:
    """Nothing of ours falls open by its lease once it was opened in time."""

    async def story() -> None:
        horns, told = Horns(), list[Detail]()
        async with amplifier(horns, tampered=told.append) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            await output.release()
            horns.trips += 1
            await asyncio.sleep(2 * FIRST_LOOK_S)
            assert told == [detail(Code.RELAYS_FELL_OPEN, amplifier="amp-1")]

    run(story())


def test_sound_on_the_line_of_an_idle_amplifier_opens_nothing() -> None:
    """Carrier present (2016): what feeds the input gives no amplifier power."""

    async def story() -> None:
        horns, told = Horns(level_mv=5000), list[Detail]()
        async with amplifier(horns, tampered=told.append):
            await asyncio.sleep(60)
            assert [closed for _, closed in horns.moves] == [frozenset()]
            assert told == []

    run(story())


@pytest.mark.parametrize("on_air", [False, True])
def test_a_controller_that_began_anew_is_told_lease_and_interlock_again(on_air: bool) -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await asyncio.sleep(10)
            told = list(horns.holding)
            if on_air:
                await output.carry(["zone-1"], urgent=False)
                await asyncio.sleep(5)
            horns.power_cut()
            assert horns.holding[3:] == [0, 0, 0]
            await asyncio.sleep(12)
            assert horns.holding[:2] + horns.holding[3:] == told[:2] + told[3:]
            assert told[3] == 1 << SUPPLY
            assert told[5] == WARM_MS
            assert horns.closed == (frozenset({0, 1}) if on_air else frozenset())

    run(story())


def test_an_emergency_that_came_before_the_controller_was_set_up_does_not_leave_it_so() -> None:
    async def story() -> None:
        horns = Horns()
        horns.deaf = [True] * 8
        async with amplifier(horns) as output:
            with contextlib.suppress(HardwareError):
                await output.carry(["zone-1"], urgent=True)
            await asyncio.sleep(12)
            assert horns.holding[3] == 1 << SUPPLY

    run(story())
