"""The agent's control socket: one line in, one line out, whatever comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ward_hub import control
from ward_hub.control import MAX_LINE, NAME, Control, ask
from ward_hub.errors import AgentDown, HubError


async def echo(asked: Mapping[str, Any]) -> object:
    return dict(asked)


async def refuse(asked: Mapping[str, Any]) -> object:
    raise HubError("it will not")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(Control(folder / NAME, {"echo": echo, "refuse": refuse}).run())
    async with asyncio.timeout(10):
        while not (folder / NAME).exists():
            await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def say(folder: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(folder / NAME)
    writer.write(line)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_it_is_asked_and_answers(tmp_path: Path) -> None:
    async with serving(tmp_path):
        assert await asyncio.to_thread(ask, tmp_path, "echo", word="ế") == {"do": "echo", "word": "ế"}
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


async def test_what_it_will_not_do_comes_back_in_its_words(tmp_path: Path) -> None:
    async with serving(tmp_path):
        with pytest.raises(HubError, match="it will not"):
            await asyncio.to_thread(ask, tmp_path, "refuse")


DEEP = 20_000


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\n",
        b"[]\n",
        b"1\n",
        b'{"do": "other"}\n',
        b"{}\n",
        b'{"do": ["echo"]}\n',
        b"[" * DEEP + b"]" * DEEP + b"\n",
        b'{"do":' * (DEEP // 4) + b"1" + b"}" * (DEEP // 4) + b"\n",
    ],
    ids=lambda line: line[:16].decode("latin-1"),
)
async def test_nonsense_is_told_so(tmp_path: Path, line: bytes) -> None:
    async with serving(tmp_path):
        assert "error" in json.loads(await say(tmp_path, line))
        assert await asyncio.to_thread(ask, tmp_path, "echo") == {"do": "echo"}


async def test_a_line_without_end_is_dropped(tmp_path: Path) -> None:
    async with serving(tmp_path):
        with contextlib.suppress(ConnectionError):
            assert await say(tmp_path, b"x" * (2 * MAX_LINE)) == b""
        assert await asyncio.to_thread(ask, tmp_path, "echo") == {"do": "echo"}


def test_no_agent_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(AgentDown, match="is it running"):
        ask(tmp_path, "echo")


async def test_the_socket_of_a_killed_agent_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    task = asyncio.create_task(Control(tmp_path / NAME, {"echo": echo}).run())
    async with asyncio.timeout(10):
        while not (tmp_path / NAME).is_socket():
            await asyncio.sleep(0.01)
    assert await asyncio.to_thread(ask, tmp_path, "echo") == {"do": "echo"}
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert not (tmp_path / NAME).exists()


async def test_what_takes_long_is_waited_for_as_long_as_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle on a slow stick; whoever asks for a status does not wait for it."""
    monkeypatch.setattr(control, "PATIENCE_S", 0.2)
    gate = asyncio.Event()

    async def slow(asked: Mapping[str, Any]) -> object:
        await gate.wait()
        return "done"

    task = asyncio.create_task(Control(tmp_path / NAME, {"slow": slow, "echo": echo}).run())
    async with asyncio.timeout(30):
        while not (tmp_path / NAME).exists():
            await asyncio.sleep(0.01)
        patient = asyncio.create_task(asyncio.to_thread(ask, tmp_path, "slow", patience=30.0))
        with pytest.raises(AgentDown):
            await asyncio.to_thread(ask, tmp_path, "slow", patience=0.1)
        assert await asyncio.to_thread(ask, tmp_path, "echo", patience=30.0) == {"do": "echo"}
        gate.set()
        assert await patient == "done"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
