"""Silence and blank at the hub: over everything, at once, over a restart, and ended at the hub alone."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.journals import receipts, story
from tests.sim.hw.virtual import run
from tests.statements import AUTHORITY, GRANTS, NOW
from tests.unit.hub.test_director import EMERGENCY, NORMAL, PRIORITY, Studio
from tests.unit.hub.test_orders import BOTH, PROVINCE, office

from ward_hub.errors import HubError
from ward_hub.holds import OPEN, Closed, Hold, What
from ward_hub.local_holds import LocalHolds
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Event, Priority

ZONES, BOARDS = ("zone-1", "zone-2", "zone-3"), ("board-1",)


def local(studio: Studio) -> LocalHolds:
    return LocalHolds(
        director=studio.director, journal=studio.journal, clock=studio.clock, zones=ZONES, boards=BOARDS
    )  # fmt: skip


async def everything(held: LocalHolds) -> None:
    await held.silence({})
    await held.blank({})


@pytest.mark.parametrize("priority", Priority)
def test_what_is_on_air_is_cut_and_waits_until_somebody_here_resumes(tmp_path: Path, priority: Priority) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            at.studio.hold("a", priority)
            await asyncio.sleep(3)
            await everything(held)
            await asyncio.sleep(0.9)
            assert at.studio.player.told[-2:] == [(3.0, "cut a"), (3.0, "release")]
            await asyncio.sleep(500)
            assert at.studio.said() == ["air a", "cut a"]
            await held.resume({})
            await asyncio.sleep(20)
            assert at.studio.said()[-2:] == ["air a", "end a"]
            assert at.ended() == [(1, Event.AIRED, None)]

    run(play())


COUNTRY = replace(AUTHORITY, id="country", level=0)


@pytest.mark.parametrize("issuer", ["ward", "province", "country"])
@pytest.mark.parametrize("priority", Priority)
def test_no_signed_order_ends_it(tmp_path: Path, issuer: str, priority: Priority) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.keeper.trust = replace(BOTH, grants=replace(GRANTS, authorities=(AUTHORITY, PROVINCE, COUNTRY)))
            await everything(local(at.studio))
            await at.order(Action.SILENCE, priority=NORMAL)
            done = await at.order(Action.RESUME, issuer=issuer, priority=priority)
            assert done.detail == "resumed: 1 of 1; what was held at the hub stays so: silence all; blank all"
            at.studio.hold("a", EMERGENCY)
            await asyncio.sleep(60)
            assert at.studio.said() == []

    run(play())


def test_resuming_here_leaves_what_orders_silence(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            await at.order(Action.SILENCE, until=NOW + 600)
            await everything(held)
            answer: Any = await held.resume({})
            assert [one["what"] for one in answer["ended"]] == ["silence", "blank"]
            assert [(one["order"], one["issuer"]) for one in answer["standing"]] == [(101, "ward")]
            at.studio.hold("a")
            await asyncio.sleep(1)
            assert at.studio.player.shut == [Closed(zones=None)]

    run(play())


def test_it_stands_after_a_restart(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await local(at.studio).silence({"only": ["zone-2"]})
        async with office(tmp_path) as again:
            again.studio.number = 10
            held = local(again.studio)
            await held.restore()
            await again.orders.restore()  # what orders say is another thing
            again.studio.hold("a")
            await asyncio.sleep(1)
            assert again.studio.player.shut == [Closed(zones=frozenset({"zone-2"}))]
            await held.resume({})
        async with office(tmp_path) as last:
            await local(last.studio).restore()
            assert last.studio.director.standing == []

    run(play())


def test_a_second_command_opens_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            for only, closed in (
                (["zone-1"], ["zone-1"]),
                (["zone-2", "zone-1"], ["zone-1", "zone-2"]),
                ([], []),
                (["zone-3"], []),
            ):
                await asyncio.sleep(10)
                assert await held.silence({"only": only}) == closed
            (one,) = at.studio.director.standing
            assert (one.outlets, one.since) == ((), NOW + 10)

    run(play())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"only": ["zone-1", "zone-9"]}, "there is no zone zone-9 here; there is: zone-1, zone-2, zone-3"),
        ({"only": ["board-1"]}, "there is no zone board-1 here"),
        ({"only": [["zone-1"]]}, "there is no zone"),
        ({"only": "zone-1"}, "a list of names is needed"),
        ({"only": {"zone-1": 1}}, "a list of names is needed"),
    ],
)
def test_what_this_hub_has_not_closes_nothing(tmp_path: Path, asked: dict[str, object], words: str) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            with pytest.raises(HubError, match=words):
                await local(at.studio).silence(asked)
            assert at.studio.director.standing == []

    run(play())


def test_a_silence_while_another_is_being_ended_stands(tmp_path: Path) -> None:
    """The journal may take seconds on a slow card; whoever presses silence then presses it after the resume."""

    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            await everything(held)
            resuming = asyncio.create_task(held.resume({}))
            await asyncio.sleep(0)
            await held.silence({})
            answer: Any = await resuming
            assert [one["what"] for one in answer["ended"]] == ["silence", "blank"]
            assert [one.what for one in at.studio.director.standing] == [What.SILENCE]
        async with office(tmp_path) as again:
            await local(again.studio).restore()
            assert [one.what for one in again.studio.director.standing] == [What.SILENCE]

    run(play())


def test_nothing_to_resume(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            assert await local(at.studio).resume({}) == {"ended": [], "standing": []}
            assert story(tmp_path) == []

    run(play())


# A journal that cannot be written


def test_a_full_card_keeps_no_loudspeaker_loud(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            at.studio.hold("a")
            await asyncio.sleep(3)
            at.studio.journal.broken = frozenset({"hold"})
            with pytest.raises(HubError, match=r"silence: it is so now, but the journal cannot be written .* full"):
                await held.silence({})
            await asyncio.sleep(0.5)
            assert at.studio.player.shut == [OPEN, Closed(zones=None)]
            await at.orders.restore()  # as a part of the agent that begins again does
            assert [one.here for one in at.studio.director.standing] == [True]
            at.studio.journal.broken = frozenset()
            await held.silence({})
        async with office(tmp_path) as again:
            await local(again.studio).restore()
            assert [one.what for one in again.studio.director.standing] == [What.SILENCE]

    run(play())


def test_what_could_not_be_written_is_not_resumed_by_half(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            await held.silence({})
            at.studio.journal.broken = frozenset({"release"})
            with pytest.raises(HubError, match="what is closed stays so"):
                await held.resume({})
            assert [one.what for one in at.studio.director.standing] == [What.SILENCE]
            at.studio.journal.broken = frozenset()
            await held.resume({})
            assert at.studio.director.standing == []

    run(play())


def test_it_closes_although_the_card_is_slow(tmp_path: Path) -> None:
    """The outputs are released before the journal is asked about the airing that was cut."""

    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a")
            await asyncio.sleep(3)
            write, at.studio.journal.do = at.studio.journal.do, stuck  # type: ignore[method-assign]
            command = asyncio.create_task(local(at.studio).silence({}))
            await asyncio.sleep(0.9)
            assert at.studio.player.told[-2:] == [(3.0, "cut a"), (3.0, "release")]
            at.studio.journal.do = write  # type: ignore[method-assign]
            command.cancel()

    run(play())


async def stuck(*_: object, **__: object) -> Any:  # noqa: ANN401 - it never returns
    await asyncio.sleep(3600)


# What is told


def test_the_story_says_what_was_done_and_where(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            held = local(at.studio)
            await held.silence({"only": ["zone-1"]})
            await held.blank({})
            await held.resume({})

    with caplog.at_level(logging.WARNING):
        run(play())
    by = "a command at the hub"
    assert [(line.event, line.statement, line.detail) for line in story(tmp_path)] == [
        ("silence", None, {"by": by, "outlets": ["zone-1"], "level": 0, "until": 0}),
        ("blank", None, {"by": by, "outlets": "all", "level": 0, "until": 0}),
        ("released", None, {"by": by, "outlets": ["zone-1"], "what": "silence"}),
        ("released", None, {"by": by, "outlets": "all", "what": "blank"}),
    ]
    assert [one.getMessage() for one in caplog.records] == [
        "silence at the hub: zone-1",
        "blank at the hub: all",
        "resumed at the hub: silence of zone-1 is over",
        "resumed at the hub: blank of all is over",
    ]


def test_the_receipt_of_what_expired_meanwhile_says_who_closed_it(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await everything(local(at.studio))
            await at.order(Action.SILENCE, issuer="province", priority=PRIORITY)
            at.studio.hold("a", life=60)
            await asyncio.sleep(70)
            assert at.ended() == [(1, Event.NOT_AIRED, Reason.SILENCED)]
            detail = receipts(tmp_path)[-1].detail
            assert detail == (
                "all that it could use was closed by a command at the hub and order 101 of province until it expired"
            )

    run(play())


def test_what_had_begun_before_it_was_silenced_ends_as_partly(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a", life=60)
            await asyncio.sleep(3)
            await everything(local(at.studio))
            await asyncio.sleep(70)
            assert at.ended() == [(1, Event.PARTLY, Reason.SILENCED)]

    run(play())


def test_a_hold_of_the_hub_is_like_no_order() -> None:
    one = Hold.at_the_hub(What.SILENCE, (), NOW)
    two = Hold.at_the_hub(What.BLANK, (), NOW)
    order = Hold(b"\x01" * 32, What.SILENCE, 0, EMERGENCY, issuer="province", sequence=7)
    assert (one.here, two.here, order.here) == (True, True, False)
    assert one.digest != two.digest
    assert (one.by, order.by) == ("a command at the hub", "order 7 of province")
