"""How soon an order to silence opens every relay, and an order to blank darkens the board, in the middle of an airing.

From the moment the ward's order lies at the source to the last relay and the last lamp: beat, fetch, decision, journal
and devices. Ten milliseconds of it are the simulated network; the limit is one second.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness import Row
from tests.fault.attacks.range import AREA, Range, ranged
from tests.fault.attacks.test_in_the_middle_of_an_airing import SOUND_S, closed, ending, lit, order, ordered, recording

from ward_protocol.statements import Action, Audience

TRIALS = 7
LIMIT_MS = 1000


async def trial(at: Range) -> tuple[int, int]:
    """Silence what is on air, then blank it, and end it."""
    data = at.publish(at.bulletin(audience=Audience((AREA,)), audio=recording(at, SOUND_S)))
    await at.until(lambda: closed(at) == {"zone-1", "zone-2"} and lit(at), "it is on air")
    silent = await ordered(at, Action.SILENCE, lambda: not closed(at))
    await at.until(lambda: lit(at), "boards go on")
    dark = await ordered(at, Action.BLANK, at.all_quiet)
    at.publish(order(at, Action.PURGE))
    await at.until(lambda: ending(at, data), "its receipt")
    at.publish(order(at, Action.RESUME))
    await at.next_good_bulletin_airs()
    return silent, dark


def rows() -> Iterator[Row]:
    """Yield the worst of TRIALS."""
    found: list[tuple[int, int]] = []

    async def trials(at: Range) -> None:
        found.extend([await trial(at) for _ in range(TRIALS)])

    with tempfile.TemporaryDirectory() as folder, ranged(Path(folder)) as (at, run):
        run(trials(at))
    for what, ms in zip(("silence: every relay open", "blank: every lamp dark"), zip(*found, strict=True), strict=True):
        yield Row(f"{what}, worst of {TRIALS}", "ms", max(ms), LIMIT_MS, "limit")
