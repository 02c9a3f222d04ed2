"""The scan on a virtual line with each fault: who is there, which product, and what is likely wrong."""

from __future__ import annotations

import asyncio

import pytest
from tests.sim.hw.lines import TroubledLine
from tests.sim.hw.products import AnalogInput8, Pzem016, RelayBoard, Sdm120
from tests.sim.hw.units import Amp8, Station, framed, word
from tests.sim.hw.virtual import Reply, run

from ward_hw.diagnosis import Cause, Finding, diagnose
from ward_hw.errors import LinkError
from ward_hw.scan import Found, Plan, Scanned, elsewhere, likely_baudrate, scan

BAUD = 9600
UNITS = tuple(range(1, 21))


class Ours(Amp8):
    """Our controller, as far as a scan asks: coils, settings, status, and its name."""

    def answer(self, pdu: bytes) -> bytes:
        if pdu[0] == 1:
            return bytes((1, 1, self.mask))
        if pdu[0] == 3 and word(pdu, 1) + word(pdu, 3) <= len(self.holding):
            return self.words(3, self.holding[word(pdu, 1) :][: word(pdu, 3)])
        if pdu[0] == 0x2B:
            texts = {0: b"wardhub", 1: b"amp8", 2: b"1.0\x1b[2J"} | ({0x80: b"00c0ffee"} if pdu[2] == 3 else {})
            objects = b"".join(bytes((number, len(text))) + text for number, text in texts.items())
            return pdu[:3] + bytes((0x83, 0, 0, len(texts))) + objects
        return super().answer(pdu)


def plan(*expected: int, units: tuple[int, ...] = UNITS, tries: int = 20) -> Plan:
    return Plan(units, frozenset(expected), tries, 0.1)


async def look(line: TroubledLine, how: Plan, baudrate: int = BAUD) -> Scanned:
    return await scan("virtual", baudrate, how, opener=line.open)


def causes(scanned: Scanned, *expected: int) -> list[tuple[Cause, tuple[int, ...]]]:
    return [(one.cause, one.units) for one in diagnose(scanned.statistics, expected)]


def ward() -> list[Station]:
    return [Ours(unit=3), Ours(unit=4), RelayBoard(unit=7), Pzem016(unit=9)]


def test_units_are_found_and_identified_and_nothing_is_written() -> None:
    async def story() -> None:
        stations: list[Station] = [
            Ours(unit=3), RelayBoard(unit=5, count=32), RelayBoard(unit=6, count=16), RelayBoard(unit=7, count=8),
            AnalogInput8(unit=8), Pzem016(unit=9), Sdm120(unit=10),
        ]  # fmt: skip
        line = TroubledLine(BAUD, units=list(stations))
        scanned = await look(line, plan())
        boards = [f"waveshare/modbus-rtu-relay-{count}ch" for count in (32, 16, 8)]
        assert scanned.found == (
            Found(3, ("wardhub/amp8",), ("wardhub", "amp8", "1.0?[2J"), "00c0ffee"),
            Found(5, tuple(boards)),
            Found(6, tuple(boards[1:])),
            Found(7, tuple(boards[2:])),
            Found(8, ("waveshare/modbus-rtu-analog-input-8ch",)),
            Found(9, ("peacefair/pzem-016",)),
            Found(10, ("eastron/sdm120",)),
        )
        assert causes(scanned) == []
        assert {frame[1] for _, frame in line.sent} <= {1, 3, 4, 0x2B}
        by_unit = {one.unit: one for one in scanned.statistics}
        assert (by_unit[3].tries, by_unit[3].answers, by_unit[3].exceptions) == (20, 20, 0)
        assert (by_unit[9].tries, by_unit[9].answers, by_unit[9].exceptions) == (20, 20, 20)
        assert (by_unit[1].tries, by_unit[1].silent) == (1, 1)
        assert by_unit[3].median_ms == pytest.approx(2 + 7 * 10_000 / BAUD, abs=1.5)

    run(story())


def test_two_units_of_one_number() -> None:
    async def story() -> None:
        twins: list[Station] = [*ward(), RelayBoard(unit=12), Pzem016(unit=12)]
        assert causes(await look(TroubledLine(BAUD, units=list(twins)), plan())) == [(Cause.COLLISION, (12,))]
        twins[-1].delay = 0.03  # it answers when the other has done so
        assert causes(await look(TroubledLine(BAUD, units=list(twins)), plan())) == [(Cause.COLLISION, (12,))]

    run(story())


def test_two_units_of_one_number_with_nobody_else_on_the_line() -> None:
    async def story() -> None:
        twins: list[Station] = [Pzem016(unit=1), Sdm120(unit=1)]
        assert causes(await look(TroubledLine(BAUD, units=list(twins)), plan())) == [(Cause.COLLISION, (1,))]

    run(story())


def test_a_unit_at_another_baud_rate() -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()), bauds={7: 2400, 9: 4800})
        scans = [await look(line, plan(3, 4, 7, 9), baud) for baud in (2400, 4800, BAUD)]
        assert likely_baudrate(scans) == BAUD
        assert elsewhere(scans, BAUD) == {7: 2400, 9: 4800}
        found = diagnose(scans[-1].statistics, (3, 4, 7, 9), elsewhere(scans, BAUD))
        assert found == (Finding(Cause.BAUD, (7, 9)),)

    run(story())


