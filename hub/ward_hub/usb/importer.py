"""Takes what a bundle holds, item by item: each statement goes to the one intake, each recording to the others.

The bundle itself decides nothing, so taking half of one is harmless: what was judged stays judged, and the rest comes
with the next try. Nothing is decoded here.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from ward_hub.errors import HubError
from ward_hub.intake import Deliver, Place
from ward_hub.journal import Journal, Ledger
from ward_hub.staging import Staging
from ward_hub.tally import Tally
from ward_hub.usb.container import NAME, BundleError, Item, Kind
from ward_hub.usb.stick import Damaged, Stick

log = logging.getLogger(__name__)
WAY = "usb"


class Store(Protocol):
    """Where recordings go."""

    def holds(self, sha256: bytes) -> bool:
        """Say whether that recording is on this hub already."""
        ...

    async def offer(self, draft: Path, sha256: bytes) -> None:
        """Take a recording that came whole: the file `draft` has that SHA-256, and is moved. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one item; `reason` and `detail` are those of a refusal, or say why it could not be taken."""

    kind: str
    sha256: str
    accepted: bool
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a bundle; `trouble` says why nothing, or not all of it, was taken."""

    path: str
    items: tuple[Taken, ...] = ()
    trouble: str = ""

    def counts(self) -> dict[str, object]:
        """Return it in short, for the log, the audit trail and the status."""
        statements = [one for one in self.items if one.kind != Kind.RECORDING.name.lower()]
        return {
            "path": self.path,
            "accepted": sum(one.accepted for one in statements),
            "refused": sum(not one.accepted for one in statements),
            "recordings": sum(one.accepted for one in self.items) - sum(one.accepted for one in statements),
            "trouble": self.trouble,
        }


class Importer:
    """Takes bundles one after the other; `last` is what became of the newest."""

    def __init__(self, deliver: Deliver, store: Store, staging: Staging, journal: Journal, tally: Tally) -> None:
        self._deliver = deliver
        self._store = store
        self._staging = staging
        self._journal = journal
        self._tally = tally
        self._taking = asyncio.Lock()
        self.last: Report | None = None

    async def asked(self, asked: Mapping[str, Any]) -> object:
        """Take the bundle of a command at the hub; return what became of each item."""
        path = Path(str(asked.get("path")))
        if not path.is_absolute() or path.name != NAME:
            raise HubError(f"a bundle is a file of the name {NAME}, given with its whole path")
        if self._taking.locked():
            raise HubError("a bundle is being taken already; try again when that is done")
        try:
            return asdict(await self.take(path))
        except Exception as error:
            log.exception("the bundle at %s could not be taken", path)
            raise HubError("the hub failed at it; its log says why") from error

    async def take(self, path: Path) -> Report:
        """Take the bundle at `path`, after any other that is being taken."""
        async with self._taking:
            taken: list[Taken] = []
            trouble = ""
            try:
                await self._take(path, taken)
            except BundleError as error:
                trouble = str(error)
            self.last = Report(str(path), tuple(taken), trouble)
            await self._tell(self.last)
            return self.last

    async def _take(self, path: Path, taken: list[Taken]) -> None:
        stick = Stick(path)
        try:
            await asyncio.to_thread(stick.__enter__)
            items = await asyncio.to_thread(stick.index)
            while len(taken) < len(items):
                taken.append(await self._item(stick, items[len(taken)]))
        finally:
            await asyncio.to_thread(stick.__exit__, None, None, None)

    async def _item(self, stick: Stick, item: Item) -> Taken:
        kind, sha256 = item.kind.name.lower(), item.sha256.hex()
        try:
            if item.kind is Kind.RECORDING:
                trouble = await self._recording(stick, item)
                return Taken(kind, sha256, not trouble, detail=trouble)
            data = await asyncio.to_thread(stick.data, item)
        except Damaged as error:
            return Taken(kind, sha256, accepted=False, detail=str(error))
        verdict = await self._deliver(data, Place(WAY))
        reason = "" if verdict.reason is None else verdict.reason.word
        return Taken(kind, sha256, verdict.reason is None, reason, verdict.detail)

    async def _recording(self, stick: Stick, item: Item) -> str:
        """Take a recording; return why it was not taken, empty where it was. Raises BundleError."""
        if self._store.holds(item.sha256):
            return ""
        draft: Path | None = None
        try:
            if not self._staging.has_room(item.size):
                return "there is no room on the hub's disk"
            descriptor, draft = self._staging.make()
            os.close(descriptor)  # the thread opens it by its path, and closes it, whenever the medium lets it
            await asyncio.to_thread(stick.copy, item, draft)
            await self._store.offer(draft, item.sha256)
        except OSError as error:
            return f"it could not be written to the hub's disk: {error.strerror}"
        finally:
            if draft is not None:
                draft.unlink(missing_ok=True)
        return ""

    async def _tell(self, report: Report) -> None:
        counts = report.counts()
        told = ", ".join(f"{name} {value}" for name, value in counts.items() if value)
        (log.warning if report.trouble else log.info)("bundle: %s", told)
        now = asyncio.get_running_loop().time()
        if self._tally.alone(WAY, "bad-bundle" if report.trouble else "bundle", now):
            await self._journal.do(Ledger.note, "bundle", {"place": WAY, **counts})
