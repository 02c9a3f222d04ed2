"""The hardware descriptions against what each chip can do, and the firmware's logic against any chip at all."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

import ward_firmware
from ward_firmware.board.hub12 import MODULE_HEIGHT, MODULE_WIDTH, PHASES, scan_hz
from ward_protocol.portable import board as messages
from ward_sim.devices import amplifier as soldered
from ward_sim.devices import panel
from ward_sim.devices.flash import KINDS, TARGETS, Manifest

HOME = Path(ward_firmware.__file__).parent
# What may drive something, and what can be measured.
# Ref: RP2040 datasheet, section 1.4.3; RP2350 datasheet, section 1.2.3 (RP2350A); ESP32 datasheet, sections 2.2 and 2.4
# without flash (6 to 11), strapping (0, 2, 5, 12, 15), console (1, 3), what moves at power-on (14), what is no pin.
OUTPUTS = {
    "rp2040": set(range(30)),
    "rp2350": set(range(30)),
    "esp32": {4, 13, 16, 17, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33},
}
ADC_INPUTS = {"rp2040": {26, 27, 28, 29}, "rp2350": {26, 27, 28, 29}, "esp32": set(range(32, 40))}
# GP0 and GP1 are TX and RX of UART0 on both. On an ESP32 any pin will do.
UARTS = {"rp2040": (0, 0, 1), "rp2350": (0, 0, 1), "esp32": (2, 17, 16)}
RADIO, MODULES = {"network", "bluetooth", "socket"}, {"machine", "rp2", "esp32", "select"}


def description(kind: str, target: str) -> ModuleType:
    return importlib.import_module(f"ward_firmware.{kind}.{target}.pins")


@pytest.mark.parametrize("target", TARGETS)
def test_amplifier_pins(target: str) -> None:
    pins = description("amplifier", target)
    outputs = [*pins.RELAYS, pins.DRIVE_ENABLE, pins.TX]
    measured = [pins.LINE_ADC, pins.SUPPLY_ADC, pins.TEMPERATURE_ADC, pins.CURRENT_ADC]
    assert len({*outputs, *measured, pins.RX}) == len(pins.RELAYS) + 7, "one pin for two things"
    assert len(pins.RELAYS) == 8
    assert set(outputs) <= OUTPUTS[target]
    assert set(measured) <= ADC_INPUTS[target]
    assert UARTS[target] == (pins.UART, pins.TX, pins.RX)
    assert target.upper() == pins.MODEL


@pytest.mark.parametrize("target", TARGETS)
def test_board_pins(target: str) -> None:
    pins = description("board", target)
    outputs = [pins.TX, pins.CLOCK, pins.DATA, pins.A, pins.B, pins.LATCH, pins.ENABLE]
    assert len({*outputs, pins.RX}) == len(outputs) + 1, "one pin for two things"
    assert set(outputs) <= OUTPUTS[target]
    assert UARTS[target] == (pins.UART, pins.TX, pins.RX)
    assert target.upper() == pins.MODEL


@pytest.mark.parametrize("target", TARGETS)
def test_scanning_leaves_half_of_the_time_to_the_main_loop_on_every_panel_that_can_be_configured(target: str) -> None:
    """Else a panel that was configured over the line starves the loop that would take another configuration."""
    pins = description("board", target)
    for wide in range(1, 256):
        for high in range(1, 256):
            if messages.config_valid(1, wide) and messages.config_valid(2, high):
                bits = wide * high * MODULE_WIDTH * MODULE_HEIGHT // PHASES
                assert scan_hz(wide, high, pins.SPI_BAUD, pins.SCAN_HZ) * bits <= pins.SPI_BAUD / 2, (wide, high)


@pytest.mark.parametrize("kind", KINDS)
def test_all_targets_describe_the_same_things(kind: str) -> None:
    names = [{name for name in vars(description(kind, target)) if name.isupper()} for target in TARGETS]
    assert names[0] == names[1] == names[2]


@pytest.mark.parametrize("target", TARGETS)
def test_full_scales_are_those_of_one_circuit(target: str) -> None:
    """The dividers of the carrier are the same; what 65535 means differs with the reference, 3.3 V or 3.1 V."""
    pins, ours = description("amplifier", target), description("amplifier", "rp2040")
    ratio = (3.1 if target == "esp32" else 3.3) / 3.3
    for name in ("LINE_FULL_SCALE_MV", "SUPPLY_FULL_SCALE_CV", "TEMPERATURE_FULL_SCALE_MV", "CURRENT_FULL_SCALE_MA"):
        assert getattr(pins, name) == pytest.approx(getattr(ours, name) * ratio, abs=0.5), name


def test_the_simulator_is_soldered_as_the_first_target_says() -> None:
    pins, lamps = description("amplifier", TARGETS[0]), description("board", TARGETS[0])
    assert pins.RELAYS == soldered.RELAY_PINS
    assert (pins.LINE_ADC, pins.LINE_FULL_SCALE_MV) == (soldered.LINE_PIN, soldered.LINE_FULL_SCALE_MV)
    assert (pins.SUPPLY_ADC, pins.SUPPLY_FULL_SCALE_CV * 10) == (soldered.SUPPLY_PIN, soldered.SUPPLY_FULL_SCALE_MV)
    assert (pins.TEMPERATURE_ADC, pins.TEMPERATURE_FULL_SCALE_MV) == (soldered.TEMPERATURE_PIN, soldered.REFERENCE_MV)
    assert (pins.CURRENT_ADC, pins.CURRENT_FULL_SCALE_MA) == (soldered.CURRENT_PIN, soldered.CURRENT_FULL_SCALE_MA)
    assert (lamps.A, lamps.B, lamps.LATCH, lamps.ENABLE) == (panel.A, panel.B, panel.LATCH, panel.ENABLE)


def imported(source: Path) -> set[str]:
    """Every module that the file imports anywhere, by its first name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_only_run_knows_the_machine(kind: str) -> None:
    sources = {source for target in TARGETS for source, _ in Manifest(HOME / kind / "manifest.py", target).files}
    touching = {source.relative_to(HOME).as_posix() for source in sources if imported(source) & MODULES}
    assert touching == {f"{kind}/run.py"}
    assert not [source for source in sources if imported(source) & RADIO]
    # Time comes in from outside too: the clock is one file, and run.py alone has it.
    timed = {source.relative_to(HOME).as_posix() for source in sources if imported(source) & {"time", "utime"}}
    assert timed == {"clock.py"}
    clocked = {source for source in sources if "ward_firmware.clock" in source.read_text(encoding="utf-8")}
    assert {source.relative_to(HOME).as_posix() for source in clocked} == {f"{kind}/run.py"}
