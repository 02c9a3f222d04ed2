"""What holds for every test: nothing may outlive it, property tests repeat, absent programs skip by name.

After each test, its fixtures included, these must be gone: asyncio tasks, child processes, threads, open
files, sockets and ptys. Whatever is left fails the test that left it, by name.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

# How long something that is already ending may take: a hang guard, not a measure.
GRACE_S = 2.0

_FD_DIRECTORY = Path("/proc/self/fd")

# What the interpreter and libraries open once and keep: no test owns them.
_KEPT_OPEN = ("/dev/null", "/dev/urandom", "/dev/random", "/proc/", "/sys/", "/usr/", "/etc/")

hypothesis.settings.register_profile(
    "wardhub",
    print_blob=True,  # a failure on another machine can be replayed here
    deadline=None,  # this machine's load says nothing about the code
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "thorough",  # for a night: WARD_HYPOTHESIS=thorough ./ward test tests/property
    hypothesis.settings.get_profile("wardhub"),
    max_examples=2000,
)
hypothesis.settings.load_profile(os.environ.get("WARD_HYPOTHESIS", "wardhub"))

# Debian package of each program that a test may name, where it is called otherwise.
_PACKAGES = {"coap-client": "libcoap3-bin", "coap-client-notls": "libcoap3-bin", "softhsm2-util": "softhsm2"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose outside program is missing, or fail it where WARD_REQUIRE_CAPABILITIES is set."""
    for marker in item.iter_markers("capability"):
        for program in marker.args:
            if shutil.which(program) is None:
                reason = f"no {program} on this machine: apt-get install {_PACKAGES.get(program, program)}"
                if os.environ.get("WARD_REQUIRE_CAPABILITIES"):
                    pytest.fail(reason)
                pytest.skip(reason)


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Fail on a file, socket, pty, thread or child process that outlives the test and its fixtures."""
    before = _resources()
    yield
    left = _settled(lambda: {key: what for key, what in _resources().items() if key not in before})
    if left:
        pytest.fail("left behind by this test: " + ", ".join(sorted(left.values())), pytrace=False)


@pytest.fixture(autouse=True)
def _nothing_left_running(request: pytest.FixtureRequest, _nothing_left_open: None) -> None:
    """Put `_no_task_left` under every asynchronous test, before any fixture of its own."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_no_task_left")


@pytest_asyncio.fixture
async def _no_task_left() -> AsyncIterator[None]:
    """Fail on an asyncio task that outlives the test and its fixtures; the loop would cancel it silently."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    pending = (await asyncio.wait(left, timeout=GRACE_S))[1] if left else set()
    if pending:
        names = ", ".join(sorted(map(_task_name, pending)))
        pytest.fail(f"tasks left running by this test: {names}", pytrace=False)


def _task_name(task: asyncio.Task[object]) -> str:
    code = getattr(task.get_coro(), "__qualname__", repr(task.get_coro()))
    return f"{task.get_name()} ({code})"


def _settled(left: Callable[[], dict[object, str]]) -> dict[object, str]:
    """What is left after garbage collection and, only if something is, after a grace for what is ending."""
    remaining = left()
    deadline = time.monotonic() + GRACE_S
    while remaining and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
        remaining = left()
    return remaining


def _resources() -> dict[object, str]:
    return {**_open_files(), **_threads(), **_children()}


def _open_files() -> dict[object, str]:
    """Open descriptors as {(number, target): words}; empty where there is no /proc."""
    found: dict[object, str] = {}
    for entry in _FD_DIRECTORY.iterdir() if _FD_DIRECTORY.exists() else ():
        try:
            target = str(entry.readlink())
        except OSError:  # the descriptor of the directory listing itself
            continue
        if not target.startswith(_KEPT_OPEN):
            found[entry.name, target] = f"file descriptor {entry.name} ({target})"
    return found


def _threads() -> dict[object, str]:
    return {thread: f"thread {thread.name}" for thread in threading.enumerate()}


def _children() -> dict[object, str]:
    """Child processes as {pid: words}, zombies included: who starts a process waits for it."""
    found: dict[object, str] = {}
    for children in Path("/proc/self/task").glob("*/children"):
        try:
            pids = children.read_text().split()
        except OSError:  # a thread that ended while we looked
            continue
        for pid in pids:
            command = Path("/proc", pid, "cmdline")
            words = command.read_text().replace("\0", " ").strip() if command.exists() else ""
            found[pid] = f"process {pid} ({words or 'ended, not waited for'})"
    return found
