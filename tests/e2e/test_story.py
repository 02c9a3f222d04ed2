"""The main job, as a user runs it: the simulator plays its story, seen in its report, its table and its live page."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.e2e.browser import chromium, chromium_path

GUARD_S = 400
# Where the pictures of the three moments go; build/ is not kept in git.
PICTURES = Path(os.environ.get("WARD_PICTURES", "build/pictures"))
LIT = re.compile("[1-9]")


async def launch(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ward_sim", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )


async def read_until(process: asyncio.subprocess.Process, pattern: str) -> tuple[str, str]:
    """Read lines until one matches; return what matched and all that was read."""
    assert process.stdout is not None
    read = ""
    while line := (await process.stdout.readline()).decode():
        read += line
        if found := re.search(pattern, line):
            return found.group(), read
    pytest.fail(f"ended without {pattern!r}:\n{read}")


class Watcher:
    """A browser on the live page; where there is no Chromium it watches nothing."""

    def __init__(self, page: Page | None) -> None:
        self.page = page

    async def moment(self, name: str, phase: str) -> None:
        """Wait for a phase, look for what must be seen in it, and keep a picture."""
        if self.page is None:
            return
        page = self.page
        await expect(page.locator("#phase")).to_have_text(phase, timeout=120_000)
        if name != "end":
            await expect(page.locator(".relay[data-on=true]").first).to_be_visible(timeout=30_000)
            await expect(page.locator("#board-wall")).to_contain_text(LIT, timeout=30_000)
        PICTURES.mkdir(parents=True, exist_ok=True)
        await page.wait_for_timeout(4000 if name != "end" else 500)
        await page.screenshot(path=PICTURES / f"{name}.png")


@pytest.mark.capability("espeak-ng")
async def test_the_story_happens_and_is_seen(tmp_path: Path) -> None:
    report, kept = tmp_path / "report.json", tmp_path / "kept"
    async with asyncio.timeout(GUARD_S), AsyncExitStack() as stack:
        sim = await launch("--serve", "--report", str(report), "--keep", str(kept), "--port", "0")
        stack.push_async_callback(stop, sim)
        url, before = await read_until(sim, r"http://\S+")
        watcher = Watcher(await open_page(stack, url))
        await watcher.moment("normal", "Bình thường")
        await watcher.moment("emergency", "Khẩn cấp")
        _, told = await read_until(sim, "Ctrl-C")
        await watcher.moment("end", "Kết thúc")
        if watcher.page is not None:
            await expect(watcher.page.locator("#story-count")).to_have_text("10/10 bước đạt")
            await expect(watcher.page.locator("#receipt-count")).to_have_text("5/5 biên nhận")
            await expect(watcher.page.locator(".relay[data-on=true]")).to_have_count(0)
        sim.send_signal(signal.SIGINT)
        assert await sim.wait() == 0, before + told
    assert_all_happened(json.loads(report.read_text(encoding="utf-8")))
    assert "Lũ khẩn cấp" in before + told
    log = (kept / "hub.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "stopped: relays open, boards dark" in log


async def open_page(stack: AsyncExitStack, url: str) -> Page | None:
    if chromium_path() is None and not os.environ.get("WARD_REQUIRE_CAPABILITIES"):
        return None
    browser = await stack.enter_async_context(chromium())
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(url)
    return page


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.communicate()


def assert_all_happened(facts: dict[str, Any]) -> None:
    assert facts["good"]
    assert [step["ok"] for step in facts["steps"]] == [True] * len(facts["steps"])
    assert not any(facts["problems"].values())
    outcomes = [(one["decision"], one["outcome"], one["reason"]) for one in facts["bulletins"]]
    assert outcomes == [
        ("accepted", "aired", None),
        ("accepted", "aired", None),
        ("refused", "refused", "unknown-key"),
        ("refused", "refused", "replayed"),
        ("accepted", "aired", None),
    ]


def test_a_ward_file_with_an_unknown_key_is_one_clear_line(tmp_path: Path) -> None:
    ward = tmp_path / "ward.toml"
    ward.write_text("seed = 1\ncolour = 'red'\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "ward_sim", "--ward", str(ward)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 78
    assert run.stderr.count("\n") == 1
    assert "colour" in run.stderr
