"""Leak checks of tests/conftest.py: each kind of thing a test can leave behind is seen to fail it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]

# One leaking test file: what each test leaves behind, and the words its failure must hold.
LEAKS = '''"""Leaks on purpose."""
import asyncio, os, socket, subprocess, threading, time
import pytest

held = []

@pytest.fixture
async def starts_a_task():
    held.append(asyncio.create_task(asyncio.sleep(9), name="fx7"))

@pytest.fixture
async def ends_its_task():
    task = asyncio.create_task(asyncio.sleep(9))
    yield
    task.cancel()

def test_file():
    held.append(open(__file__, "rb"))

def test_collected_file():
    open(__file__, "rb")

def test_socket():
    held.append(socket.socket())

def test_pty():
    held.append(os.openpty())

def test_process():
    held.append(subprocess.Popen(["sleep", "9"]))

def test_thread():
    threading.Thread(target=time.sleep, args=(9,), name="late", daemon=True).start()

async def test_task():
    held.append(asyncio.create_task(asyncio.sleep(9), name="x9"))

async def test_task_of_a_fixture(starts_a_task):
    pass

async def test_tidy(ends_its_task, tmp_path):
    with socket.socket(), open(tmp_path / "x", "w"):
        await asyncio.to_thread(time.sleep, 0)
        process = await asyncio.create_subprocess_exec("true")
        await process.wait()

@pytest.mark.capability("no-such-program")
def test_absent_program():
    pass

def teardown_module():
    subprocess.Popen.kill(next(kept for kept in held if isinstance(kept, subprocess.Popen)))
'''

FAILURES = {
    "test_file": "file descriptor",
    "test_collected_file": "ResourceWarning",
    "test_socket": "socket:",
    "test_pty": "/dev/p",
    "test_process": "sleep 9",
    "test_thread": "thread late",
    "test_task": "x9",
    "test_task_of_a_fixture": "fx7",
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run the leaking file under our conftest, with a short grace; give what pytest said."""
    folder = tmp_path_factory.mktemp("leaks")
    conftest = (TOP / "tests" / "conftest.py").read_text(encoding="utf-8")
    shortened, changes = re.subn(r"(?m)^GRACE_S = .*$", "GRACE_S = 0.2", conftest)
    assert changes == 1
    (folder / "conftest.py").write_text(shortened, encoding="utf-8")
    (folder / "test_leaks.py").write_text(LEAKS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", str(TOP / "pyproject.toml"), "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, f"--rootdir={folder}", "--verbose", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize(("test", "words"), FAILURES.items(), ids=FAILURES)
def test_a_leak_fails_the_test_that_made_it(test: str, words: str, outcome: str) -> None:
    blamed = re.findall(rf"^(?:ERROR|FAILED) \S+::{test}\b.*", outcome, re.MULTILINE)
    assert blamed, outcome
    section = re.search(rf"^_+ (?:ERROR at \w+ of )?{test} _+\n(.*?)(?=^_+ |^=+ )", outcome, re.MULTILINE | re.DOTALL)
    assert section, outcome
    assert words in section[1]


def test_what_is_put_away_in_time_passes(outcome: str) -> None:
    assert re.search(r"::test_tidy PASSED", outcome)
    assert not re.search(r"^(?:ERROR|FAILED) .*test_tidy", outcome, re.MULTILINE)


def test_an_absent_program_is_named_in_the_skip(outcome: str) -> None:
    assert re.search(r"SKIPPED.*no no-such-program on this machine: apt-get install", outcome)
