"""`./ward sim`: the simulated ward, its live page, and the story."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from ward_sim.announcer import AnnouncerError
from ward_sim.cases import row
from ward_sim.page import PageServer
from ward_sim.stage import Stage
from ward_sim.story import LENGTH_S, Story
from ward_sim.terminal import Terminal, print_table
from ward_sim.ward import DEFAULT, WardError, load

REFRESH_S = 0.1
NEARBY_PORTS = 20
FAILED = 1


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    one = argparse.ArgumentParser(prog="ward sim", description="Plays a two-minute story in the simulated ward.")
    one.add_argument("--serve", action="store_true", help="stay up with the live page until Ctrl-C")
    one.add_argument("--report", type=Path, metavar="FILE", help="write what came of it as JSON")
    one.add_argument("--ward", type=Path, default=DEFAULT, metavar="FILE", help="the ward to simulate")
    one.add_argument("--port", type=int, default=8080, help="of the live page; the next free one if it is taken")
    one.add_argument("--lang", choices=("vi", "en"), default="vi")
    one.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep the hub's state, log and sound there, the offices' keys, the receipts",
    )
    return one


def main() -> int:
    """Run the simulator; 0 only if all of the story happened."""
    chosen = arguments().parse_args()
    try:
        return asyncio.run(_run(chosen))
    except KeyboardInterrupt:
        return 130
    except (WardError, AnnouncerError) as error:
        sys.stderr.write(f"ward sim: {error}\n")
        return os.EX_UNAVAILABLE if isinstance(error, AnnouncerError) else os.EX_CONFIG


async def _run(chosen: argparse.Namespace) -> int:
    """Simulate; SIGTERM ends it as Ctrl-C does, with nothing left running."""
    work = asyncio.ensure_future(_kept(chosen))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        return os.EX_TEMPFAIL


async def _kept(chosen: argparse.Namespace) -> int:
    ward = load(chosen.ward)
    if chosen.keep is not None:
        try:
            chosen.keep.mkdir(parents=True)
        except OSError as error:
            raise WardError(f"--keep {chosen.keep}: {error.strerror}; name a folder that is to be made") from error
        return await _simulate(chosen, Stage(ward, chosen.keep, keep=True))
    with tempfile.TemporaryDirectory(prefix="ward-sim-") as name:
        return await _simulate(chosen, Stage(ward, Path(name)))


async def _simulate(chosen: argparse.Namespace, stage: Stage) -> int:
    story = Story(stage)
    stage.steps, stage.length_s = story.snapshot, LENGTH_S
    await story.prepare()
    terminal = Terminal(sys.stdout, language=chosen.lang)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(stage)
        page = await _open_page(stack, stage, chosen.port)
        stage.on_change = page.poke
        stage.note("page", f"Trang trực tiếp: {page.url}", f"Live page: {page.url}")
        show = asyncio.create_task(_show(stage, terminal, page))
        try:
            await story.play()
            await asyncio.sleep(2 * REFRESH_S)
            status = _report(chosen, stage, story, terminal)
            if chosen.serve:
                sys.stdout.write(f"{page.url}  Ctrl-C\n")
                await _until_interrupted()
        finally:
            show.cancel()
            await asyncio.wait([show])
            terminal.close()
    if status:
        sys.stderr.write(stage.hub.tail(60) + "\n")
    return status


async def _open_page(stack: AsyncExitStack, stage: Stage, port: int) -> PageServer:
    """Serve the page on `port`, or on one of the next, or on any that is free."""
    for candidate in (*range(port, port + NEARBY_PORTS), 0):
        with contextlib.suppress(OSError):
            return await stack.enter_async_context(PageServer(stage.snapshot, port=candidate))
    raise OSError("no port is free for the live page")


async def _show(stage: Stage, terminal: Terminal, page: PageServer) -> None:
    while True:
        terminal.update(stage.snapshot())
        page.poke()
        await asyncio.sleep(REFRESH_S)


def _report(chosen: argparse.Namespace, stage: Stage, story: Story, terminal: Terminal) -> int:
    terminal.close()
    witness = stage.world.witness
    print_table(
        [row(case, stage.zero_ms, case.problems(witness), chosen.lang) for case in stage.cases],
        sys.stdout,
        language=chosen.lang,
    )
    if chosen.report is not None:
        facts = {
            "good": story.good,
            "seed": stage.ward.seed,
            "steps": story.snapshot(),
            "bulletins": stage.snapshot()["bulletins"],
            "problems": {case.name: case.problems(witness) for case in stage.cases},
            "timeline": stage.timeline,
        }
        chosen.report.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return os.EX_OK if story.good else FAILED


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
