"""Modbus RTU lines."""

from ward_hw.bus.master import ModbusBus
from ward_hw.bus.order import Priority

__all__ = ["ModbusBus", "Priority"]
