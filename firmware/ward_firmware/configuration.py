"""What a controller is after a reset: staged over its line, kept on the flash when it is committed.

A configuration is a list of whole numbers; the record on the flash is those as u32, big-endian. Where that is
missing or damaged the factory values hold: those of `settings.json` over the firmware's defaults, so that a
controller with a worn flash still answers at the number that was painted on its case.
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    class Store(Protocol):
        """One record that outlives a reset; see `ward_firmware.slots`."""

        damaged: bool

        def load(self) -> bytes | None:
            """The record last saved."""

        def save(self, payload: bytes) -> None:
            """Keep a record; raises OSError."""


class Configuration:
    """`active` is in force since the start, `staged` what a master has written; `valid(index, value)` judges one.

    `damaged`: a record on the flash is not whole. `is_default`: none is, the factory values are in force.
    """

    def __init__(self, store: "Store", factory: "Sequence[int]", valid: "Callable[[int, int], bool]") -> None:
        self._store = store
        kept = store.load()
        stored = None if kept is None else _unpack(kept, len(factory), valid)
        self.damaged = store.damaged or (kept is not None and stored is None)
        self.is_default = stored is None
        self.active = list(factory) if stored is None else stored
        self.staged = list(self.active)
        self._stored = list(self.active)

    @property
    def waiting(self) -> bool:
        """Whether the flash holds something else than what is in force: it needs a restart."""
        return self._stored != self.active

    def commit(self) -> None:
        """Keep what is staged; raises OSError when the flash does not take it."""
        self._store.save(struct.pack(">%dI" % len(self.staged), *self.staged))
        self._stored = list(self.staged)
        self.damaged = self._store.damaged


def _unpack(kept: bytes, count: int, valid: "Callable[[int, int], bool]") -> "list[int] | None":
    if len(kept) != 4 * count:
        return None
    values = list(struct.unpack(">%dI" % count, kept))
    for index, value in enumerate(values):
        if not valid(index, value):
            return None
    return values
