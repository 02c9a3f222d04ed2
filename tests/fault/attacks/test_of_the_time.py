"""Attacks on the hub's time: a beat that stands still, a source whose clock was set, an old beat after a restart."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.fault.attacks.range import Range, Run, ranged

from ward_protocol.envelope import Envelope
from ward_protocol.reasons import Reason
from ward_protocol.statements import Beat, Event

DAY_S = 86_400
FROZEN_S = 10


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    """A range whose hub alarms sooner than one in a ward, where nobody waits for a test."""
    with ranged(tmp_path_factory.mktemp("range")) as (at, run):
        run(restarted(at, f"\n[clock]\nfrozen_s = {FROZEN_S}\n"))
        run(at.next_good_bulletin_airs())  # so the link has made its way for the new agent
        yield at, run


async def restarted(at: Range, more: str = "") -> None:
    """Cut the agent's power, add to its configuration, and start it."""
    hub = at.stage.hub
    ready = hub.log.read_text(encoding="utf-8").count("ready: hub")
    await hub.kill()
    with hub.config.open("a", encoding="utf-8") as file:
        file.write(more)
    await asyncio.sleep(0.5)
    await hub.start()
    await at.until(lambda: hub.log.read_text(encoding="utf-8").count("ready: hub") > ready, "it is up again")


async def status(at: Range) -> dict[str, Any]:
    answer = json.loads(await at.command("status", "--json"))
    assert isinstance(answer, dict)
    return answer


def now_of(known: dict[str, Any]) -> float:
    """What the hub takes for the time, Unix seconds."""
    return datetime.fromisoformat(known["time"]).timestamp()


async def stands(at: Range, kind: Reason) -> None:
    """Wait until an alarm is in the trail; see that the status says it, and that the source has its receipt."""
    await at.until(lambda: sounded(at, kind), f"the alarm {kind.word} is in the audit trail")
    assert kind.word in [one["alarm"] for one in (await status(at))["alarms"]]
    assert re.search(rf"since .* UTC \({kind.word}: ", await at.command("status"))
    told = lambda: any((one.event, one.reason) == (Event.ALARM, kind) for one in at.stage.source.receipts)  # noqa: E731 - read once
    await at.until(told, f"the source has the receipt of the alarm {kind.word}")


def sounded(at: Range, kind: Reason) -> bool:
    return any((one.event, one.detail.get("reason")) == ("alarm", kind.word) for one in at.trail())


@contextmanager
def clock_of_the_source(at: Range, off_s: float) -> Iterator[None]:
    """Set the source's clock; it is the source itself that signs then, also what answers a nonce."""
    source = at.stage.source
    source._clock = lambda: time.time() + off_s
    source._changed.set()
    try:
        yield
    finally:
        source._clock = time.time
        source._changed.set()


async def queued(at: Range, not_before: int) -> bytes:
    """Publish a bulletin that is to air at some time and in the hour after it, and wait until the hub holds it."""
    bulletin = at.bulletin(not_before=not_before, expires=not_before + 3600)
    digest = Envelope.open(at.publish(bulletin)).digest
    await at.until(lambda: any(one.event is Event.ACCEPTED for one in at.receipts(digest)), "it is queued")
    return digest


def test_a_changed_configuration_is_an_alarm(site: tuple[Range, Run]) -> None:
    """Endpoints re-pointed (2025): what was added to the file above shows at the source, at once."""
    at, run = site

    async def play() -> None:
        await stands(at, Reason.CONFIGURATION_CHANGED)
        assert [one.detail["changed"] for one in at.trail() if one.event == "configured"] == [[], ["[clock]"]]

    run(play())


def test_a_beat_that_stands_still(site: tuple[Range, Run]) -> None:
    """Whoever sits between serves the same true beat for ever, so that nobody hears of what is published."""
    at, run = site

    async def play() -> None:
        recorded = at.stage.source.beat()
        async with at.attack():
            with at.serving(beat=lambda _beat: recorded):
                hidden = Envelope.open(at.publish(at.bulletin())).digest
                await stands(at, Reason.BEAT_FROZEN)
                assert not at.receipts(hidden)
            # The next good one airs; so the hub has heard of the one before it.
        await at.until(lambda: any(one.event is Event.AIRED for one in at.receipts(hidden)), "it airs after all")

    run(play())


def without_nonce(at: Range) -> Callable[[Beat], bytes]:
    """A thief of the beat key who can put datagrams in, and does not see the hub's questions."""
    return lambda beat: at.stage.offices.sign_beat(replace(beat, time=beat.time + 2 * DAY_S, nonce=None))


@pytest.mark.parametrize("proven", [True, False])
def test_a_source_that_says_it_is_much_later(site: tuple[Range, Run], proven: bool) -> None:
    """Over the bounds of a step: nothing of tomorrow airs today, and nothing of today has expired."""
    at, run = site

    async def play() -> None:
        now = int(time.time())
        of_tomorrow, of_today = await queued(at, now + DAY_S), await queued(at, now + 3600)
        async with at.attack() as before:
            with clock_of_the_source(at, 500 * DAY_S) if proven else at.serving(beat=without_nonce(at)):
                await at.refused(Reason.TIME_STEP_TOO_LARGE, before)
                await stands(at, Reason.TIME_STEP_REFUSED)
                known = await status(at)
                assert abs(now_of(known) - time.time()) < 60
                assert known["queued"] == 2
                assert known["clock"]["not_believed_s"] > DAY_S
        said = await at.command("queue", "purge", of_tomorrow.hex()[:16], of_today.hex()[:16])
        assert of_tomorrow.hex() in said
        assert of_today.hex() in said
        assert (await status(at))["clock"]["not_believed_s"] is None

    run(play())


def test_a_source_that_says_it_is_earlier(site: tuple[Range, Run]) -> None:
    """Its beats are refused, the hub's time stays, and what has expired is not young again."""
    at, run = site

    async def play() -> None:
        past = int(time.time()) - 60
        async with at.attack() as before:
            with clock_of_the_source(at, -3600):
                stale = at.publish(at.bulletin(issued=past - 600, not_before=past - 600, expires=past))
                await at.refused(Reason.TIME_WENT_BACK, before)
                known = await status(at)
                assert abs(now_of(known) - time.time()) < 60
                assert not at.receipts(Envelope.open(stale).digest)
            await at.refused(Reason.EXPIRED, before)

    run(play())


def test_an_old_beat_after_a_restart(tmp_path: Path) -> None:
    """Recorded an hour ago, played to an agent that was killed: its floor is in the journal, so it knows better."""

    async def play(at: Range) -> None:
        then = int(time.time()) - 3600
        recorded = at.stage.offices.sign_beat(Beat(then, 1, 1, {}))
        stale = at.publish(at.bulletin(issued=then, not_before=then, expires=then + 1800))
        digest = Envelope.open(stale).digest
        await at.until(lambda: any(one.reason is Reason.EXPIRED for one in at.receipts(digest)), "it came too late")
        async with at.attack() as before:
            with at.serving(beat=lambda _beat: recorded):
                await restarted(at)
                await at.refused(Reason.TIME_WENT_BACK, before)
                known = await status(at)
                assert abs(now_of(known) - time.time()) < 60
                assert known["clock"]["proven_ago_s"] is None  # not to this run of the agent

    with ranged(tmp_path) as (at, run):
        run(play(at))
