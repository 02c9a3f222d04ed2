"""The `ward` script where something is wrong or missing: one clear line and a status, from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

import pytest

TOP = Path(__file__).parents[2]

# Answers as a Debian python3 without the package python3-venv does.
PYTHON_WITHOUT_VENV = """#!/bin/sh
case "$*" in
    *ensurepip*) exit 1 ;;
    *executable*) echo "$0" ;;
    *venv*) echo python3.11-venv ;;
esac
"""


class Ward(Protocol):
    """Runs the script with these arguments and environment variables."""

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    """Give a function that runs a copy of the script, in a checkout with a space in its path, without apt."""
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    for name in ("ward", "pyproject.toml", "tox.ini", "hatch_build.py"):
        shutil.copy(TOP / name, checkout)

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [checkout / "ward", *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "WARD_NO_SYSTEM": "1", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_help_names_every_command(ward: Ward) -> None:
    ran = ward("--help")
    assert ran.returncode == os.EX_OK
    assert all(f"./ward {command}" in ran.stdout for command in ("sim", "test", "bench"))
    assert ran.stderr == ""


@pytest.mark.parametrize("arguments", [(), ("tset",), ("--version",)])
def test_wrong_usage_is_told_on_stderr(arguments: tuple[str, ...], ward: Ward) -> None:
    ran = ward(*arguments)
    assert (ran.returncode, ran.stdout) == (os.EX_USAGE, "")
    assert ran.stderr.startswith("Usage: ./ward")


def test_an_unusable_interpreter_is_named(ward: Ward) -> None:
    ran = ward("sim", WARD_PYTHON="/bin/false")
    assert ran.returncode == os.EX_UNAVAILABLE
    assert "WARD_PYTHON=/bin/false is not Python 3.11 or newer" in ran.stderr


def test_without_venv_the_package_to_install_is_named(tmp_path: Path, ward: Ward) -> None:
    python = tmp_path / "python"
    python.write_text(PYTHON_WITHOUT_VENV)
    python.chmod(0o755)
    ran = ward("sim", WARD_PYTHON=str(python))
    assert ran.returncode == os.EX_UNAVAILABLE
    assert "as root: apt-get install python3.11-venv" in ran.stderr


def test_what_is_missing_and_what_that_costs_is_said(tmp_path: Path, ward: Ward) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "readlink", "cksum", "cat", "mkdir", "flock", "id", "rm", "grep"):
        (programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    ran = ward("test", PATH=str(programs))
    assert ran.returncode == os.EX_UNAVAILABLE
    assert "missing system package espeak-ng; without it: " in ran.stderr
    assert "missing system package chromium; without it: " in ran.stderr
    assert "no Python 3.11 or newer found" in ran.stderr
