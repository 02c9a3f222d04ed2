"""The board output over the real driver and the firmware's core: shown, compared, gone and back, swapped, darkened."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from tests.sim.hw.virtual import run
from tests.sim.playout.rigs import Lamps, board, now

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.playout.boards import LOOK_S, SILENT_S, BoardOutput
from ward_hw.drivers.board import Bitmap, Board, BoardIdent, Show, Window
from ward_hw.errors import HardwareError
from ward_protocol.statements import BoardEvidence

LEASE_MS = 6000


def lay_out(show_id: int, ident: BoardIdent) -> Show:
    """A show that fills the board."""
    rows = bytes([0xA0 + show_id]) * (ident.width // 8 * ident.height)
    return Show(show_id, (Window(Bitmap(ident.width, ident.height, rows), 0, 0, ident.width, ident.height),), LEASE_MS)


FIRST, SECOND = partial(lay_out, 1), partial(lay_out, 2)


def measured(output: BoardOutput) -> BoardEvidence:
    return output.end_track().evidence()


def test_what_is_shown_is_compared_as_long_as_it_is_shown() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            assert not lamps.lit()
            assert output.present(FIRST) is not None
            await asyncio.sleep(20)
            assert lamps.lit()
            seen = measured(output)
            assert seen.compared == seen.agreed >= 18
            assert seen.ended_ms - seen.shown_ms == pytest.approx(20_000, abs=500)
            output.clear()
            await asyncio.sleep(0.5)
            assert not lamps.lit()
            assert measured(output).compared == seen.compared

    run(story())


def test_the_next_airing_replaces_the_show_without_a_dark_moment() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            output.present(SECOND)
            for _ in range(100):
                await asyncio.sleep(0.01)
                assert lamps.lit()
            assert lamps.core.frame[0] == 0xA2
            await asyncio.sleep(2)
            seen = measured(output)
            assert 2 <= seen.compared == seen.agreed <= 4

    run(story())


def test_a_board_that_shows_something_else_is_darkened_and_told_again() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            async with Board("intruder", "virtual", 115_200, clock=now, opener=lamps.second_line().open) as intruder:
                await intruder.show(SECOND(await intruder.ident()))
            assert lamps.core.frame[0] == 0xA2
            was_dark = False
            for _ in range(150):
                await asyncio.sleep(0.01)
                was_dark |= not any(lamps.core.frame)
            assert was_dark
            await asyncio.sleep(2)
            assert lamps.lit()
            seen = measured(output)
            assert seen.agreed == seen.compared - 1

    run(story())


def test_what_somebody_else_shows_on_an_idle_board_is_darkened_and_told_once() -> None:
    """LED boards re-written through their own interface (2023): the hub alone drives the panel."""

    async def story() -> None:
        lamps, told = Lamps(), list[Detail]()
        async with board(lamps, told.append) as output:
            await asyncio.sleep(20)
            assert told == []
            async with Board("intruder", "virtual", 115_200, clock=now, opener=lamps.second_line().open) as intruder:
                await intruder.show(SECOND(await intruder.ident()))
            assert lamps.lit()
            await asyncio.sleep(LOOK_S + 0.5)
            assert not lamps.lit()
            assert told == [detail(Code.BOARD_NOT_DARK, board="board-1")]
            output.present(FIRST)
            await asyncio.sleep(2)
            assert lamps.core.frame[0] == 0xA1

    run(story())


def test_an_idle_board_that_does_not_answer_is_told_once_and_found_again(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            lamps.dead = True
            await asyncio.sleep(600)
            lamps.dead = False
            await asyncio.sleep(SILENT_S * 2)
            output.present(FIRST)
            await asyncio.sleep(2)
            assert lamps.lit()

    run(story())
    assert len(caplog.messages) == 1


def test_a_board_that_restarts_gets_its_show_again() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            lamps.restart()
            await asyncio.sleep(4)
            assert lamps.lit()
            seen = measured(output)
            assert seen.compared - 1 == seen.agreed > 2

    run(story())


def test_a_board_that_is_away_for_a_while_goes_on_showing_when_it_is_back() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            lamps.dead = True
            await asyncio.sleep(10)
            assert not lamps.lit()  # its lease ran out
            lamps.dead = False
            await asyncio.sleep(4)
            assert lamps.lit()
            seen = measured(output)
            assert seen.compared - 1 == seen.agreed > 3, "it was dark meanwhile"

    run(story())


def test_a_board_that_is_away_for_less_than_its_lease_was_never_dark() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            lamps.dead = True
            await asyncio.sleep(2.5)
            lamps.dead = False
            await asyncio.sleep(4)
            seen = measured(output)
            assert seen.compared == seen.agreed > 3

    run(story())


def test_a_board_that_is_lost_for_the_rest_of_the_airing_does_not_agree_throughout() -> None:
    """What was compared before it was lost says nothing of the minutes behind."""

    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            lamps.dead = True
            await asyncio.sleep(60)
            seen = measured(output)
            assert seen.compared - 1 == seen.agreed >= 1
            assert measured(output) == seen

    run(story())


def test_a_board_that_answers_only_during_the_airing_is_shown_it_then() -> None:
    async def story() -> None:
        lamps = Lamps()
        lamps.dead = True
        async with board(lamps) as output:
            assert output.present(FIRST) is None
            await asyncio.sleep(5)
            lamps.dead = False
            await asyncio.sleep(5)
            assert lamps.lit()
            seen = measured(output)
            assert seen.compared == seen.agreed > 0

    run(story())


def test_a_board_that_never_answers_stands_in_the_evidence_with_nothing() -> None:
    async def story() -> None:
        lamps = Lamps()
        lamps.dead = True
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(10)
            seen = measured(output)
            assert (seen.shown_ms, seen.compared, seen.agreed, seen.digest) == (0, 0, 0, b"")
            assert seen.ended_ms

    run(story())


def test_a_board_of_another_size_gets_a_show_of_its_size() -> None:
    """Replaced by a technician while something is on air."""

    async def story() -> None:
        lamps = Lamps(64, 32)
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(2)
            lamps.dead = True
            await asyncio.sleep(3)
            lamps.restart(96, 16)
            lamps.dead = False
            await asyncio.sleep(5)
            assert output.ident is not None
            assert (output.ident.width, output.ident.height) == (96, 16)
            assert lamps.core.frame == bytes([0xA1]) * (96 // 8 * 16)

    run(story())


def test_a_show_that_cannot_be_laid_out_leaves_the_board_dark() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(1)
            assert output.present(lambda ident: None) is None
            await asyncio.sleep(1)
            assert not lamps.lit()
            assert measured(output).compared == 0

    run(story())


def test_the_agents_end_darkens_it_or_says_that_it_could_not() -> None:
    async def story() -> None:
        lamps = Lamps()
        async with board(lamps) as output:
            output.present(FIRST)
            await asyncio.sleep(1)
            await output.make_safe()
            assert not lamps.lit()
            lamps.dead = True
            with pytest.raises(HardwareError, match="board-1"):
                await output.make_safe()

    run(story())
