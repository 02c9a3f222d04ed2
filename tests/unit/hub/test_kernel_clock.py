"""What the kernel says of its clock: read from the kernel that runs here, and told truly where it says nothing."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ward_hub.kernel_clock import UNSYNCHRONISED_US, KernelClock, boot_id
from ward_hub.released import RELEASED

ROOT = Path(__file__).parents[3]
# Ref: adjtimex(2): modes, offset, freq, maxerror, esterror, status; each a long, modes padded to one.
MAXERROR, STATUS = 3, 5
STA_UNSYNC = 0x40


def raw() -> list[int]:
    """The fields as this test reads them, with a layout of its own."""
    words = (ctypes.c_long * 64)()
    assert ctypes.CDLL(None).adjtimex(words) >= 0
    return list(words)


def test_it_is_what_this_kernel_says() -> None:
    fields = raw()
    said = KernelClock().synchronised()
    assert said == (fields[MAXERROR] < UNSYNCHRONISED_US)
    if fields[STATUS] & STA_UNSYNC == 0:
        assert said


@pytest.mark.parametrize(("maxerror", "synchronised"), [(0, True), (15_999_999, True), (16_000_000, False)])
def test_an_error_that_has_grown_to_its_limit_is_no_synchronised_clock(maxerror: int, synchronised: bool) -> None:
    def call(reference: object) -> int:
        reference._obj.maxerror = maxerror  # type: ignore[attr-defined] # what byref() was given
        return 5  # TIME_ERROR: chronyd without rtcsync leaves the flag set

    assert KernelClock(call).synchronised() is synchronised


@pytest.mark.parametrize("call", [None, lambda _reference: -1])
def test_a_kernel_that_does_not_tell_is_not_taken_for_one_that_denies(call: None) -> None:
    assert KernelClock(call).synchronised() is None


def test_a_run_of_the_machine_has_one_name_for_all_processes() -> None:
    code = "from ward_hub.kernel_clock import boot_id; print(boot_id())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert boot_id() == other.stdout.strip() != ""


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_where_it_has_none_nothing_can_be_gone_on_with(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "boot_id"
    if content is not None:
        file.write_bytes(content)
    assert boot_id(file) == ""


def test_the_release_does_not_lie_in_the_future() -> None:
    """Each hub takes this moment for past: one that is not would make it refuse the truth."""
    assert time.time() > RELEASED
    made = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if made.returncode == 0:  # a source distribution has no history
        assert int(made.stdout) > RELEASED
