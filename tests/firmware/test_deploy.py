"""What README.md tells to do with mpremote, done: on MicroPython's unix port behind a pty, then again as an upgrade."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tty
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ward_firmware
from ward_sim.devices.flash import KINDS, TARGETS, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

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


README = Path(ward_firmware.__file__).parents[1] / "README.md"
BLOCK = re.compile(r"<!-- (deploy|compile): run by .+? -->\n```sh\n(.*?)```\n", re.DOTALL)
# The board is behind a pty, which mpremote does not find by itself, and has no USB that a reset would bring back.
SHELL = """
set -eu
python() { "$PYTHON" "$@"; }
mpremote() { [ "$1" = reset ] || "$MPREMOTE" connect "$PORT" resume "$@"; }
"""


def tool(name: str) -> str:
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        pytest.skip(f"no {name}: pip install {name}")
    return found


@pytest.mark.parametrize("compiled", [False, True])
def test_the_steps_of_the_readme_make_a_board_that_imports_its_firmware(
    compiled: bool, tmp_path: Path, micropython: str, mpy_cross: str
) -> None:
    blocks = dict(BLOCK.findall(README.read_text(encoding="utf-8")))
    layout, rest = blocks["deploy"].split("cd build/amplifier\n")
    script = f"{SHELL}{layout}cd build/amplifier\n{blocks['compile'] if compiled else ''}{rest}"
    files = tmp_path / "files"
    files.mkdir()
    with prompt(micropython, files) as port:
        paths = f"{Path(mpy_cross).parent}:{os.environ['PATH']}"
        environment = {
            **os.environ, "PATH": paths, "PORT": port, "MPREMOTE": tool("mpremote"), "PYTHON": sys.executable,
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=DEADLINE_S,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((files / "settings.json").read_text()) == {"unit": 17, "baud": 19200}
    kinds = {path.suffix for path in (files / "lib").rglob("*") if path.is_file()}
    assert kinds == {".mpy" if compiled else ".py"}
    program = "import ward_firmware.amplifier.core; from ward_firmware.amplifier.rp2040 import pins; print(pins.MODEL)"
    started = subprocess.run(
        [micropython, "-c", program],
        cwd=files, env={"MICROPYPATH": "lib:.frozen"}, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert started.stdout == "RP2040\n", started.stderr


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
def test_mpremote_puts_the_staged_tree_onto_a_board_twice(
    kind: str, target: str, tmp_path: Path, micropython: str
) -> None:
    mpremote = tool("mpremote")
    staged, files = tmp_path / "staged", tmp_path / "files"
    files.mkdir()
    stage(kind, staged, {}, target)
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
