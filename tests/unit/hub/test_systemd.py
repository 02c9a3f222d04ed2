"""Telling systemd, over a real socket of its kind; and that nobody listening never stops the agent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from ward_hub.systemd import notify, watchdog


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "notify"))
        one.settimeout(10)
        yield one


def test_the_unit_lets_the_agent_ask_whether_ntp_keeps_the_clock() -> None:
    lines = (files("ward_hub") / "data" / "wardhub.service").read_text(encoding="utf-8").splitlines()
    filters = [line.partition("=")[2] for line in lines if line.startswith("SystemCallFilter=")]
    assert filters.index("adjtimex clock_adjtime clock_adjtime64") > filters.index("~@privileged")
    assert "CapabilityBoundingSet=" in lines  # so they can set nothing
    assert not any(line.startswith("ProtectClock=") for line in lines)


def test_a_state_arrives(manager: socket.socket) -> None:
    notify("READY=1", {"NOTIFY_SOCKET": manager.getsockname()})
    assert manager.recv(100) == b"READY=1"


def test_an_abstract_socket_is_reached_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind("\0wardhub-test")
        one.settimeout(10)
        notify("STOPPING=1", {"NOTIFY_SOCKET": "@wardhub-test"})
        assert one.recv(100) == b"STOPPING=1"


def test_without_systemd_nothing_is_sent() -> None:
    notify("READY=1", {})


@pytest.mark.parametrize("name", ["/nowhere/notify", "@nobody-listens", "x" * 200])
def test_a_socket_that_is_gone_is_reported_and_nothing_more(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The agent says STOPPING before it opens the relays: it must get to that."""
    notify("STOPPING=1", {"NOTIFY_SOCKET": name})
    assert "systemd was not told STOPPING=1" in caplog.text


def test_a_socket_that_nobody_empties_holds_nothing_up(manager: socket.socket) -> None:
    for _ in range(2000):
        notify("WATCHDOG=1", {"NOTIFY_SOCKET": manager.getsockname()})


async def test_the_watchdog_is_told_again_and_again(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "20000"}
    task = asyncio.create_task(watchdog(environ))
    manager.setblocking(False)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        for _ in range(3):
            assert await loop.sock_recv(manager, 100) == b"WATCHDOG=1"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "0"}])
async def test_without_a_watchdog_nothing_runs(environ: dict[str, str]) -> None:
    async with asyncio.timeout(10):
        await watchdog(environ)
