"""Silence and blank at the hub itself: no network, no signature; over everything, until somebody at the hub resumes.

A signed order to resume does not end them, however high its issuer stands: they are the safety stop of whoever is on
the spot. The outputs close first and the journal is written then: a full card must not keep a loudspeaker loud.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from ward_hub.clock import Clock
from ward_hub.errors import HubError
from ward_hub.holds import Hold, What
from ward_hub.journal import Journal, JournalFailure, Ledger
from ward_hub.playout.director import Director
from ward_hub.waiting import held
from ward_protocol.cbor import is_array

log = logging.getLogger(__name__)


class LocalHolds:
    """Answers `silence`, `blank` and `resume` of `control`; `zones` and `boards` are all that this hub has."""

    def __init__(
        self, *, director: Director, journal: Journal, clock: Clock, zones: Iterable[str], boards: Iterable[str]
    ) -> None:
        self._director = director
        self._journal = journal
        self._clock = clock
        self._known = {What.SILENCE: ("zone", tuple(zones)), What.BLANK: ("board", tuple(boards))}
        self._standing: dict[What, Hold] = {}

    async def restore(self) -> None:
        """Take up what stood at the end of the last run."""
        self._standing = {one.what: one for one in await self._journal.do(Ledger.holds, here=True)}
        self._director.hold_here(self._standing.values())

    async def silence(self, asked: Mapping[str, Any]) -> object:
        """Close all zones, or `only` some beside those that are closed; return which are closed now, empty for all."""
        return await self._hold(What.SILENCE, asked)

    async def blank(self, asked: Mapping[str, Any]) -> object:
        """The same for boards."""
        return await self._hold(What.BLANK, asked)

    async def resume(self, _: Mapping[str, Any]) -> object:
        """End what was held here; return what that was, and what orders let stand."""
        ended = list(self._standing.values())
        try:
            await self._journal.do(Ledger.release, ended)
        except JournalFailure as error:
            raise HubError(
                f"resume: the journal cannot be written ({error}): what is closed stays so; make room on the card"
            ) from error
        # What was held meanwhile stands: a new command makes a new hold, also one that says the same.
        self._standing = {what: one for what, one in self._standing.items() if all(one is not gone for gone in ended)}
        self._director.hold_here(self._standing.values())
        for one in ended:
            log.warning("resumed at the hub: %s of %s is over", one.what.value, ", ".join(one.outlets) or "all")
        return {"ended": [held(one) for one in ended], "standing": [held(one) for one in self._director.standing]}

    async def _hold(self, what: What, asked: Mapping[str, Any]) -> object:
        outlets, before = self._asked_for(what, asked), self._standing.get(what)
        since = int(self._clock.now()) if before is None else before.since
        one = Hold.at_the_hub(what, outlets if before is None else _joined(before.outlets, outlets), since)
        self._standing[what] = one
        self._director.hold_here(self._standing.values())
        log.warning("%s at the hub: %s", what.value, ", ".join(one.outlets) or "all")
        try:
            await self._journal.do(Ledger.hold, one)
        except JournalFailure as error:
            raise HubError(
                f"{what.value}: it is so now, but the journal cannot be written ({error}), so it would end with the"
                " agent: make room on the card, and give the command again"
            ) from error
        return list(one.outlets)

    def _asked_for(self, what: What, asked: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the outlets that are asked for; raises HubError for one that this hub has not."""
        only = asked.get("only", [])
        if not is_array(only):
            raise HubError(f"{what.value}: a list of names is needed")
        name, known = self._known[what]
        unknown = [str(one) for one in only if one not in known]
        if unknown:
            raise HubError(f"there is no {name} {', '.join(unknown)} here; there is: {', '.join(known) or 'none'}")
        return tuple(only)


def _joined(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is closed by two commands: the second opens nothing. Empty is all."""
    return tuple(dict.fromkeys((*these, *those))) if these and those else ()
