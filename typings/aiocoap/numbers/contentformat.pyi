"""Content-Formats; others than the registered ones are made as they come."""

from enum import IntEnum

class ContentFormat(IntEnum):
    TEXT = 0
