"""Ways in beside the source, in the agent: what comes by hand acts as what is fetched, and is judged once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.intakes import bulletin, signed
from tests.journals import receipts, story
from tests.sim.hw.virtual import run
from tests.statements import STRANGER
from tests.unit.hub.test_agent import ACCEPTED, CANCELLED, ENDED, Hub, hub
from tests.unit.hub.test_config import GOOD

from ward_hub.alarms import FIRST_STILL_S
from ward_hub.config import parse
from ward_hub.intake import Place
from ward_hub.lan.spool import Most
from ward_hub.tally import BURST
from ward_hub.ways import ABUSE, SUM_UP_S, bounds_of
from ward_protocol.envelope import Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Cancel, Event

LAN, USB = Place("lan"), Place("usb")


async def cut_off(one: Hub) -> None:
    """Let a hub hear of its grants, and then of nothing more."""
    one.source.beat()
    await asyncio.sleep(5)
    one.source.down = True


def test_what_comes_by_hand_airs_while_the_source_is_silent(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            await cut_off(one)
            data = signed(bulletin())
            verdict = await one.agent.deliver(data, USB)
            assert verdict.accepted is not None
            await asyncio.sleep(5)
            assert one.events(verdict.digest) == [ACCEPTED, ENDED]
            again = await one.agent.deliver(data, LAN)
            assert (again.digest, again.accepted, again.reason) == (verdict.digest, None, Reason.REPLAYED)
            await asyncio.sleep(5)
            assert one.events(verdict.digest) == [ACCEPTED, ENDED, (Event.REFUSED, Reason.REPLAYED)]

    run(play())


def test_what_the_source_publishes_later_was_decided(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            await cut_off(one)
            verdict = await one.agent.deliver(signed(bulletin()), LAN)
            one.source.down = False
            one.source.publish(bulletin())
            for _ in range(10):
                one.source.beat()
                await asyncio.sleep(2)
            assert one.events(verdict.digest) == [ACCEPTED, ENDED]
            assert not any(path.startswith("feed/") for _, path in one.source.asked)

    run(play())


def test_a_cancel_by_hand_ends_what_came_by_the_source(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            later = bulletin(not_before=bulletin().issued + 600)
            digest = one.source.publish(later)
            await cut_off(one)
            cancel = Cancel("ward", 2, later.issued, later.expires, later.audience, digest, "phát nhầm")
            assert (await one.agent.deliver(signed(cancel), USB)).accepted is not None
            assert one.events(digest) == [ACCEPTED, CANCELLED]

    run(play())


def test_what_was_accepted_and_could_not_be_taken_up_is_taken_up_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            await cut_off(one)
            one.journal.broken = frozenset({"withdrawal"})
            verdict = await one.agent.deliver(signed(bulletin()), LAN)
            assert verdict.accepted is not None
            await asyncio.sleep(20)
            assert one.events(verdict.digest) == [ACCEPTED]
            one.journal.broken = frozenset()
            await asyncio.sleep(60)
            assert one.events(verdict.digest) == [ACCEPTED, ENDED]

    run(play())
    assert "is taken up in a moment" in caplog.text


def test_a_flood_of_forgeries_is_in_the_trail_and_does_not_fill_it(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            await cut_off(one)
            for number in range(1, BURST + 41):
                verdict = await one.agent.deliver(sign(bulletin(sequence=number), [STRANGER]), LAN)
                assert verdict.reason is Reason.UNKNOWN_KEY
            await asyncio.sleep(SUM_UP_S + 1)
            for number in range(7):
                await one.agent.deliver(b"junk" + bytes([number]), LAN)
            data = signed(bulletin())
            assert (await one.agent.deliver(data, LAN)).accepted is not None
            await asyncio.sleep(5)
            assert one.events(Envelope.open(data).digest) == [ACCEPTED, ENDED]
        lines = story(tmp_path)
        assert [line.event for line in lines].count("refused") == BURST
        counted = [line.detail for line in lines if line.event == "counted"]
        assert [(one["place"], one.get("unknown-key"), one.get("malformed-cose")) for one in counted] == [
            ("lan", 40, None),
            ("lan", None, 7),
        ]

    run(play())


@pytest.mark.parametrize(("way", "count", "alarms"), [(LAN, ABUSE, True), (LAN, ABUSE - 1, False), (USB, 512, False)])
def test_a_flood_over_the_network_is_an_alarm_until_it_ends(
    tmp_path: Path, way: Place, count: int, alarms: bool
) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            for number in range(count):
                await one.agent.deliver(sign(bulletin(sequence=number + 1), [STRANGER]), way)
            await asyncio.sleep(SUM_UP_S + 1)
            told = [each.detail for each in one.alarms.standing if each.kind is Reason.LAN_ABUSED]
            assert told == ([f"{count} unknown-key in 30 s"] if alarms else [])
            await asyncio.sleep(FIRST_STILL_S + SUM_UP_S + 1)
            assert Reason.LAN_ABUSED not in [each.kind for each in one.alarms.standing]
        events = [(each.event, each.reason) for each in receipts(tmp_path) if each.reason is Reason.LAN_ABUSED]
        both = [(Event.ALARM, Reason.LAN_ABUSED), (Event.ALARM_CLEARED, Reason.LAN_ABUSED)]
        assert events == (both if alarms else [])

    run(play())


def test_a_sum_that_the_journal_cannot_take_is_written_later(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            await cut_off(one)
            one.journal.broken = frozenset({"note"})
            for number in range(BURST + 3):
                await one.agent.deliver(b"junk" + number.to_bytes(2, "big"), USB)
            await asyncio.sleep(3 * SUM_UP_S)
            assert "counted" not in [line.event for line in story(tmp_path)]
            one.journal.broken = frozenset()
            await asyncio.sleep(3 * SUM_UP_S)
            assert [line.detail["malformed-cose"] for line in story(tmp_path) if line.event == "counted"] == [3]

    run(play())


def test_the_bounds_are_those_of_the_configuration() -> None:
    config = parse(GOOD.replace("[lan]", "[lan]\nmax_uploads = 3\nmax_mib = 10\nmax_uploads_per_peer = 1"), "hub.toml")
    assert config.lan is not None
    bounds = bounds_of(config.lan)
    assert (bounds.peer, bounds.total) == (Most(1, 9 * 2**20), Most(3, 10 * 2**20))
