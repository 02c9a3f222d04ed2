"""Units 1 to N on a simulated line in real time, as one station: each keeps t3.5 before its answer, and nothing else.

`python -m tests.bench.masters.crowd BAUDRATE N` prints the path of the line's tty and runs until it is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import sys

from ward_protocol.portable.crc16 import crc16, seal
from ward_sim.line import Line
from ward_sim.line.medium import Tap


class Crowd(Tap):
    """Answers FC 4 for units 1 to `count` with the address asked for in every word."""

    def __init__(self, line: Line, count: int) -> None:
        super().__init__(line, "crowd", outside=False)
        self._count = count
        self._silence_s = 38.5 / line.baud

    def deliver(self, data: bytes) -> None:
        """Take a request; bursts arrive whole."""
        if len(data) != 8 or crc16(data) or not 1 <= data[0] <= self._count or data[1] != 4:
            return
        words = data[5]
        answer = seal(data[:2] + bytes((2 * words,)) + data[2:4] * words)
        at = self._line.ended + self._silence_s
        self._line.loop.call_at(at, self.send, answer, at)

    def unplug(self) -> None:
        """Nothing to let go of."""
        self.forget()


async def main(baudrate: int, count: int) -> None:
    """Run until ended."""
    async with Line(baudrate, seed=1) as line:
        Crowd(line, count)
        print(line.station("hub").path, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(PermissionError):
        os.nice(-15)  # a wire does not wait for a processor
    # Its waits end within microseconds; epoll's end on whole milliseconds, which would be charged to the master.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2])))
