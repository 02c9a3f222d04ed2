"""What README.md tells to do with mpremote, done: on MicroPython's unix port behind a pty, then again as an upgrade."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
import subprocess
import sysconfig
import tty
from typing import TYPE_CHECKING

import pytest

from ward_sim.devices.flash import KINDS, stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_S = 90


@contextlib.contextmanager
def prompt(micropython: str, files: Path) -> Iterator[str]:
    """A tty with a MicroPython prompt behind it whose file system is the directory `files`."""
    device, host = os.openpty()
    tty.setraw(host)
    process = subprocess.Popen(
        [micropython], cwd=files, env={}, stdin=device, stdout=device, stderr=device, start_new_session=True
    )
    try:
        yield os.ttyname(host)
    finally:
        process.kill()
        process.wait()
        os.close(device)
        os.close(host)


def differences(compared: filecmp.dircmp[str]) -> list[str]:
    found = [*compared.left_only, *compared.right_only, *compared.diff_files]
    return found + [name for below in compared.subdirs.values() for name in differences(below)]


@pytest.mark.parametrize("kind", KINDS)
def test_mpremote_puts_the_staged_tree_onto_a_board_twice(kind: str, tmp_path: Path, micropython: str) -> None:
    mpremote = shutil.which("mpremote", path=sysconfig.get_path("scripts"))
    if mpremote is None:
        pytest.skip("no mpremote: pip install mpremote")
    staged, files = tmp_path / "staged", tmp_path / "files"
    files.mkdir()
    stage(kind, staged, {})
    lib = staged / "lib"
    commands = [
        ["cp", "-r", str(lib / "ward_protocol"), str(lib / "ward_firmware"), ":lib"],
        ["cp", str(staged / "main.py"), ":main.py"],
    ]
    with prompt(micropython, files) as port:
        for command in [["mkdir", ":lib"], *commands, *commands]:
            done = subprocess.run(
                [mpremote, "connect", port, "resume", *command],
                capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
    assert differences(filecmp.dircmp(staged, files)) == []
