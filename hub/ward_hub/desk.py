"""What people at the hub may see and do: the status, the queue, stop, purge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ward_hub.alarms import Alarms
from ward_hub.clock import Clock, Known
from ward_hub.errors import HubError
from ward_hub.journal import Journal, JournalFailure, Ledger, State
from ward_hub.keeper import Keeper
from ward_hub.links import SourceLink
from ward_hub.moments import moment
from ward_hub.outputs import Outputs
from ward_hub.playout.director import Director
from ward_hub.programme import Candidate
from ward_hub.waiting import held, waiting
from ward_protocol.cbor import is_array
from ward_protocol.reasons import Reason

log = logging.getLogger(__name__)
SHORTEST_ID = 4
NTP = {True: "synchronised", False: "unsynchronised", None: "unknown"}


class Desk:
    """Answers what `control` is asked, from the parts of the agent; every act is in the log and in the journal."""

    def __init__(
        self,
        *,
        director: Director,
        keeper: Keeper,
        journal: Journal,
        outputs: Outputs,
        link: SourceLink,
        clock: Clock,
        ways: Callable[[], Mapping[str, object]],
        alarms: Alarms,
    ) -> None:
        self._director = director
        self._keeper = keeper
        self._journal = journal
        self._outputs = outputs
        self._link = link
        self._clock = clock
        self._ways = ways
        self._alarms = alarms

    async def status(self, _: Mapping[str, Any]) -> object:
        """Return what the hub knows: the time and why, alarms, the source, what is on air and held, its outputs."""
        trust, on_air, known = self._keeper.trust, self._director.on_air, self._clock.known()
        return {
            "time": moment(known.now).isoformat(timespec="seconds"),
            "time_trust": known.trust.name.lower(),
            "clock": _clock(known),
            "alarms": [
                {
                    "alarm": one.kind.word,
                    "since": _moment(one.since_ms // 1000),
                    "details": [each.as_json() for each in one.details],
                }
                for one in self._alarms.standing
            ],
            "newest_beat": None if trust.beat is None else _moment(trust.beat.time),
            "source": self._link.state.name.lower(),
            **self._ways(),
            "root": trust.root.version,
            "grants": None if trust.grants is None else trust.grants.version,
            "on_air": None if on_air is None else _line(on_air, on_air=True),
            "held": [held(one) for one in self._director.standing],
            "queued": len(self._director.queue),
            "receipts": self._link.receipts,
            "receipts_waiting": len(await self._journal.do(Ledger.waiting, 1000)),
            "amplifiers": [one.summary() for one in self._outputs.amplifiers],
            "buses": [one.summary() for one in self._outputs.lines],
            "boards": [one.summary() for one in self._outputs.boards],
        }

    async def queue(self, _: Mapping[str, Any]) -> object:
        """Return what is on air or to air, since when, and why it waits; in no promised order."""
        received = await self._journal.do(Ledger.received)
        return [self._waiting(one, received.get(one.digest, 0)) for one in self._director.queue]

    async def stop(self, _: Mapping[str, Any]) -> object:
        """End what is on air: sound and relays at once. Returns its id, None where nothing is on air."""
        on_air = self._director.on_air
        if on_air is None:
            return None
        await self._end([on_air], "stop", "stopped", Reason.STOPPED)
        return on_air.digest.hex()

    async def purge(self, asked: Mapping[str, Any]) -> object:
        """End bulletins that are to air: those whose id begins with one of `ids`, or `all`. Returns their ids."""
        chosen = [one for one in self._director.queue if asked.get("all") or self._named(one, asked)]
        await self._end(chosen, "purge", "purged", Reason.PURGED)
        return [one.digest.hex() for one in chosen]

    async def _end(self, chosen: Iterable[Candidate], command: str, done: str, reason: Reason) -> None:
        """End all of them, whatever the journal says; raises HubError then where it could not be written."""
        failed: JournalFailure | None = None
        for one in chosen:
            log.warning("%s at the hub: %s", done, one.digest.hex()[:16])
            state = State.PARTLY if one.attempts or one is self._director.on_air else State.NOT_AIRED
            try:
                await self._director.drop(one.digest, state, reason, f"{done} by a command at the hub")
            except JournalFailure as error:
                failed = error
        if failed is not None:
            raise HubError(
                f"{command}: it is so now, but the journal cannot be written ({failed}), so the agent would air it"
                " again after its next start: make room on the card, and leave the agent running"
            ) from failed

    def _waiting(self, one: Candidate, received_ms: int) -> dict[str, object]:
        on_air, holds = one is self._director.on_air, self._director.held_by(one.bulletin)
        shut_out = self._director.is_shut_out(one.bulletin)
        why = waiting(one, holds, self._clock.known(), shut_out=shut_out, on_air=on_air)
        return {**_line(one, on_air=on_air), "since": _moment(received_ms // 1000), **why}

    def _named(self, one: Candidate, asked: Mapping[str, Any]) -> bool:
        ids = asked.get("ids", [])
        if not is_array(ids) or any(not isinstance(name, str) or len(name) < SHORTEST_ID for name in ids):
            raise HubError(f"an id is at least its first {SHORTEST_ID} hexadecimal digits")
        return any(one.digest.hex().startswith(name.lower()) for name in ids)


def _line(one: Candidate, *, on_air: bool) -> dict[str, object]:
    return {
        "id": one.digest.hex(),
        "status": one.bulletin.status.value,
        "title": one.bulletin.title,
        "issuer": one.bulletin.issuer,
        "priority": one.bulletin.priority.name.lower(),
        "not_before": _moment(one.bulletin.not_before),
        "expires": _moment(one.bulletin.expires),
        "ready": one.ready,
        "attempts": one.attempts,
        "on_air": on_air,
    }


def _clock(known: Known) -> dict[str, object]:
    """Return what the time stands on; ages and distances in whole seconds, None where there is nothing to tell."""
    return {
        "floor": _moment(known.floor),
        "floor_from": known.floor_from.value,
        "proven_ago_s": _whole(known.confirmed_age_s),
        "beat_ago_s": _whole(known.beat_age_s),
        "beat_behind_s": None if known.beat_age_s is None else round(known.beat_behind_s),
        "ntp": NTP[known.ntp],
        "ntp_counted_ago_s": _whole(known.ntp_age_s),
        "rtc": known.rtc,
        "rtc_counted_ago_s": _whole(known.rtc_age_s),
        "system_off_s": round(known.system_off_s),
        "stands_for_s": round(known.stands_for_s),
        "not_believed_s": None if known.doubt is None else known.doubt.ahead_s,
    }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def _moment(seconds: int) -> str:
    return moment(seconds).isoformat()
