"""Live streams from the order to the horns: real agent and devices, senders of other makes, and the ward's witness."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.fault.attacks.microphone import ZONE, OnAir, ordered, start, tone_of
from tests.fault.attacks.range import PROVINCE, Range, Run, ranged
from tests.sim.hw.sounds import tone
from tests.sim.hw.streams import GOOD_HZ, opus, send
from tests.srtp_peer import MASTER, PAYLOAD_TYPE, Peer

from ward_protocol.envelope import Envelope
from ward_protocol.statements import Event, Priority, Status
from ward_sim.world import now_ms

CHIME_MS = 1000
SAID_S = 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as both:
        yield both


def airs(site: tuple[Range, Run], speak: Callable[[int], Awaitable[object]]) -> None:
    """A stream of SAID_S by that sender, given its port, is heard in its zone and nowhere else, as its receipt says."""
    at, run = site

    async def play() -> None:
        one = ordered(at, start(at))
        await one.opens()
        await speak(one.port)
        ending = await one.ends()
        assert (ending.event, ending.reason, ending.status) == (Event.AIRED, None, Status.ACTUAL)
        assert ending.evidence is not None
        (zone,) = ending.evidence.zones
        assert (zone.zone, zone.confirmed) == (ZONE, True)
        witness, end = at.stage.world.witness, now_ms()
        heard = witness.heard_ms(ZONE, one.begun_ms, end)
        assert heard > CHIME_MS + 0.8 * SAID_S * 1000
        assert zone.heard_ms == pytest.approx(heard, abs=1500)
        assert witness.heard_ms("zone-2", one.begun_ms, end) == witness.closed_ms("zone-2", one.begun_ms, end) == 0
        assert tone_of(one.heard(), GOOD_HZ) > 0.8 * SAID_S
        assert "refused: none" in ending.detail

    run(play())


def test_by_libsrtp(site: tuple[Range, Run]) -> None:
    airs(site, lambda port: send(Peer().many(opus(1.0) * SAID_S), port))


@pytest.mark.capability("ffmpeg")
def test_by_ffmpeg(site: tuple[Range, Run], tmp_path: Path) -> None:
    sound = tone(tmp_path / "a.wav", SAID_S)

    async def speak(port: int) -> None:
        key = base64.b64encode(MASTER).decode()
        process = await asyncio.create_subprocess_exec(
            "ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-i", str(sound), "-c:a", "libopus",
            "-ac", "1", "-b:a", "32k", "-f", "rtp", "-payload_type", str(PAYLOAD_TYPE),
            "-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params", key, f"srtp://127.0.0.1:{port}",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0

    airs(site, speak)


def emergency(at: Range) -> bytes:
    """Publish an emergency of the province for the board; return its id."""
    urgent = at.bulletin(PROVINCE, priority=Priority.EMERGENCY)
    return Envelope.open(at.publish(urgent, [*at.by(PROVINCE), *at.stage.offices._quorum[:2]])).digest


def test_an_emergency_cuts_it_short_and_it_goes_on_behind_what_was_heard(site: tuple[Range, Run]) -> None:
    at, run = site

    async def play() -> None:
        one = ordered(at, start(at))
        await one.opens()
        sending = asyncio.create_task(send(Peer().many(opus(1.0) * 20), one.port))
        await at.until(lambda: one.heard_ms() > 2000, "it is heard")
        urgent = emergency(at)
        await at.until(lambda: any(each.event is Event.AIRED for each in at.receipts(urgent)), "the emergency airs")
        await sending
        ending = await one.ends()
        assert ending.event is Event.AIRED
        assert ending.evidence is not None
        assert ending.evidence.attempts == 2
        cuts = [line.detail["why"] for line in at.trail() if line.event == "interrupted"]
        assert any(str(why).startswith("cut short by an emergency; stream ended by stopped") for why in cuts)

    run(play())


@pytest.mark.capability("espeak-ng")
def test_a_drill_says_so_throughout(site: tuple[Range, Run]) -> None:
    """Before it and behind it here; within it, after each 20 s, in test_live.py."""
    at, run = site

    async def play() -> None:
        one: OnAir = ordered(at, start(at, status=Status.TEST))
        await one.opens()
        await send(Peer().many(opus(1.0) * SAID_S), one.port)
        ending = await one.ends()
        assert (ending.event, ending.status) == (Event.AIRED, Status.TEST)
        samples = one.heard()
        good = [at for at in range(0, len(samples) - 4800, 4800) if tone_of(samples[at : at + 4800], GOOD_HZ)]
        first, last = good[0], good[-1]
        assert max(samples[:first]) > 1000
        assert max(samples[last + 9600 :]) > 1000
        assert len(samples) - last > 48_000  # a sentence of more than a second behind it

    run(play())
