"""Everything attached to this hub, opened from the configuration: buses, amplifiers, boards, sound."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from ward_hub.alarms import Alarms
from ward_hub.amplifier_alarm import AmplifierAlarm
from ward_hub.clock import Clock
from ward_hub.config import BusSection, Config, MeterSection
from ward_hub.lines import WatchedLine, watch
from ward_hub.playout.amplifiers import AmplifierOutput, interlock_of
from ward_hub.playout.boards import BoardOutput
from ward_hub.playout.live import Live
from ward_hub.playout.metering import Metering
from ward_hub.playout.sound import Sound
from ward_hub.playout.watching import Told
from ward_hub.render.line import warm_up
from ward_hub.speech import Speech
from ward_hub.tampering import Tampering
from ward_hw.audio import AudioSettings, AudioWorker
from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.board import Board
from ward_hw.drivers.meter import Meter
from ward_hw.errors import HardwareError
from ward_hw.meter_profile import load_meter
from ward_hw.profile import load_profile
from ward_protocol.reasons import Reason

log = logging.getLogger(__name__)
SAFE_S = 3.0
LINE_PX = 16  # the height of a line on every board of P10 modules


class Outputs:
    """The hub's outputs while the context is entered; a device that does not answer does not keep it from opening."""

    def __init__(self, config: Config, clock: Clock, tampering: Tampering, alarms: Alarms) -> None:
        self._tripped = AmplifierAlarm(alarms, Reason.OUTPUT_TRIPPED)
        self._stuck = AmplifierAlarm(alarms, Reason.OUTPUT_STUCK)
        self._tampering = tampering
        self._config = config
        self._clock = clock
        self._stack = AsyncExitStack()
        self.amplifiers: list[AmplifierOutput] = []
        self.meterings: dict[str, Metering] = {}
        self.boards: list[BoardOutput] = []
        self.lines: list[WatchedLine] = []
        self.sound: Sound
        self.live: Live

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what must run for each output, by name."""
        named: dict[str, Callable[[], Awaitable[None]]] = {
            "tampering": self._tampering.run,
            "lines": lambda: watch(self.lines),
        }
        for amplifier in self.amplifiers:
            named[f"amplifier {amplifier.name}"] = amplifier.run
        for name, metering in self.meterings.items():
            named[f"meter of {name}"] = metering.run
        for board in self.boards:
            named[f"board {board.id}"] = board.run
        return named

    async def make_safe(self) -> bool:
        """Open every relay and darken every board, within a few seconds; say whether all confirmed it."""

        async def one(name: str, act: Callable[[], Awaitable[None]]) -> bool:
            try:
                async with asyncio.timeout(SAFE_S):
                    await act()
            except (HardwareError, TimeoutError) as error:
                log.error("%s could not be made safe: %s; it lets go by its lease", name, error)
                return False
            return True

        async with asyncio.TaskGroup() as group:
            confirmed = [group.create_task(one(each.name, each.make_safe)) for each in self.amplifiers]
            confirmed += [group.create_task(one(each.id, each.make_safe)) for each in self.boards]
        return all(task.result() for task in confirmed)

    async def _open(self) -> None:
        config, enter = self._config, self._stack.enter_async_context
        buses = {one.name: await self._open_bus(one) for one in config.bus}
        meters = {one.amplifier: one for one in config.meter}
        for section in config.amplifier:
            driver = Amplifier(
                section.name,
                buses[section.bus],
                section.unit,
                load_profile(section.profile),
                clock=time.monotonic,
                interlock=interlock_of(section),
                serial=section.serial,
                lease_proven=section.lease_proven,
            )
            poll_ms, meter = config.airing.poll_ms, meters.get(section.name)
            output = AmplifierOutput(
                section,
                driver,
                self._clock,
                poll_ms,
                Told(
                    self._tampering.seen,
                    partial(self._tripped.read, section.name),
                    partial(self._stuck.read, section.name),
                ),
                metered=meter is not None,
            )
            self.amplifiers.append(output)
            if meter is not None:
                self._open_meter(meter, buses[meter.bus], output)
        for wanted in config.board:
            board = await enter(Board(wanted.id, wanted.port, wanted.baudrate, clock=time.monotonic))
            self.boards.append(BoardOutput(wanted.id, board, self._clock, self._tampering.seen))
        if config.board:
            warm_up(LINE_PX)
        audio = config.audio
        capture = Path(audio.capture) if audio.capture else None
        worker = await enter(AudioWorker(AudioSettings(backend=audio.backend, capture=capture)))
        folder = Path(config.hub.state) / "sound"
        self.sound = Sound(worker, Speech(voice=audio.voice), folder, config.hub.language)
        self.live = Live(worker, self.sound, config.hub.language)

    async def _open_bus(self, section: BusSection) -> ModbusBus:
        line = WatchedLine(section.name, self._config.units_on(section.name))
        bus = ModbusBus(section.port, section.baudrate, timeout=section.timeout_ms / 1000, observer=line.log.observe)
        line.bus = await self._stack.enter_async_context(bus)
        self.lines.append(line)
        return bus

    def _open_meter(self, section: MeterSection, bus: ModbusBus, output: AmplifierOutput) -> None:
        name, profile = f"meter of {section.amplifier}", load_meter(section.profile)
        meter = Meter(name, bus, section.unit, profile, section.reading, clock=time.monotonic)
        self.meterings[section.amplifier] = Metering(section, meter, output, self._config.airing.poll_ms)
