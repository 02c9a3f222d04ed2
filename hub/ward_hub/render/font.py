"""The font of the boards: Be Vietnam Pro, its files and the characters it holds.

Pillow cannot be asked whether a font has a character (it draws the "not defined" box instead), so the
character map is read here from the file.

Ref: OpenType 1.9, "Font Tables" (table directory) and "cmap" (subtable formats 4 and 12).
"""

from __future__ import annotations

import struct
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import ImageFont, features

from ward_hub.render.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "fontpkg_be_vietnam_pro"  # PyPI fontpkg-be-vietnam-pro, OFL-1.1


class Weight(StrEnum):
    """The weights used on boards; thinner ones break into dots at 16 pixels, heavier ones fill up."""

    REGULAR = "Regular"
    MEDIUM = "Medium"
    SEMIBOLD = "SemiBold"
    BOLD = "Bold"


class Segment(NamedTuple):
    """One row of a format 4 subtable: characters `start` to `end`, and how their glyph ids are found."""

    start: int
    end: int
    delta: int
    offset: int
    offset_at: int


def font_file(weight: Weight) -> Path:
    """The font's file on disk."""
    return Path(str(files(PACKAGE).joinpath("files", f"BeVietnamPro-{weight}.ttf")))


@cache
def sized(weight: Weight, ppem: int) -> ImageFont.FreeTypeFont:
    """The font at `ppem` pixels per em, shaped by raqm; RenderError when this Pillow was built without it."""
    if not features.check("raqm"):
        raise RenderError("Pillow was built without raqm; install its wheel from PyPI, which has it")
    return ImageFont.truetype(font_file(weight), ppem, layout_engine=ImageFont.Layout.RAQM)


@cache
def coverage(weight: Weight) -> frozenset[int]:
    """Every code point for which the font has a glyph of its own."""
    data = font_file(weight).read_bytes()
    table = _cmap(data)
    (count,) = struct.unpack_from(">H", table, 2)
    points: set[int] = set()
    for index in range(count):
        platform, encoding, offset = struct.unpack_from(">HHL", table, 4 + 8 * index)
        if (platform, encoding) in {(0, 3), (0, 4), (3, 1), (3, 10)}:
            points.update(_subtable(table[offset:]))
    return frozenset(points)


def _cmap(data: bytes) -> bytes:
    (count,) = struct.unpack_from(">H", data, 4)
    for index in range(count):
        tag, _, offset, length = struct.unpack_from(">4sLLL", data, 12 + 16 * index)
        if tag == b"cmap":
            return data[offset : offset + length]
    raise RenderError("the font file has no character map; reinstall fontpkg-be-vietnam-pro")


def _subtable(table: bytes) -> Iterator[int]:
    (form,) = struct.unpack_from(">H", table)
    if form == 4:
        for segment in _segments(table):
            yield from (point for point in range(segment.start, segment.end + 1) if _glyph(table, segment, point))
    elif form == 12:
        (groups,) = struct.unpack_from(">L", table, 12)
        for index in range(groups):
            start, end, _ = struct.unpack_from(">LLL", table, 16 + 12 * index)
            yield from range(start, end + 1)


def _segments(table: bytes) -> Iterator[Segment]:
    """The segments of a format 4 subtable; the last is the 0xFFFF sentinel and is left out."""
    (double,) = struct.unpack_from(">H", table, 6)
    for index in range(double // 2 - 1):
        at = 14 + 2 * index
        (end,) = struct.unpack_from(">H", table, at)
        start, delta, offset = (struct.unpack_from(">H", table, at + 2 + double * column)[0] for column in (1, 2, 3))
        yield Segment(start, end, delta, offset, at + 2 + 3 * double)


def _glyph(table: bytes, segment: Segment, point: int) -> int:
    """The glyph id of a character within its segment, 0 for "not defined"."""
    if not segment.offset:
        return (point + segment.delta) & 0xFFFF
    at = segment.offset_at + segment.offset + 2 * (point - segment.start)
    (glyph,) = struct.unpack_from(">H", table, at)
    return int(glyph and (glyph + segment.delta) & 0xFFFF)
