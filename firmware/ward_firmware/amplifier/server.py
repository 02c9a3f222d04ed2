"""Answers Modbus requests from a small register model; knows neither the line nor the relays.

Ref: MODBUS Application Protocol Specification V1.1b3, sections 6.1 to 6.17 and 7 (order of checks and
exception codes follow its state diagrams: function, quantity, address). A setting outside its range is
refused with exception 3.
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Model(Protocol):
        """What the server reads and writes; register values travel as big-endian bytes."""

        coils: int

        def read_coils(self) -> int:
            """All coils, bit n = coil n."""
            raise NotImplementedError

        def write_coils(self, first: int, closed: list[bool]) -> None:
            """Set coils from `first` on."""

        def read_input(self, first: int, count: int) -> bytes | None:
            """Input registers, None outside the map."""

        def read_holding(self, first: int, count: int) -> bytes | None:
            """Holding registers, None outside the map."""

        def writable(self, register: int) -> bool:
            """Whether the holding register can be written at all."""
            raise NotImplementedError

        def setting_valid(self, register: int, value: int) -> bool:
            """Whether the writable register takes this value."""
            raise NotImplementedError

        def write_setting(self, register: int, value: int) -> None:
            """Write one register that was found writable and valid."""


ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3

_ON = 0xFF00


class Refused(Exception):
    """A request that ends in a Modbus exception with code `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


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
        if function == 1:
            return self._read_coils(pdu)
        if function in (3, 4):
            first, count = struct.unpack(">HH", pdu[1:5])
            return bytes((function,)) + self._registers(function, first, count)
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

    def _read_coils(self, pdu: bytes) -> bytes:
        first, count = struct.unpack(">HH", pdu[1:5])
        if not 1 <= count <= 0x7D0:
            raise Refused(ILLEGAL_VALUE)
        if first + count > self._model.coils:
            raise Refused(ILLEGAL_ADDRESS)
        mask = (self._model.read_coils() >> first) & ((1 << count) - 1)
        return bytes((1, 1, mask))

    def _write_coil(self, pdu: bytes) -> bytes:
        coil, value = struct.unpack(">HH", pdu[1:5])
        if value not in (0, _ON):
            raise Refused(ILLEGAL_VALUE)
        if coil >= self._model.coils:
            raise Refused(ILLEGAL_ADDRESS)
        self._model.write_coils(coil, [value == _ON])
        return pdu

    def _write_coils(self, pdu: bytes) -> bytes:
        first, count = struct.unpack(">HH", pdu[1:5])
        if not 1 <= count <= 0x7B0 or pdu[5] != (count + 7) // 8:
            raise Refused(ILLEGAL_VALUE)
        if first + count > self._model.coils:
            raise Refused(ILLEGAL_ADDRESS)
        self._model.write_coils(first, [bool(pdu[6] >> bit & 1) for bit in range(count)])
        return pdu[:5]

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
            if not self._model.writable(first + index):
                raise Refused(ILLEGAL_ADDRESS)
            if not self._model.setting_valid(first + index, value):
                raise Refused(ILLEGAL_VALUE)
        for index, value in enumerate(values):
            self._model.write_setting(first + index, value)

    def _write_then_read(self, pdu: bytes) -> bytes:
        read_first, read_count, first, count, size = struct.unpack(">HHHHB", pdu[1:10])
        values = _values(count, size, pdu[10:], 0x79)
        # Asked once before the write too, so that a bad read address leaves everything as it was.
        self._registers(23, read_first, read_count)
        self._settings(first, values)
        return bytes((23,)) + self._registers(23, read_first, read_count)


def _values(count: int, size: int, data: bytes, limit: int) -> "list[int]":
    if not 1 <= count <= limit or size != 2 * count or len(data) != size:
        raise Refused(ILLEGAL_VALUE)
    return list(struct.unpack(">%dH" % count, data))
