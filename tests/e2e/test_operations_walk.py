"""The walk of docs/operations.md, from a key to a receipt, done as it stands there: files, commands, in order."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.walks import environment, free_port

DOC = Path(__file__).parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"<!-- walk: (.+?) -->\n```(\w+)\n(.*?)```\n", re.DOTALL)
PORT = "5690"
GUARD_S = 60.0


@dataclass(slots=True)
class Walk:
    """A walk in `folder`; programs that are to run beside it stay up until its end."""

    folder: Path
    environment: dict[str, str]
    logs: list[Path] = field(default_factory=list)

    async def run(self, script: str) -> None:
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euc", script, cwd=self.folder, env=self.environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(GUARD_S):
            said, _ = await shell.communicate()
        assert shell.returncode == 0, f"{script}\n{said.decode()}"

    @contextlib.asynccontextmanager
    async def beside(self, script: str) -> AsyncIterator[None]:
        log = self.folder / f"beside-{len(self.logs)}.log"
        self.logs.append(log)
        with log.open("wb") as out:
            # exec: no shell between us and the program that is to be ended
            command = ("bash", "-euc", f"exec {script}")
            process = await asyncio.create_subprocess_exec(
                *command, cwd=self.folder, env=self.environment, stdout=out, stderr=out
            )
        try:
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(GUARD_S):
                await process.wait()

    async def until(self, words: str) -> None:
        """Wait until one of the programs beside says `words`."""
        async with asyncio.timeout(GUARD_S):
            while not any(words in log.read_text(encoding="utf-8") for log in self.logs):
                await asyncio.sleep(0.05)


async def test_the_walk_of_the_documentation(tmp_path: Path) -> None:
    blocks = BLOCK.findall(DOC.read_text(encoding="utf-8").replace(PORT, free_port()))
    assert len(blocks) == 13, "a block of the walk has lost its mark"
    folder = tmp_path / "walk"
    folder.mkdir()
    walk = Walk(folder, environment(tmp_path))
    async with contextlib.AsyncExitStack() as stack:
        for mark, language, content in blocks:
            if language != "sh":
                (folder / mark).write_text(content, encoding="utf-8")
            elif mark == "beside":
                await stack.enter_async_context(walk.beside(content))
            else:
                if walk.logs:
                    await walk.until("grants 1 are in force")
                await walk.run(content)
        await walk.until("not-aired")
        await walk.until("event=<Event.NOT_AIRED")
        await walk.until("of office: silence: silence: all until ")
        await walk.until("event=<Event.CARRIED_OUT")
