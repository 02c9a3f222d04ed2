"""What docs/simulator.md says of outside tools: its program and its commands, run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.capability("mbpoll"), pytest.mark.usefixtures("micropython")]

DOC = Path(__file__).parents[2] / "docs" / "simulator.md"
BLOCK = re.compile(r"<!-- outside: (.+?) -->\n```(?:python|sh)\n(.*?)```\n", re.DOTALL)
GUARD_S = 60.0


async def test_mbpoll_on_a_controller_alone(tmp_path: Path) -> None:
    (name, program), (_, commands) = BLOCK.findall(DOC.read_text(encoding="utf-8"))
    (tmp_path / name).write_text(program, encoding="utf-8")
    controller = await asyncio.create_subprocess_exec(
        sys.executable, name, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert controller.stdout is not None
    try:
        async with asyncio.timeout(GUARD_S):
            line = (await controller.stdout.readline()).decode().strip()
        said = await _shell(commands, line)
    finally:
        controller.send_signal(signal.SIGINT)  # as Ctrl-C: it puts its temporary files away
        told, _ = await controller.communicate()
    assert "[5]: \t250" in said  # 25.0 degrees
    assert "[1]: \t1\n" in said  # the relay, closed
    assert said.rstrip().endswith("[9]: \t1")  # one trip
    assert told.decode().splitlines() == ["amp-1: relay 1 closed", "amp-1: relay 1 open"]


async def _shell(commands: str, line: str) -> str:
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euc", commands, env={**os.environ, "LINE": line},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(GUARD_S):
        said, _ = await shell.communicate()
    assert shell.returncode == 0, said.decode()
    return said.decode()
