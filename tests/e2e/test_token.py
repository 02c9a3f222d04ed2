"""A hub whose key is on a token: receipts under it, the token pulled and put back in the middle, and a wrong PIN."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.e2e.test_at_the_hub import LONG, at_the_hub
from tests.e2e.test_bad_input import bulletin, until
from tests.e2e.test_power_cuts import all_open, assert_unbroken
from tests.softhsm import PIN, WRONG_PIN, SoftHsm, softhsm

from ward_hub.keys.token import reach
from ward_hub.keys.uri import TokenUri
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Algorithm
from ward_protocol.statements import Event
from ward_sim.offices import WARD
from ward_sim.stage import Stage
from ward_sim.ward import load

pytestmark = [pytest.mark.capability("espeak-ng"), pytest.mark.capability("softhsm2-util")]
NO_EDDSA = "-CKM_EDDSA,CKM_EC_EDWARDS_KEY_PAIR_GEN"


@asynccontextmanager
async def with_its_key_on(hsm: SoftHsm, folder: Path) -> AsyncIterator[Stage]:
    """A ward whose hub has its key on the token; the source knows it by that key."""
    uri = TokenUri.parse(hsm.uri())
    reach(uri).make(PIN)
    async with Stage(load(), folder) as stage:
        await stage.hub.stop()
        for path in (stage.hub.folder / "state").glob("[hj]*"):  # hub.key and the journal: a new hub
            path.unlink()
        config = stage.hub.config.read_text(encoding="utf-8")
        stage.hub.config.write_text(config.replace("[trust]", f'key = "{uri.text}"\n[trust]'), encoding="utf-8")
        await stage.enrol("--key", uri.text)
        stage.hub.log.unlink()
        await stage.hub.start()
        await stage.hub.wait_for_log("ready: hub")
        yield stage


def publish(stage: Stage, sequence: int, **changes: object) -> bytes:
    """Publish a bulletin; return its digest."""
    data = sign(bulletin(stage, sequence, **changes), [stage.offices.author(WARD)])
    stage.source.publish(data)
    return Envelope.open(data).digest


def told(stage: Stage, digest: bytes) -> list[Event]:
    """What the receipts say of a bulletin."""
    return [one.event for one in stage.source.receipts if one.statement == digest]


async def test_a_token_is_pulled_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with softhsm(tmp_path / "hsm", monkeypatch, NO_EDDSA) as hsm:
        async with with_its_key_on(hsm, tmp_path / "ward") as stage:
            assert reach(TokenUri.parse(hsm.uri())).public().algorithm is Algorithm.ES256
            relays = stage.world.amplifiers["amp-1"]
            first = publish(stage, 1, texts=(LONG,))
            await until(lambda: any(relays.relays[1:]), stage.hub.tail)

            # Pulled in the middle of an airing: it goes to its end, which waits to be written, and nothing else airs.
            hsm.pull()
            second = publish(stage, 2)
            await stage.hub.wait_for_log("token ward, key hub: cannot")
            stopped = await at_the_hub(stage, "stop")
            assert stopped is not None
            await until(lambda: all_open(stage), stage.hub.tail)
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                assert all_open(stage)
                await asyncio.sleep(0.02)
            assert (await at_the_hub(stage, "status"))["on_air"] is None
            assert (told(stage, first), told(stage, second)) == ([Event.ACCEPTED], [])

            # Put back: nothing was lost, nothing is there twice.
            hsm.put_back()
            await until(lambda: Event.AIRED in told(stage, second), stage.hub.tail)
            assert told(stage, first) == [Event.ACCEPTED, Event.PARTLY]
            assert told(stage, second) == [Event.ACCEPTED, Event.AIRED]
            assert_unbroken(stage.source.receipts)
            assert (await at_the_hub(stage, "audit", "verify"))["entries"] >= 6
            assert PIN not in stage.hub.log.read_text(encoding="utf-8")

            # A wrong PIN: the agent ends for good, as each start would be a try.
            await stage.hub.stop()
            hsm.set_pin(WRONG_PIN)
            started = await asyncio.to_thread(
                subprocess.run, [sys.executable, "-m", "ward_hub", "run", "--config", str(stage.hub.config)],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert started.returncode == os.EX_CONFIG
            assert "token ward, key hub: it refuses the PIN: correct" in started.stderr
            assert WRONG_PIN not in started.stderr
            hsm.set_pin(PIN)
            await stage.hub.start()
            third = publish(stage, 3)
            await until(lambda: told(stage, third) == [Event.ACCEPTED, Event.AIRED], stage.hub.tail)
            assert_unbroken(stage.source.receipts)
