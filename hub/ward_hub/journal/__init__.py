"""The journal: written before anything acts, and the only place that survives a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from ward_hub.clock import Clock
from ward_hub.errors import StateError
from ward_hub.journal.hub_ledger import Standing
from ward_hub.journal.ledger import Bounds, Entry, Ledger, State, Withdrawal
from ward_hub.journal.receipts import ReceiptBook, Waiting, need_same_key
from ward_hub.journal.schema import connect
from ward_protocol.keys import Signing

P = ParamSpec("P")
R = TypeVar("R")

JournalFailure = sqlite3.Error
"""What `Journal.do` raises where the file cannot be read or written."""

__all__ = ["Bounds", "Entry", "Journal", "JournalFailure", "Ledger", "Standing", "State", "Waiting", "Withdrawal"]


class Journal:
    """The ledger behind its one writer: a thread of its own, so that a slow card never stops the loop.

    `ledger` may be used directly before the loop starts; afterwards only through `do`. `on_receipt` is called in the
    loop when receipts were written. Raises StateError for a file that cannot be used, or whose receipts are signed
    with another key than `signer`'s.
    """

    def __init__(self, path: Path, hub: str, signer: Signing, clock: Clock) -> None:
        self._db = connect(path)
        try:
            need_same_key(self._db, signer.public)
        except (StateError, JournalFailure):
            self._db.close()
            raise
        self._receipts = ReceiptBook(hub, signer, clock)
        self.ledger = Ledger(self._db, self._receipts, clock)
        self.on_receipt: Callable[[], None] = lambda: None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    async def do(self, method: Callable[Concatenate[Ledger, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a method of `Ledger` in the writer's thread; a cancelled caller does not stop what was begun."""
        loop = asyncio.get_running_loop()
        before = self._receipts.written
        result = await loop.run_in_executor(self._writer, lambda: method(self.ledger, *args, **kwargs))
        if self._receipts.written != before:
            self.on_receipt()
        return result

    def close(self) -> None:
        """Finish what was begun and close the file."""
        self._writer.shutdown(wait=True)
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
