"""Who observes the beat. A hub that registers again replaces itself, so nothing piles up for those that moved on.

Notifications are non-confirmable; every sixteenth is confirmable, so that an observer that is gone is found out: its
host resets it, or it stays silent and aiocoap gives it up. Ref: RFC 7641 §3.4 (numbers), §4.5 (confirmable ones).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiocoap import Message
from aiocoap.numbers.types import Type
from aiocoap.pipe import Pipe

CONFIRM_EACH = 16
SAY_NOTHING = 26


class Observer:
    """One registration: woken for each notification, ended when the same hub registers again."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.replaced = False

    def wake(self, *, replaced: bool = False) -> None:
        """Let it notify, or end."""
        self.replaced = self.replaced or replaced
        self.news.set()


class Observers:
    """All registrations, one for each address."""

    def __init__(self) -> None:
        self._observers: dict[str, Observer] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._observers)

    def notify(self) -> None:
        """Send what there is now to every observer."""
        self._number = (self._number + 1) % 2**24
        for one in self._observers.values():
            one.wake()

    async def serve(self, pipe: Pipe, render: Callable[[], Message]) -> None:
        """Answer a registration and notify it until it ends; cancelled when its host resets it."""
        sender = pipe.request.remote.hostinfo
        observer = Observer()
        old, self._observers[sender] = self._observers.get(sender), observer
        if old is not None:
            old.wake(replaced=True)
        try:
            pipe.add_response(self._notification(render(), self._number), is_last=False)
            await self._notify(pipe, observer, render)
        finally:
            if self._observers.get(sender) is observer:
                del self._observers[sender]

    async def _notify(self, pipe: Pipe, observer: Observer, render: Callable[[], Message]) -> None:
        while True:
            await observer.news.wait()
            observer.news.clear()
            message = self._notification(render(), self._number)
            if observer.replaced:
                message.opt.no_response = SAY_NOTHING
                message.opt.observe = None
                pipe.add_response(message, is_last=True)
                return
            message.mtype = Type.CON if self._number % CONFIRM_EACH == 0 else Type.NON
            pipe.add_response(message, is_last=False)

    @staticmethod
    def _notification(message: Message, number: int) -> Message:
        message.opt.observe = number
        message.opt.block1 = None
        return message
