"""A source serves everything that it should not: each is refused with its reason, and the next good bulletin airs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.statements import STRANGER

from ward_protocol import cbor
from ward_protocol.envelope import sign
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import Audience, Audio, Bulletin, Event, Priority, Receipt, StatementType, Status, Text
from ward_sim.offices import WARD
from ward_sim.stage import Stage
from ward_sim.ward import load

GUARD_S = 60
NOISE = b"this is no sound" * 64
GOOD = 10


def bulletin(stage: Stage, sequence: int, **changes: object) -> Bulletin:
    now = int(time.time())
    plain = Bulletin(
        issuer=WARD,
        sequence=sequence,
        issued=now,
        not_before=now,
        expires=now + 600,
        audience=Audience((stage.ward.area,), boards=("none",)),
        priority=Priority.NORMAL,
        status=Status.ACTUAL,
        texts=(Text("vi", "Thử", "Một hai ba."),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def with_an_unknown_field(stage: Stage, sequence: int) -> bytes:
    signer = stage.offices.author(WARD)
    body = cbor.encode({16: int(StatementType.BULLETIN)})
    payload = cbor.encode(to_map(bulletin(stage, sequence)) | {99: "?"})
    own = cbor.encode({1: -8, 4: signer.kid})
    signature = signer.sign(cbor.encode(["Signature", body, own, b"", payload]))
    return b"\xd8\x62" + cbor.encode([body, {}, payload, [[own, {}, signature]]])


def bad_ones(stage: Stage) -> list[tuple[Reason, bytes]]:
    """Return what the source serves, in its feed's order from 1 on."""
    signer = [stage.offices.author(WARD)]
    broken = stage.source.put_media(NOISE)
    past = int(time.time()) - 100
    unsound = Audio(broken, len(NOISE), "audio/ogg", 1000)
    return [
        (Reason.MALFORMED_CBOR, sign(bulletin(stage, 1), signer)[:-20]),
        (Reason.UNKNOWN_FIELD, with_an_unknown_field(stage, 2)),
        (Reason.UNKNOWN_KEY, sign(bulletin(stage, 3), [STRANGER])),
        (Reason.EXPIRED, sign(bulletin(stage, 4, not_before=past - 9, expires=past), signer)),
        (Reason.CHARACTER_NOT_IN_FONT, sign(bulletin(stage, 5, texts=(Text("vi", "Thử", "漢字"),)), signer)),
        (Reason.TOO_LARGE, b"\xd8\x62" + bytes(10_000_000)),
        (Reason.AUDIO_NOT_DECODABLE, sign(bulletin(stage, 7, audio=(unsound,)), signer)),
        (Reason.AREA_NOT_GRANTED, sign(bulletin(stage, 8, audience=Audience(("vn",))), signer)),
        (Reason.NOT_FOR_THIS_HUB, sign(bulletin(stage, 9, audience=Audience((stage.ward.area,), ("other",))), signer)),
    ]


async def until(true: Callable[[], bool], what: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(GUARD_S):
            while not true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(what())


@pytest.mark.capability("espeak-ng")
async def test_everything_bad_is_refused_with_its_reason_and_the_good_one_airs(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        expected = bad_ones(stage)
        for sequence, (_, data) in enumerate(expected, 1):
            stage.source.inject(WARD, sequence, data)
        stage.source.inject(WARD, GOOD, sign(bulletin(stage, GOOD), [stage.offices.author(WARD)]))

        def refused() -> list[Receipt]:
            return [one for one in stage.source.receipts if one.event is Event.REFUSED]

        def aired() -> bool:
            return any(one.event is Event.AIRED for one in stage.source.receipts)

        await until(lambda: len(refused()) >= len(expected) and aired(), stage.hub.tail)
        assert sorted(one.reason for one in refused() if one.reason) == sorted(reason for reason, _ in expected)
        log = stage.hub.log.read_text(encoding="utf-8")
        for reason, _ in expected:
            assert reason.word in log
        assert "Traceback" not in log
        assert stage.hub.up
        assert stage.hub.restarts == 0


def wardhub(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ward_hub", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.capability("espeak-ng")
async def test_from_a_draft_to_the_loudspeaker_by_the_command_line(tmp_path: Path) -> None:
    draft = tmp_path / "draft.toml"
    draft.write_text('boards = ["none"]\n[[text]]\ntitle = "Thử"\nbody = "Một hai ba."\n', encoding="utf-8")
    async with Stage(load(), tmp_path / "hub") as stage:
        key, signed = tmp_path / "ward.key", tmp_path / "bulletin.cose"
        key.touch(mode=0o600)
        key.write_bytes(stage.offices.author(WARD).to_pem())
        words = ("--issuer", WARD, "--sequence", "1", "--area", stage.ward.area, "--key", key, "--out", signed)
        made = await asyncio.to_thread(wardhub, "sign", draft, *words)
        assert made.returncode == 0, made.stderr
        (tmp_path / "root.cose").write_bytes(stage.offices.root())
        (tmp_path / "grants.cose").write_bytes(stage.offices.grants())
        trusted = ("--root", tmp_path / "root.cose", "--grants", tmp_path / "grants.cose", "--json")
        seen = await asyncio.to_thread(wardhub, "inspect", signed, *trusted)
        assert seen.returncode == 0, seen.stdout
        assert json.loads(seen.stdout)["verifies"]
        host, port = stage.source.address
        sent = await asyncio.to_thread(wardhub, "publish", signed, "--to", f"coap://{host}:{port}")
        assert sent.returncode == 0, sent.stderr
        await until(lambda: any(one.event is Event.AIRED for one in stage.source.receipts), stage.hub.tail)
        forged = tmp_path / "forged.cose"
        forged.write_bytes(sign(bulletin(stage, 2), [STRANGER]))
        again = await asyncio.to_thread(wardhub, "publish", forged, "--to", f"coap://{host}:{port}")
        assert again.returncode == 77
        assert again.stderr.count("\n") == 1
