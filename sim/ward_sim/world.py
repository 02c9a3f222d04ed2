"""The ward's outside as it runs: line, amplifiers, boards, and the wires between them and the witness."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from ward_sim.devices.amplifier import SimAmplifier
from ward_sim.devices.board import SimBoard
from ward_sim.faults import AnyFault
from ward_sim.line import Line, Station
from ward_sim.loudspeaker import FULL_SCALE, CaptureMeter, decibels
from ward_sim.page.snapshot import AmplifierState, BoardState, ZoneState
from ward_sim.switchboard import Switchboard
from ward_sim.ward import BOARD_BAUDRATE, SUPPLY_RELAY, AmplifierSection, Ward
from ward_sim.witness import Witness

LISTEN_S = 0.05
DARK_S = 1.0
LINE_FULL_SCALE_MV = 10_000
Note = Callable[[str, str, str], None]
"""Takes what is seen at an output: its kind, and its words in Vietnamese and in English."""


def now_ms() -> int:
    """Return Unix time in ms, the time base of receipts."""
    return int(time.time() * 1000)


class World:
    """Everything outside the hub's process but source and network; an async context manager."""

    def __init__(self, ward: Ward, capture: Path, note: Note) -> None:
        self.ward = ward
        self._note = note
        self._lit: dict[str, bool] = {}
        self.witness = Witness()
        self.amplifiers: dict[str, SimAmplifier] = {}
        self.boards: dict[str, SimBoard] = {}
        self.ports: dict[str, str] = {}
        self.tools_port = ""
        self.lines: dict[str, Line] = {}
        self.hub_adapter: Station
        self._meter = CaptureMeter(capture)
        self._rms = 0
        self._sections = {one.id: one for one in ward.amplifier}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._build()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def listen(self) -> None:
        """Carry the hub's sound to the amplifiers and to the witness, until cancelled."""
        while True:
            self._rms = self._meter.rms()
            level = self._rms * LINE_FULL_SCALE_MV // FULL_SCALE
            for name, amplifier in self.amplifiers.items():
                if amplifier.line_mv != level:
                    amplifier.set_line_level(level)
                for zone in self._sections[name].zones:
                    self.witness.sound(zone.id, self._rms if self._is_on(name, zone.id) else 0, now_ms())
            await asyncio.sleep(LISTEN_S)

    async def fail(self) -> None:
        """Let the faults of the ward's file happen, each at its time from now, until cancelled."""
        await self._faults.play(self.ward.fault, self._fault)

    def amplifier_states(self) -> list[AmplifierState]:
        """Return the amplifiers as the page draws them."""
        return [self._amplifier_state(section) for section in self.ward.amplifier]

    def board_states(self) -> list[BoardState]:
        """Return the boards as the page draws them."""
        return [
            {
                "id": section.id,
                "name": section.name,
                "width": self.boards[section.id].width,
                "height": self.boards[section.id].height,
                "frame": base64.b64encode(self.boards[section.id].frame).decode(),
                "alive": self.boards[section.id].alive,
            }
            for section in self.ward.board
        ]

    def zone_states(self) -> list[ZoneState]:
        """Return the zones as the page draws them."""
        return [
            {
                "id": zone.id,
                "name": zone.name,
                "amplifier": section.id,
                "relay": section.relay_of(zone.id),
                "on": self.amplifiers[section.id].relays[section.relay_of(zone.id)],
                "level_db": decibels(self._rms) if self._is_on(section.id, zone.id) else None,
            }
            for section in self.ward.amplifier
            for zone in section.zones
        ]

    async def _build(self) -> None:
        seed = self.ward.seed
        settings = self.ward.line
        bus = Line(settings.baudrate, bits=10, ber=settings.ber, echo=settings.echo, seed=seed, name="line")
        self.lines["line"] = await self._stack.enter_async_context(bus)
        self.hub_adapter = bus.station("hub")
        self.ports["line"] = self.hub_adapter.path
        self.tools_port = bus.station("tools").path
        for section in self.ward.amplifier:
            amplifier = SimAmplifier(section.id, section.unit, bus, on_change=self._relay)
            self.amplifiers[section.id] = await self._stack.enter_async_context(amplifier)
        units = {amplifier.unit: amplifier for amplifier in self.amplifiers.values()}
        self._faults = Switchboard(bus, self.hub_adapter, units)
        for number, wanted in enumerate(self.ward.board, 1):
            link = Line(BOARD_BAUDRATE, seed=seed + number, name=wanted.id)
            self.lines[wanted.id] = await self._stack.enter_async_context(link)
            self.ports[wanted.id] = link.station("hub").path
            board = SimBoard(wanted.id, wanted.modules_wide, wanted.modules_high, link, on_frame=self._frame)
            self.boards[wanted.id] = await self._stack.enter_async_context(board)

    def _relay(self, amplifier: SimAmplifier, relay: int, closed: bool) -> None:
        name = self._sections[amplifier.name].name
        if relay == SUPPLY_RELAY:
            self._note(
                "relay", f"{name}: {'có' if closed else 'ngắt'} nguồn", f"{name}: power {'on' if closed else 'off'}"
            )
        for zone in self._sections[amplifier.name].zones:
            if self._sections[amplifier.name].relay_of(zone.id) == relay:
                self.witness.relay(zone.id, closed, now_ms())

    def _fault(self, fault: AnyFault, begins: bool) -> None:
        where = "".join(f" {unit}" for unit in fault.units)
        vi, en = ("bắt đầu", "begins") if begins else ("hết", "ends")
        self._note("fault", f"Lỗi mô phỏng {vi}: {fault.kind}{where}", f"Simulated fault {en}: {fault.kind}{where}")

    def _frame(self, board: SimBoard, frame: bytes) -> None:
        self.witness.frame(board.name, frame, now_ms())
        if any(frame) != self._lit.get(board.name, False):
            # A scrolling line is dark for a moment at each turn: only what lasts is told.
            asyncio.get_running_loop().call_later(0.0 if any(frame) else DARK_S, self._tell_light, board)

    def _tell_light(self, board: SimBoard) -> None:
        lit = any(board.frame)
        if lit != self._lit.get(board.name, False):
            self._lit[board.name] = lit
            name = next(one.name for one in self.ward.board if one.id == board.name)
            self._note("board", f"{name}: {'sáng' if lit else 'tối'}", f"{name}: {'lit' if lit else 'dark'}")

    def _is_on(self, amplifier: str, zone: str) -> bool:
        relays = self.amplifiers[amplifier].relays
        return relays[SUPPLY_RELAY] and relays[self._sections[amplifier].relay_of(zone)]

    def _amplifier_state(self, section: AmplifierSection) -> AmplifierState:
        amplifier = self.amplifiers[section.id]
        labels = ["Nguồn", *(zone.id for zone in section.zones)]
        return {
            "id": section.id,
            "name": section.name,
            "unit": section.unit,
            "relays": list(amplifier.relays),
            "labels": labels + [""] * (len(amplifier.relays) - len(labels)),
            "line_mv": amplifier.line_mv if amplifier.supply_mv else 0,
            "supply_mv": amplifier.supply_mv,
            "temperature_c": amplifier.temperature_dc / 10,
            "alive": amplifier.alive,
        }
