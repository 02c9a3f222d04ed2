"""One small record on the flash that is never half of anything: two files, written in turns, each with a CRC.

A write goes to the file that does not hold the newest record. So whatever a power cut leaves of it, the record
before is whole, and a reader takes the newest that is.

Record: b"W1" | sequence u32 | payload | CRC-32 of all before, integers big-endian. Only ever written while the
line may be deaf for a tenth of a second (an RP2040 that writes flash loses bytes on its UART).
"""

import binascii
import struct

MAGIC = b"W1"
LARGEST = 256
_OVERHEAD = 10


class Slots:
    """The record called `name`, in the files `name`.0 and `name`.1.

    `damaged` tells after `load` or `save` whether a file is there that holds no whole record.
    """

    def __init__(self, name: str) -> None:
        self.damaged = False
        self._paths = (name + ".0", name + ".1")
        self._newest = 1
        self._sequence = 0

    def load(self) -> "bytes | None":
        """The payload last saved, or None when there is none that is whole."""
        found = None
        self.damaged = False
        self._sequence = 0
        for index, path in enumerate(self._paths):
            record = _read(path)
            if record is None:
                continue
            opened = _open(record)
            if opened is None:
                self.damaged = True
            elif found is None or opened[0] > self._sequence:
                self._sequence, found = opened
                self._newest = index
        return found

    def save(self, payload: bytes) -> None:
        """Keep `payload`; raises OSError when the flash does not hold it, and then the record before stands."""
        index = 1 - self._newest
        path = self._paths[index]
        record = MAGIC + struct.pack(">I", self._sequence + 1) + payload
        record += struct.pack(">I", binascii.crc32(record))
        with open(path, "wb") as file:
            file.write(record)
        if _read(path) != record:
            raise OSError("%s: reads otherwise than written" % path)
        self._newest = index
        self._sequence += 1
        other = _read(self._paths[1 - index])
        self.damaged = other is not None and _open(other) is None


def _read(path: str) -> "bytes | None":
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST + _OVERHEAD)
    except OSError:
        return None


def _open(record: bytes) -> "tuple[int, bytes] | None":
    if len(record) < _OVERHEAD or record[:2] != MAGIC:
        return None
    if struct.pack(">I", binascii.crc32(record[:-4])) != record[-4:]:
        return None
    return struct.unpack(">I", record[2:6])[0], record[6:-4]


def count_start(slots: Slots) -> int:
    """How many times the controller has started, this one included, low 16 bits; begins anew where nothing is whole.

    A flash that does not take it stops nothing: relays must be served all the same.
    """
    kept = slots.load()
    starts = 1
    if kept is not None and len(kept) == 2:
        starts = struct.unpack(">H", kept)[0] + 1 & 0xFFFF
    try:
        slots.save(struct.pack(">H", starts))
    except OSError:
        pass
    return starts
