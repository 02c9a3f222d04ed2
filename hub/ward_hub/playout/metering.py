"""What a measuring device of its own says of an amplifier: read while it carries something, at the priority of polls.

Only a reading that is known to be fresh counts as anything. Without one nothing is heard and nothing is silent: the
time simply is not counted.
"""

from __future__ import annotations

import asyncio
import logging

from ward_hub.config import MeterSection
from ward_hub.playout.amplifiers import LOOK_S, AmplifierOutput
from ward_hw.drivers.meter import Meter
from ward_hw.errors import HardwareError

log = logging.getLogger(__name__)


class Metering:
    """Reads the meter of one amplifier for its output, every `poll_ms` while that has closed relays."""

    def __init__(self, section: MeterSection, meter: Meter, output: AmplifierOutput, poll_ms: int) -> None:
        self._section = section
        self._meter = meter
        self._output = output
        self._poll_s = poll_ms / 1000
        self._failing = False

    async def run(self) -> None:
        """Measure until cancelled; now and then also while nothing is on air, for whoever asks for the status."""
        looked_at = -LOOK_S
        while True:
            now = asyncio.get_running_loop().time()
            if self._output.carries or now >= looked_at + LOOK_S:
                looked_at = now
                await self._measure()
            await asyncio.sleep(self._poll_s)

    async def _measure(self) -> None:
        try:
            measured = await self._meter.read()
        except HardwareError as error:
            self._output.measured = None
            if not self._failing:
                log.warning("%s: nothing is measured: %s", self._meter.name, error)
            self._failing = True
            return
        self._failing = False
        self._output.measured = measured
        self._output.hear(loud=measured.value >= self._section.heard_from, at=measured.at)
