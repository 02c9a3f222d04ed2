"""A half-duplex RS-485 line: stations on ptys, in sockets or in this process, baud time, faults, collisions.

Everything happens at times of the running event loop. With the loop of `ward_sim.line.clock`, whose time jumps, and
stations of `ward_sim.line.inside`, minutes of a line pass in a moment, the same each time.
"""

from ward_sim.line.medium import BURST, LineStats
from ward_sim.line.ports import Line, Station

__all__ = ["BURST", "Line", "LineStats", "Station"]
