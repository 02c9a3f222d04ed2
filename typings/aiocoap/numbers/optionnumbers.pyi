"""Option numbers; others than the registered ones are made as they come."""

from enum import IntEnum

class OptionNumber(IntEnum):
    URI_PATH = 11
