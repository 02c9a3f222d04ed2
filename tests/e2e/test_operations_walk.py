"""The walk of docs/operations.md, from the first key ceremony to recovery, done as it stands there.

Its files, its commands, in order, against a source and a real hub.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.walks import environment, free_port

from ward_sim.ward import load
from ward_sim.world import World

DOC = Path(__file__).parents[2] / "docs" / "operations.md"
CHAPTER = re.compile(r"^## From the first key ceremony to recovery\n(.*?)^## ", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"<!-- walk: (.+?) -->(?:\n```\w+\n(.*?)```\n)?", re.DOTALL)
BLOCK = re.compile(r"^```\w+\n", re.MULTILINE)
PORT = "5691"
GUARD_S = 90.0


@dataclass(slots=True)
class Beside:
    """A program that runs beside the walk: what starts it, and how far its output was read."""

    script: str
    log: Path
    read: int = 0
    process: asyncio.subprocess.Process | None = None


@dataclass(slots=True)
class Walk:
    """A walk in `folder`."""

    folder: Path
    environment: dict[str, str]
    programs: dict[str, Beside] = field(default_factory=dict)

    async def step(self, order: str, content: str) -> None:
        """Do what a mark in the document asks for."""
        what, _, rest = order.partition(" ")
        match what:
            case "run":
                await self._run(content)
            case "file":
                (self.folder / rest).write_text(content, encoding="utf-8")
            case "beside":
                self.programs[rest] = Beside(content.strip(), self.folder / f"{rest}.log")
                await self._start(self.programs[rest])
            case "until":
                name, _, words = rest.partition(": ")
                await self._until(self.programs[name], words)
            case "stop":
                await self.stop(self.programs[rest])
            case "start":
                await self._start(self.programs[rest])
            case "restart":
                await self.stop(self.programs[rest])
                await self._start(self.programs[rest])
            case _:
                pytest.fail(f"the document has a mark that nobody knows: {order}")

    async def stop(self, one: Beside) -> None:
        """End a program as Ctrl-C does."""
        if one.process is not None and one.process.returncode is None:
            one.process.terminate()
            async with asyncio.timeout(GUARD_S):
                await one.process.wait()

    async def _run(self, script: str) -> None:
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euc", script, cwd=self.folder, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(GUARD_S):
            said, _ = await shell.communicate()
        assert shell.returncode == 0, f"{script}\n{said.decode()}\n{self._tails()}"
        assert b"Traceback" not in said, said.decode()

    async def _start(self, one: Beside) -> None:
        with one.log.open("ab") as out:
            # exec: no shell between us and the program that is to be ended
            one.process = await asyncio.create_subprocess_exec(
                "bash", "-euc", f"exec {one.script}", cwd=self.folder, env=self.environment, stdout=out, stderr=out
            )

    async def _until(self, one: Beside, words: str) -> None:
        """Wait until a program says `words`, after what was waited for before."""
        try:
            async with asyncio.timeout(GUARD_S):
                while (found := one.log.read_text(encoding="utf-8").find(words, one.read)) < 0:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"it did not come to {words!r}\n{self._tails()}")
        one.read = found + len(words)

    def _tails(self) -> str:
        return "\n".join(
            f"{name}:\n{one.log.read_text(encoding='utf-8')[-3000:]}" for name, one in self.programs.items()
        )


def steps() -> list[tuple[str, str]]:
    """The marks of the chapter, each with what stands in the block behind it."""
    match = CHAPTER.search(DOC.read_text(encoding="utf-8"))
    assert match is not None
    return STEP.findall(match[1])


def test_every_block_of_the_chapter_is_part_of_the_walk() -> None:
    match = CHAPTER.search(DOC.read_text(encoding="utf-8"))
    assert match is not None
    assert sum(bool(content) for _, content in steps()) == len(BLOCK.findall(match[1]))


@pytest.mark.capability("espeak-ng")
async def test_the_walk_of_the_documentation(tmp_path: Path) -> None:
    folder = tmp_path / "walk"
    (folder / "dev").mkdir(parents=True)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            World(load(), folder / "station" / "heard.wav", lambda _kind, _vi, _en: None)
        )
        (folder / "dev" / "line").symlink_to(world.ports["line"])
        (folder / "dev" / "board").symlink_to(world.ports["board-1"])
        group = await stack.enter_async_context(asyncio.TaskGroup())
        listening = group.create_task(world.listen())
        stack.callback(listening.cancel)
        walk = Walk(folder, environment(tmp_path))
        try:
            port = free_port()
            for order, content in steps():
                await walk.step(order, content.replace(PORT, port))
        finally:
            for one in walk.programs.values():
                await walk.stop(one)
        assert "Traceback" not in walk.programs["hub"].log.read_text(encoding="utf-8")
        assert not any(any(one.relays) for one in world.amplifiers.values())
