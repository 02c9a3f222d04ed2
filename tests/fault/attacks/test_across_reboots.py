"""Attacks by whoever recorded everything: each datagram and file is played back, by each way in, after power cuts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.fault.attacks.range import AREA, GUARD_S, PROVINCE, SHORT, Range, Run, ranged
from tests.sim.lan.rig import ECHO, GET, POST
from tests.sim.source.test_site import message

from ward_hub.chime import Signal, chime
from ward_hub.control import ask
from ward_hub.usb.container import NAME, Kind, joined
from ward_protocol.envelope import Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Audio, Event, Priority
from ward_sim.network import Address

REBOOTS = 2


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path) as (at, run):
        run(at.open_ways())
        yield at, run


@dataclass
class Recorder:
    """Hears every datagram between the source and the hub, and knows where the hub is now."""

    at: Range
    heard: list[bytes] = field(default_factory=list)
    hub: Address | None = None
    recording: bool = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        link = self.at.stage.link
        down, up = link.send_down, link.send_up

        def send_down(data: bytes, hub: Address) -> None:
            if self.recording:
                self.heard.append(data)
            down(data, hub)

        def send_up(data: bytes, hub: Address) -> None:
            self.hub = hub
            up(data, hub)

        link.send_down, link.send_up = send_down, send_up  # type: ignore[method-assign]
        try:
            yield
        finally:
            link.send_down, link.send_up = down, up  # type: ignore[method-assign]

    async def play_back(self) -> None:
        """Send all of it again to where the hub is now, from the source's own address."""
        near = self.at.stage.link._near
        assert near is not None
        assert self.hub is not None
        for data in self.heard:
            near.send(data, self.hub)
            await asyncio.sleep(0.002)


def refusal(code: str, words: bytes) -> str:
    """The reason in an answer to a push; the code itself where it was none."""
    return words.decode().partition(":")[0] if code == "4.03" else code


async def push_again(at: Range, host: str, recorded: bytes) -> str:
    """Send a recorded push as it was, and again once the hub was shown that it is heard; return the refusal."""
    with at.peer(host) as one:
        code, options, _ = await one.ask(recorded)
        assert code == "4.01"  # whoever had shown it before has to show it to this start
        await one.ask(message(GET, "x", [(ECHO, options[ECHO])]))
        code, _, words = await one.ask(recorded)
        return refusal(code, words)


async def by_stick(at: Range, items: list[tuple[Kind, bytes]]) -> set[str]:
    """Carry files to the hub, and return the reasons for which it refuses them."""
    (at.stick / NAME).write_bytes(joined(items))
    report: dict[str, Any] = await asyncio.to_thread(
        ask, at.folder / "state", "import", patience=GUARD_S, path=str(at.stick / NAME)
    )
    assert not any(one["accepted"] for one in report["items"])
    (at.stick / NAME).unlink()
    return {one["reason"] for one in report["items"]}


def airings(at: Range, data: bytes) -> int:
    """How often the source was told that a statement aired."""
    return [one.event for one in at.receipts(Envelope.open(data).digest)].count(Event.AIRED)


async def good_ones(at: Range, pushed: list[bytes]) -> list[bytes]:
    """Three good statements that air, by sound and by light, by the source and by the ward's network."""
    tone = chime(Signal.NORMAL)
    at.stage.source.put_media(tone)
    spoken = Audio(hashlib.sha256(tone).digest(), len(tone), "audio/wav", 1000)
    alert = at.bulletin(PROVINCE, priority=Priority.EMERGENCY, texts=SHORT)
    statements = [
        at.publish(at.bulletin(audience=Audience((AREA,), zones=("zone-1",), boards=("none",)), audio=(spoken,))),
        at.publish(alert, [*at.by(PROVINCE), *at.stage.offices._quorum[:2]]),
        sign(at.bulletin(texts=SHORT), at.by()),
    ]
    at.sequences["ward"] = at.next()
    pushed.append(message(POST, "push", [], statements[-1]))
    with at.peer("127.0.0.2") as one:
        await one.prove()
        assert (await one.ask(pushed[0]))[0] == "2.04"
    for data in statements:
        await at.until(lambda data=data: airings(at, data) == 1, "it airs once")  # type: ignore[misc]
    return statements


def test_all_that_was_ever_sent_is_played_back(site: tuple[Range, Run]) -> None:
    """Dallas 2017: 156 sirens, 15 times over, from a recording. Here nothing airs twice, whatever is cut between."""
    at, run = site

    async def play() -> None:
        recorder, pushed = Recorder(at), list[bytes]()
        with recorder.listening():
            recorder.recording = True
            statements = await good_ones(at, pushed)
            recorder.recording = False
            # Both ways are on the record: what the source served, block by block, and what was pushed.
            assert all(any(one in data for data in recorder.heard) for one in statements[:2])
            beat = (Kind.BEAT, at.stage.source.beat())
            documents = [(Kind.ROOT, at.stage.offices.root()), (Kind.GRANTS, at.stage.offices.grants()), beat]
            await asyncio.sleep(1.1)  # beats count seconds: those that follow are later than the recorded one
            for number in range(REBOOTS):
                recorder.hub = None
                await at.power_cut()
                async with at.attack() as before:
                    await at.until(lambda: recorder.hub, "the hub asks its source")
                    await recorder.play_back()
                    for one in statements:
                        at.serve(one)  # by a source that plays them back in the ward's next places
                    await at.refused(Reason.REPLAYED, before, len(statements))
                    assert await push_again(at, f"127.0.0.{number + 3}", pushed[0]) == Reason.REPLAYED.word
                    assert await by_stick(at, [*documents, *((Kind.STATEMENT, one) for one in statements)]) == {
                        Reason.WRONG_VERSION.word,
                        Reason.VERSION_ROLLBACK.word,
                        Reason.TIME_WENT_BACK.word,
                        Reason.REPLAYED.word,
                    }
        assert [airings(at, one) for one in statements] == [1, 1, 1]

    run(play())
