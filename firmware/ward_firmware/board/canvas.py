"""Paints windows of strips into a 1-bit frame, a row at a time as one integer: shifts in C, no pixel loops.

Shapes: a frame is row-major, width / 8 bytes a row, MSB leftmost, 1 = lit; a strip's rows are padded to
bytes. The geometry of windows, static and scrolling, is that of `ward_protocol.portable.board`.
"""

from ward_protocol.portable.board import MODE_SCROLL, row_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ward_protocol.portable.board import Window

_SECOND_US = 1000000


class Strip:
    """A bitmap of `width` x `height` pixels, filled piece by piece."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.stride = row_bytes(width)
        self.data = bytearray(self.stride * height)

    def row(self, index: int, first: int, count: int) -> int:
        """`count` pixels of row `index` from column `first`, the leftmost in the highest bit; dark outside."""
        if not 0 <= index < self.height or first >= self.width or first + count <= 0:
            return 0
        begin = max(0, first)
        end = min(self.width, first + count)
        base = index * self.stride
        last_byte = row_bytes(end)
        bits = int.from_bytes(self.data[base + begin // 8 : base + last_byte], "big")
        bits >>= last_byte * 8 - end
        bits &= (1 << (end - begin)) - 1
        return bits << (first + count - end)


class Placed:
    """A strip in its window, and how far it has scrolled."""

    def __init__(self, strip: Strip, window: "Window") -> None:
        self.offset = 0
        self._strip = strip
        self._window = window
        self._period = strip.width + window.w
        # Position in pixels times a million, so that no elapsed time is ever rounded away.
        self._part = 0

    @property
    def scrolls(self) -> bool:
        """Whether time moves it."""
        return self._window.mode == MODE_SCROLL

    def advance(self, passed_us: int) -> bool:
        """Let time pass; True when the window now looks different."""
        if not self.scrolls:
            return False
        self._part += passed_us * self._window.speed
        pixels = self._part // _SECOND_US
        if not pixels:
            return False
        self._part -= pixels * _SECOND_US
        self.offset = (self.offset + pixels) % self._period
        return True

    def pixel_us(self) -> int:
        """Microseconds until the next pixel step."""
        return (_SECOND_US - self._part + self._window.speed - 1) // self._window.speed

    def paint(self, rows: "list[int]", width: int) -> None:
        """Put the window into `rows`, integers of `width` bits; what was under it is gone."""
        window = self._window
        first = self.offset - window.w if self.scrolls else 0
        shift = width - window.x - window.w
        keep = ((1 << width) - 1) ^ (((1 << window.w) - 1) << shift)
        for index in range(window.h):
            pixels = self._strip.row(index, first, window.w)
            rows[window.y + index] = (rows[window.y + index] & keep) | (pixels << shift)


def compose(placed: "list[Placed]", width: int, height: int) -> bytes:
    """The frame of `placed` windows in painting order."""
    rows = [0] * height
    for one in placed:
        one.paint(rows, width)
    return b"".join([row.to_bytes(width // 8, "big") for row in rows])
