"""Whoever seals messages is killed with SIGKILL while it does, many times over: no number is used twice.

What was used is read from the wire, where an attacker would read it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.oscore_peer import Datagram

ROOT = Path(__file__).parents[2]
GUARD_S = 120.0
KILLS = 40


def used(folder: Path, user: str, kills: int, seed: int, number: Callable[[bytes], bytes]) -> list[int]:
    """Let it live and be killed so often; return what was used, in order."""
    found: list[int] = []

    def listen() -> None:
        while True:
            data = sink.recv(65_536)
            if not data:
                return
            found.append(int.from_bytes(number(data), "big"))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        sink.bind(("127.0.0.1", 0))
        listener = threading.Thread(target=listen)
        listener.start()
        try:
            command = [sys.executable, "-m", "tests.fault.number_user", str(folder), str(sink.getsockname()[1])]
            done = subprocess.run(
                [*command, str(kills), str(seed), user],
                cwd=ROOT, capture_output=True, text=True, timeout=GUARD_S, check=False,
            )  # fmt: skip
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", sink.getsockname())
            listener.join()
    assert done.returncode == 0, done.stderr
    return found


def piv(data: bytes) -> bytes:
    return Datagram.parse(data).piv


@pytest.mark.parametrize(("user", "seed"), [("hub", 1), ("hub", 2), ("source", 3)])
def test_no_number_is_used_twice(tmp_path: Path, user: str, seed: int) -> None:
    numbers = used(tmp_path, user, KILLS, seed, piv if user == "hub" else bytes)
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 2 * KILLS  # what was killed was busy
    gaps = sum(after > before + 1 for before, after in pairwise(numbers))
    assert gaps > KILLS / 8  # and often in the middle of a block: what is left of that is never used


def test_one_that_is_written_down_too_late_is_found_out(tmp_path: Path) -> None:
    """The check itself: numbers that are written down after they were used are used again."""
    numbers = used(tmp_path, "late", 15, 4, piv)
    assert len(set(numbers)) < len(numbers)
