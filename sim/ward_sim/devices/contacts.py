"""Relays as things: a coil that is driven, a contact that follows it, unless it is stuck or welded.

A controller reads its own pins, so it does not see such a contact; what is behind it (supply, sound) does.
"""

from __future__ import annotations

from collections.abc import Callable

Moved = Callable[[int, bool], None]
"""Takes a relay and whether its contact is closed now."""


class Contacts:
    """`count` relays, open; `on_move(relay, closed)` is called for every contact that moves."""

    def __init__(self, count: int, on_move: Moved) -> None:
        self._coils = [False] * count
        self._closed = [False] * count
        self._stuck: set[int] = set()
        self._welded: set[int] = set()
        self._on_move = on_move

    @property
    def closed(self) -> tuple[bool, ...]:
        """What each contact really is, True = closed."""
        return tuple(self._closed)

    @property
    def driven(self) -> tuple[bool, ...]:
        """What each coil is told."""
        return tuple(self._coils)

    def drive(self, relay: int, on: bool) -> None:
        """Give its coil current, or take it away."""
        self._coils[relay] = on
        self._settle(relay)

    def release(self) -> None:
        """Let go of every coil, as floating pins do."""
        for relay in range(len(self._coils)):
            self.drive(relay, False)

    def stick(self, relay: int) -> None:
        """Its contact does not close any more."""
        self._stuck.add(relay)
        self._settle(relay)

    def weld(self, relay: int) -> None:
        """Its contact does not open any more once it is closed."""
        self._welded.add(relay)

    def heal(self, relay: int) -> None:
        """As new."""
        self._stuck.discard(relay)
        self._welded.discard(relay)
        self._settle(relay)

    def _settle(self, relay: int) -> None:
        closed = self._coils[relay] and relay not in self._stuck
        closed = closed or (self._closed[relay] and relay in self._welded)
        if closed != self._closed[relay]:
            self._closed[relay] = closed
            self._on_move(relay, closed)
