"""What the walks through the documentation have in common: where their commands run, and on which port."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from pathlib import Path


def environment(folder: Path) -> dict[str, str]:
    """PATH with this interpreter as `python`, and its own `wardhub` in front, installed or not."""
    programs = folder / "bin"
    programs.mkdir()
    # Scripts and not links: an interpreter that is called by a link elsewhere does not find its environment.
    for name, words in (("python", ""), ("wardhub", "-m ward_hub ")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words}"$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def free_port() -> str:
    """Return the number of a UDP port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])
