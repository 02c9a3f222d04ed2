"""Attacks by whoever has hands on a wire of the ward: a board's link, the amplifiers' line, the audio input."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from tests.fault.attacks.range import BOARD, SHORT, Range, Run, ranged

from ward_hub.chime import Signal, chime
from ward_hub.identity import hub_key
from ward_hw.drivers.board import Bitmap, Board, Show, Window
from ward_protocol.envelope import Envelope
from ward_protocol.statements import Audience, Audio, Event
from ward_sim.ward import BOARD_BAUDRATE
from ward_sim.world import now_ms

LOUD_MV = 8000
# Function 5 to unit 17, its CRC last. The controller's own interlock refuses a zone before its supply is warm.
CLOSE_SUPPLY = bytes.fromhex("110500 00ff00 8eaa")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as both:
        yield both


def test_a_carrier_opens_nothing(site: tuple[Range, Run]) -> None:
    """FM loudspeakers carried a foreign station (2016): sound at an amplifier's input gives it no power."""
    at, run = site

    async def play() -> None:
        async with at.attack(audited=False):
            for amplifier in at.stage.world.amplifiers.values():
                amplifier.set_line_level(LOUD_MV)
            await asyncio.sleep(7)

    run(play())


def test_a_local_stop_works_without_any_network_and_is_logged(site: tuple[Range, Run]) -> None:
    """Only cutting power stopped it (2016). Ours stops by a command at the hub, with the network gone."""
    at, run = site

    async def play() -> None:
        before = len(at.trail())
        data = at.publish(at.bulletin(audience=Audience((at.stage.ward.area,), boards=("none",)), repeats=10))
        await at.until(lambda: any(any(one.relays) for one in at.stage.world.amplifiers.values()), "it is on air")
        at.stage.link.up = False
        said = await at.command("stop")
        await at.until(lambda: not any(any(one.relays) for one in at.stage.world.amplifiers.values()), "relays open", 5)
        at.stage.link.up = True
        assert Envelope.open(data).digest.hex() in said
        # Outputs are released first, then the ending is written.
        await at.until(lambda: any(one.detail.get("reason") == "stopped" for one in at.trail(before)), "it is logged")
        await at.next_good_bulletin_airs()

    run(play())


def test_what_is_written_to_a_board_beside_the_hub_is_darkened(site: tuple[Range, Run]) -> None:
    """LED boards re-written (2023): what is shown is read back, and blanked on mismatch."""
    at, run = site

    async def play() -> None:
        async with at.attack(moved=True):
            line = at.stage.world.lines[BOARD].station("intruder")
            async with Board("intruder", line.path, BOARD_BAUDRATE, clock=time.monotonic) as board:
                ident = await board.ident()
                rows = b"\xff" * (ident.width // 8 * ident.height)
                window = Window(Bitmap(ident.width, ident.height, rows), 0, 0, ident.width, ident.height)
                await board.show(Show(7, (window,), 60_000))
            await at.until(lambda: any(at.stage.world.boards[BOARD].frame), "the intruder's picture is lit", 5)
            await at.until(at.all_quiet, "the hub darkens it", 10)
            await at.until(lambda: "shows what this hub did not send" in at.stage.hub.tail(50), "and says so")
            line.unplug()

    run(play())


def test_a_second_master_on_the_line_holds_no_relay(site: tuple[Range, Run]) -> None:
    """Closed by a foreign master with a renewed lease, opened by the hub, told as an alarm."""
    at, run = site

    async def play() -> None:
        async with at.attack(moved=True) as before:
            with serial.Serial(at.stage.world.tools_port, 19_200, timeout=0) as line:
                for _ in range(50):  # some of it collides with the hub's own frames
                    line.write(CLOSE_SUPPLY)
                    await asyncio.sleep(0.1)
                    if any(at.stage.world.amplifiers["amp-1"].relays):
                        break
                else:
                    raise AssertionError("the foreign order never acted")
            await at.until(at.all_quiet, "it is open again", 10)
            # By the hub, or by its lease before the hub looked: it is told in either case.
            await at.until(lambda: any(one.event == "tampered" for one in at.trail(before)), "it is told")

    run(play())


def test_a_recorded_tone_in_a_bulletin_triggers_nothing(site: tuple[Range, Run]) -> None:
    """Recorded alert tones set off 70 stations (2014): nothing in the audio acts, and what airs ends by itself."""
    at, run = site

    async def play() -> None:
        tone = chime(Signal.EMERGENCY)
        at.stage.source.put_media(tone)
        named = Audio(hashlib.sha256(tone).digest(), len(tone), "audio/wav", 6000)
        only_one_zone = Audience((at.stage.ward.area,), zones=("zone-1",), boards=("none",))
        begun = now_ms()
        data = at.publish(at.bulletin(audience=only_one_zone, texts=(), audio=(named,)))
        digest = Envelope.open(data).digest
        await at.until(lambda: any(one.event is Event.AIRED for one in at.receipts(digest)), "it airs")
        await at.until(at.all_quiet, "everything is released")
        assert at.stage.world.witness.closed_ms("zone-1", begun, now_ms()) > 0
        assert at.stage.world.witness.closed_ms("zone-2", begun, now_ms()) == 0
        await at.next_good_bulletin_airs()

    run(play())


def test_what_was_issued_while_the_hub_was_cut_off_is_not_lost(site: tuple[Range, Run]) -> None:
    """Commands sent while a device was off line were lost (a shipped product): gaps are seen and filled."""
    at, run = site

    async def play() -> None:
        at.stage.link.up = False
        missed = [Envelope.open(at.publish(at.bulletin(texts=SHORT))).digest for _ in range(3)]
        await asyncio.sleep(4)
        assert not any(at.receipts(one) for one in missed)
        at.stage.link.up = True
        for one in missed:
            await at.until(lambda one=one: any(r.event is Event.AIRED for r in at.receipts(one)), "it airs after all")  # type: ignore[misc]

    run(play())


def test_no_file_that_ships_holds_a_secret_and_no_two_hubs_share_one(tmp_path: Path) -> None:
    """Default passwords and one key in every image (EAS 2013)."""
    top = Path(__file__).parents[3]
    shipped = [
        one for package in ("hub", "hw", "protocol", "firmware") for one in (top / package).rglob("*") if one.is_file()
    ]
    assert len(shipped) > 100
    for path in shipped:
        data = path.read_bytes()
        assert b"PRIVATE KEY-----\n" not in data, path
        assert b"password =" not in data.lower(), path
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir(mode=0o700)
        with hub_key(tmp_path / name, None) as key:
            made.append(key.public.raw)
    assert made[0] != made[1]


def test_everything_queued_can_be_listed_and_purged(site: tuple[Range, Run]) -> None:
    at, run = site

    async def play() -> None:
        async with at.attack():
            later = int(time.time()) + 300
            digest = Envelope.open(at.publish(at.bulletin(not_before=later))).digest
            await at.until(lambda: any(one.event is Event.ACCEPTED for one in at.receipts(digest)), "it is queued")
            assert digest.hex()[:16] in await at.command("queue", "list")
            assert digest.hex() in await at.command("queue", "purge", digest.hex()[:8])
            await at.until(lambda: any(one.event is Event.NOT_AIRED for one in at.receipts(digest)), "it is purged")
            assert digest.hex()[:16] not in await at.command("queue", "list")

    run(play())
