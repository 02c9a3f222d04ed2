"""Answers Modbus requests from a small register model; knows neither the line nor the relays.

Ref: MODBUS Application Protocol Specification V1.1b3, sections 6.1 to 6.21 and 7 (order of checks and
exception codes follow its state diagrams: function, quantity, address).
"""

import struct

from ward_firmware.amplifier.identification import identify
from ward_firmware.amplifier.refusal import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Refused,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Model(Protocol):
        """What the server reads and writes; register values travel as big-endian bytes."""

        coils: int
        discrete_inputs: int
        objects: list[tuple[int, bytes]]

        def read_coils(self) -> int:
            """All coils, bit n = coil n."""
            raise NotImplementedError

        def read_discrete_inputs(self) -> int:
            """All discrete inputs, bit n = input n."""
            raise NotImplementedError

        def write_coils(self, first: int, closed: list[bool]) -> bool:
            """Set coils from `first` on; False when that cannot be done now, and then none is set."""
            raise NotImplementedError

        def read_input(self, first: int, count: int) -> bytes | None:
            """Input registers, None outside the map."""

        def read_holding(self, first: int, count: int) -> bytes | None:
            """Holding registers, None outside the map."""

        def refusal(self, register: int, value: int) -> int:
            """0 when the holding register can take this value now, else the exception code."""
            raise NotImplementedError

        def write_holding(self, register: int, value: int) -> None:
            """Write one register that takes this value; raises Refused when the flash does not."""


_ON = 0xFF00


class Server:
    """Executes one PDU at a time on `model`."""

    def __init__(self, model: "Model") -> None:
        self._model = model

    def execute(self, pdu: bytes) -> "tuple[bytes, bool]":
        """The answer PDU and whether `pdu` was an accepted write."""
        function = pdu[0]
        try:
            answer = self._dispatch(function, pdu)
        except Refused as refusal:
            return bytes((function | 0x80, refusal.code)), False
        return answer, function in (5, 6, 15, 16, 23)

    def _dispatch(self, function: int, pdu: bytes) -> bytes:
        model = self._model
        if function == 1:
            return _bits(pdu, model.coils, model.read_coils())
        if function == 2:
            return _bits(pdu, model.discrete_inputs, model.read_discrete_inputs())
        if function in (3, 4):
            first, count = struct.unpack(">HH", pdu[1:5])
            return bytes((function,)) + self._registers(function, first, count)
        if function == 43:
            return identify(pdu, model.objects)
        return self._write(function, pdu)

    def _write(self, function: int, pdu: bytes) -> bytes:
        if function == 5:
            return self._write_coil(pdu)
        if function == 6:
            register, value = struct.unpack(">HH", pdu[1:5])
            self._settings(register, [value])
            return pdu
        if function == 15:
            return self._write_coils(pdu)
        if function == 16:
            first, count = struct.unpack(">HH", pdu[1:5])
            self._settings(first, _values(count, pdu[5], pdu[6:], 0x7B))
            return pdu[:5]
        if function == 23:
            return self._write_then_read(pdu)
        raise Refused(ILLEGAL_FUNCTION)

    def _write_coil(self, pdu: bytes) -> bytes:
        coil, value = struct.unpack(">HH", pdu[1:5])
        if value not in (0, _ON):
            raise Refused(ILLEGAL_VALUE)
        if coil >= self._model.coils:
            raise Refused(ILLEGAL_ADDRESS)
        self._switch(coil, [value == _ON])
        return pdu

    def _write_coils(self, pdu: bytes) -> bytes:
        first, count = struct.unpack(">HH", pdu[1:5])
        if not 1 <= count <= 0x7B0 or pdu[5] != (count + 7) // 8:
            raise Refused(ILLEGAL_VALUE)
        if first + count > self._model.coils:
            raise Refused(ILLEGAL_ADDRESS)
        self._switch(first, [bool(pdu[6] >> bit & 1) for bit in range(count)])
        return pdu[:5]

    def _switch(self, first: int, closed: "list[bool]") -> None:
        if not self._model.write_coils(first, closed):
            raise Refused(DEVICE_FAILURE)

    def _registers(self, function: int, first: int, count: int) -> bytes:
        if not 1 <= count <= 0x7D:
            raise Refused(ILLEGAL_VALUE)
        read = self._model.read_input if function == 4 else self._model.read_holding
        values = read(first, count)
        if values is None:
            raise Refused(ILLEGAL_ADDRESS)
        return bytes((2 * count,)) + values

    def _settings(self, first: int, values: "list[int]") -> None:
        # All are checked before any is written: a request acts wholly or not at all.
        for index, value in enumerate(values):
            code = self._model.refusal(first + index, value)
            if code:
                raise Refused(code)
        for index, value in enumerate(values):
            self._model.write_holding(first + index, value)

    def _write_then_read(self, pdu: bytes) -> bytes:
        read_first, read_count, first, count, size = struct.unpack(">HHHHB", pdu[1:10])
        values = _values(count, size, pdu[10:], 0x79)
        # Asked once before the write too, so that a bad read address leaves everything as it was.
        self._registers(23, read_first, read_count)
        self._settings(first, values)
        return bytes((23,)) + self._registers(23, read_first, read_count)


def _bits(pdu: bytes, available: int, mask: int) -> bytes:
    first, count = struct.unpack(">HH", pdu[1:5])
    if not 1 <= count <= 0x7D0:
        raise Refused(ILLEGAL_VALUE)
    if first + count > available:
        raise Refused(ILLEGAL_ADDRESS)
    size = (count + 7) // 8
    bits: int = mask >> first & (1 << count) - 1
    return bytes((pdu[0], size)) + bits.to_bytes(size, "little")


def _values(count: int, size: int, data: bytes, limit: int) -> "list[int]":
    if not 1 <= count <= limit or size != 2 * count or len(data) != size:
        raise Refused(ILLEGAL_VALUE)
    return list(struct.unpack(">%dH" % count, data))