def test_all_units_at_another_baud_rate_than_the_bus() -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()))
        scans = [await look(line, plan(3, 4), baud) for baud in (19_200, BAUD)]
        found = diagnose(scans[0].statistics, (3, 4), elsewhere(scans, 19_200))
        assert found == (Finding(Cause.BAUD, (3, 4, 7, 9)),)

    run(story())


@pytest.mark.parametrize("seed", range(5))
def test_noise_all_along_the_line(seed: int) -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()), flips=0.01, seed=seed)
        scanned = await look(line, plan(3, 4, 7, 9, tries=60))
        assert causes(scanned, 3, 4, 7, 9) == [(Cause.NOISE, ())]
        assert {one.unit for one in scanned.found} == {3, 4, 7, 9}

    run(story())


def test_a_dead_unit_that_should_be_there() -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()))
        assert causes(await look(line, plan(3, 4, 15)), 3, 4, 15) == [(Cause.DEAD, (15,))]

    run(story())


@pytest.mark.parametrize(("echo", "cause"), [(False, Cause.SILENT_LINE), (True, Cause.ECHO_ONLY)])
def test_a_cable_that_is_cut_behind_the_adapter(echo: bool, cause: Cause) -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()), echo=echo, cut=True)
        assert causes(await look(line, plan(3, 4)), 3, 4) == [(cause, ())]

    run(story())


@pytest.mark.parametrize("units", [(7,), (7, 8, 9), UNITS])
def test_a_line_with_nobody_on_it_is_not_called_sound(units: tuple[int, ...]) -> None:
    async def story() -> None:
        assert causes(await look(TroubledLine(BAUD), plan(units=units))) == [(Cause.SILENT_LINE, ())]

    run(story())


def test_a_unit_that_is_asked_for_alone() -> None:
    async def story() -> None:
        scanned = await look(TroubledLine(BAUD, units=list(ward())), plan(units=(7,)))
        assert [one.unit for one in scanned.found] == [7]
        assert causes(scanned) == []

    run(story())


def test_an_adapter_that_hears_itself_is_no_fault() -> None:
    async def story() -> None:
        scanned = await look(TroubledLine(BAUD, units=list(ward()), echo=True), plan(3, 4, 7, 9))
        assert causes(scanned, 3, 4, 7, 9) == []
        assert [one.unit for one in scanned.found] == [3, 4, 7, 9]

    run(story())


def test_a_pair_that_is_exchanged_and_hums() -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()), swapped=True)

        def hum(data: bytes = b"\xfc\x1e\xf0") -> None:
            line.put(data)
            asyncio.get_running_loop().call_later(0.05, hum)

        hum()
        assert causes(await look(line, plan(3, 4)), 3, 4) == [(Cause.POLARITY, ())]

    run(story())


def test_a_slow_unit_is_slow_and_not_dead() -> None:
    async def story() -> None:
        slow = Pzem016(unit=11, delay=0.13)
        scanned = await look(TroubledLine(BAUD, units=[*ward(), slow]), plan(3, 4, 11))
        assert causes(scanned, 3, 4, 11) == [(Cause.SLOW, (11,))]
        assert causes(await look(TroubledLine(BAUD, units=[*ward(), slow]), Plan(UNITS, timeout=0.2))) == []

    run(story())


def test_a_slow_unit_that_nobody_knows_of_is_found_by_its_late_answers() -> None:
    async def story() -> None:
        slow = Pzem016(unit=11, delay=0.13)
        assert causes(await look(TroubledLine(BAUD, units=[*ward(), slow]), plan())) == [(Cause.SLOW, (11,))]

    run(story())


def test_where_there_is_noise_the_silent_are_asked_again() -> None:
    async def story() -> None:
        missed = Pzem016(unit=9, deaf=[True])
        noises = [b"\x55\xaa"]

        def crackle(_frame: bytes) -> list[Reply]:
            return [Reply(noises.pop())] if noises else []

        scanned = await look(TroubledLine(BAUD, units=[Ours(unit=3), missed, crackle]), plan())
        assert [one.unit for one in scanned.found] == [3, 9]

    run(story())


def test_a_second_master() -> None:
    """Its questions are heard as well as the answers to them: whole frames that nobody here asked for."""

    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()))

        def poll(unit: int = 2) -> None:
            if line.free:  # it waits for silence, as we do
                line.put(framed(bytes((unit, 3, 0, 0, 0, 4))))
            asyncio.get_running_loop().call_later(0.07, poll)

        poll()
        assert (Cause.SECOND_MASTER, ()) in causes(await look(line, plan(3, 4)), 3, 4)

    run(story())


def test_a_port_that_another_program_holds_is_said_to_be_so() -> None:
    async def story() -> None:
        with pytest.raises(LinkError, match="another program holds it; where that is the agent, stop it"):
            await look(TroubledLine(BAUD, held=True), plan())
        with pytest.raises(LinkError, match="no such device"):
            await look(TroubledLine(BAUD, plugged=False), plan())

    run(story())


def test_an_adapter_that_is_pulled_ends_the_scan() -> None:
    async def story() -> None:
        line = TroubledLine(BAUD, units=list(ward()))
        asyncio.get_running_loop().call_later(0.5, line.unplug)
        with pytest.raises(LinkError):
            await look(line, plan())

    run(story())
