"""The amplifier's own main loop, run by MicroPython, on a UART in virtual time: pauses inside a request.

Ref: MODBUS over Serial Line V1.02, section 2.5.1.1: a frame with a pause of more than t1.5 should be discarded.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.unit.firmware.ports import t15_us

from ward_firmware.amplifier.framing import t35_us
from ward_protocol.portable.crc16 import seal
from ward_sim.devices.flash import stage

LISTENING = Path(__file__).with_name("listening.py")
DEADLINE_S = 60
TURN_US = 60
CLOSE_SUPPLY = seal(bytes.fromhex("11 05 0000 FF00"))
TAKEN = f"{CLOSE_SUPPLY.hex()} 1 1 0"
SPOILT = "- 0 0 1"
BAUDS = (9600, 19200, 38400, 57600, 115200)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("flash")
    stage("amplifier", place, {})
    return place / "lib"


def heard(micropython: str, library: Path, cases: list[tuple[int, int, int, int]]) -> list[str]:
    """What becomes of the order for each (baud, microseconds of a turn, characters before the pause, its length)."""
    script = "".join(f"{baud} {turn} {CLOSE_SUPPLY.hex()} {after} {pause}\n" for baud, turn, after, pause in cases)
    done = subprocess.run(
        [micropython, str(LISTENING)],
        input=script, env={"MICROPYPATH": f"{library}:.frozen"}, capture_output=True, text=True, timeout=DEADLINE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.parametrize("baud", BAUDS)
def test_a_request_is_taken_with_any_pause_up_to_t15(micropython: str, library: Path, baud: int) -> None:
    cases = [(baud, TURN_US, after, pause) for after in range(1, 8) for pause in (0, t15_us(baud) // 2, t15_us(baud))]
    assert heard(micropython, library, cases) == [TAKEN] * len(cases)


@pytest.mark.parametrize("baud", BAUDS)
def test_a_request_with_a_longer_pause_is_passed_over(micropython: str, library: Path, baud: int) -> None:
    # A little longer, and nearly t3.5, which with the character behind it would be another thing: the end of a frame.
    pauses = (t15_us(baud) + 3 * TURN_US + 1, t35_us(baud) - 10_000_000 // baud - 2 * TURN_US)
    cases = [(baud, TURN_US, after, pause) for after in range(1, 8) for pause in pauses]
    assert heard(micropython, library, cases) == [SPOILT] * len(cases)


@pytest.mark.parametrize("baud", BAUDS)
def test_a_loop_that_is_late_spoils_nothing(micropython: str, library: Path, baud: int) -> None:
    # Its turns take longer than t1.5; some of them find several characters, and it cannot tell when each had come.
    cases = [(baud, turn, after, t15_us(baud)) for turn in (500, 1000, 1700) for after in range(1, 8)]
    assert heard(micropython, library, cases) == [TAKEN] * len(cases)
