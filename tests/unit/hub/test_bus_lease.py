"""`wardhub bus lease` as it is typed; what it does to a board is in tests/sim/hw/test_lease_proof.py."""

from __future__ import annotations

import json
import os

import pytest

from ward_hub.cli import bus_lease
from ward_hub.cli.main import main
from ward_hw.bus import ModbusBus
from ward_hw.errors import PeerError
from ward_hw.lease_proof import LeaseProof
from ward_hw.profile import AmplifierProfile

WORDS = ["bus", "lease", "--port", "/dev/ttyS9", "--unit", "3", "--relay", "15"]
BOARD = ["--profile", "waveshare/modbus-rtu-relay-16ch"]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[LeaseProof | PeerError]:
    """What the trial will find."""
    found: list[LeaseProof | PeerError] = []

    async def prove(bus: ModbusBus, unit: int, profile: AmplifierProfile, relay: int) -> LeaseProof:
        assert (bus.port, bus.baudrate, unit, profile.relays.count, relay) == ("/dev/ttyS9", 9600, 3, 16, 15)
        what = found.pop()
        if isinstance(what, PeerError):
            raise what
        return what

    monkeypatch.setattr(bus_lease, "prove_lease", prove)
    monkeypatch.setattr(bus_lease, "claim", lambda port, baudrate: None)  # ports are for tests/sim and tests/e2e
    return found


def test_a_board_that_is_proven(found: list[LeaseProof | PeerError], capsys: pytest.CaptureFixture[str]) -> None:
    found.append(LeaseProof(3.04, 3.1))
    assert main([*WORDS, *BOARD, "--lang", "en"]) == os.EX_OK
    assert capsys.readouterr().out.splitlines() == [
        "Closed for 3 s: it opened after 3.0 s",
        "The same, ordered again after 2 s: it opened after 3.1 s",
        "Proven: this board opens its relays by itself. Write lease_proven = true for its amplifier.",
    ]


def test_one_that_is_not(found: list[LeaseProof | PeerError], capsys: pytest.CaptureFixture[str]) -> None:
    found += [LeaseProof(3.0, None)] * 2
    assert main([*WORDS, *BOARD]) == os.EX_UNAVAILABLE
    said = capsys.readouterr().out
    assert "nó không ngắt" in said
    assert "Không đạt" in said
    assert main([*WORDS, *BOARD, "--json"]) == os.EX_UNAVAILABLE
    told = {"ordered_s": 3.0, "once_s": 3.0, "again_s": None, "proven": False}
    assert json.loads(capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("error", "profile", "status"),
    [
        (PeerError("unit 3", "prove the lease", "the relay does not close", remedy="check"), BOARD, os.EX_UNAVAILABLE),
        (None, ["--profile", "acme/relay"], os.EX_UNAVAILABLE),
        (None, [*BOARD, "--unit", "0"], os.EX_USAGE),
        (None, [*BOARD, "--unit", "248"], os.EX_USAGE),
        (None, [*BOARD, "--baud", "300"], os.EX_USAGE),
    ],
)
def test_what_hinders_it_is_one_line(
    found: list[LeaseProof | PeerError],
    capsys: pytest.CaptureFixture[str],
    error: PeerError | None,
    profile: list[str],
    status: int,
) -> None:
    found += [error] if error else []
    try:
        ended = main([*WORDS, *profile])
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == status
    assert capsys.readouterr().err.count("\n") == 1
