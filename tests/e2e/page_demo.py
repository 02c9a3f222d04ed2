"""Play the snapshot story on the live page, to look at it: `python -m tests.e2e.page_demo [--shots DIR]`.

Without `--shots` the story repeats until Ctrl-C. With it, some moments are photographed at three sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e import page_story
from tests.e2e.browser import chromium

from ward_sim.page import PageServer

if TYPE_CHECKING:
    from collections.abc import Callable

MOMENTS = {"start": 1.5, "normal": 21.0, "emergency": 49.3, "offline": 80.0, "end": 119.0}
SIZES = {"1280x800": (1280, 800), "1440x900": (1440, 900), "1920x1080": (1920, 1080)}


class Clock:
    """The story's time, which a demo may set."""

    def __init__(self) -> None:
        self.t = 0.0

    def snapshot(self) -> dict[str, Any]:
        return page_story.snapshot(self.t)


async def play(port: int) -> None:
    """Repeat the story on the page."""
    clock = Clock()
    started = asyncio.get_running_loop().time()
    async with PageServer(clock.snapshot, port=port) as server:
        print(f"{server.url} (Ctrl-C ends)", flush=True)
        while True:
            clock.t = (asyncio.get_running_loop().time() - started) % (page_story.SCRIPT["length_s"] + 10)
            server.poke()
            await asyncio.sleep(0.05)


async def run_to(moment: float, clock: Clock, poke: Callable[[], None]) -> None:
    """Play the last two seconds before a moment, so that the meters move."""
    for step in range(20, -1, -1):
        clock.t = moment - step / 10
        poke()
        await asyncio.sleep(0.1)


async def photograph(folder: Path, language: str, scale: float) -> None:
    """Write MOMENT-SIZE.png into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    async with PageServer(clock.snapshot) as server, chromium() as browser:
        for size, (width, height) in SIZES.items():
            page = await browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
            page.on("console", lambda message: print("console:", message.text))
            page.on("pageerror", lambda error: print("error:", error))
            await page.goto(f"{server.url}?lang={language}")
            await page.wait_for_selector("body[data-drawn]", state="attached")
            for name, moment in MOMENTS.items():
                await run_to(moment, clock, server.poke)
                await page.screenshot(path=folder / f"{name}-{size}.png")
            await page.close()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    parser.add_argument("--lang", default="vi", choices=["vi", "en"])
    parser.add_argument("--scale", type=float, default=1.0, help="device pixels per CSS pixel")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        if options.shots:
            asyncio.run(photograph(options.shots, options.lang, options.scale))
        else:
            asyncio.run(play(options.port))


if __name__ == "__main__":
    main()
