"""The strips of the show that is being prepared: one set, in bounded memory, apart from the set shown."""

import binascii

from ward_firmware.board.canvas import Strip
from ward_protocol.portable import board as messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ward_protocol.portable.board import Window


class Trouble(Exception):
    """A request that ends with status `status` (of `ward_protocol.portable.board`)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class StripSet:
    """Up to SLOTS strips, together at most `memory` bytes."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._strips: dict[int, Strip] = {}

    def allocate(self, asked: messages.Strip) -> None:
        """A dark strip in its slot, in place of what was there; without area it only frees the slot."""
        if asked.slot >= messages.SLOTS:
            raise Trouble(messages.NO_STRIP)
        self._strips.pop(asked.slot, None)
        size = messages.row_bytes(asked.width) * asked.height
        if not size:
            return
        used = sum([len(strip.data) for strip in self._strips.values()])
        if used + size > self._memory:
            raise Trouble(messages.NO_MEMORY)
        try:
            self._strips[asked.slot] = Strip(asked.width, asked.height)
        except MemoryError:
            raise Trouble(messages.NO_MEMORY)  # noqa: B904 - MicroPython keeps no cause

    def fill(self, given: messages.Data) -> None:
        """Put bytes into a strip; they must lie inside it."""
        strip = self._get(given.slot)
        end = given.offset + len(given.data)
        if end > len(strip.data):
            raise Trouble(messages.BAD_FIELD)
        strip.data[given.offset : end] = given.data

    def checked(self, window: "Window") -> Strip:
        """The strip of `window` when it is whole and its scroll period can be reported."""
        strip = self._get(window.slot)
        if binascii.crc32(strip.data) != window.crc32:
            raise Trouble(messages.CRC_MISMATCH)
        if window.mode == messages.MODE_SCROLL and strip.width + window.w > messages.MAX_PERIOD:
            raise Trouble(messages.BAD_FIELD)
        return strip

    def _get(self, slot: int) -> Strip:
        if slot not in self._strips:
            raise Trouble(messages.NO_STRIP)
        return self._strips[slot]
