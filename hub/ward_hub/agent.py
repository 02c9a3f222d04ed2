"""The agent as one running whole: wires the parts together, restores what the journal knows, and ends safely."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from ward_hub import systemd
from ward_hub.clock import Clock
from ward_hub.config import Config
from ward_hub.errors import StateError
from ward_hub.feeds import Feeds
from ward_hub.identity import hub_key
from ward_hub.intake import Accepted, Intake
from ward_hub.journal import Entry, Journal, State
from ward_hub.links import SourceLink
from ward_hub.media import MediaStore
from ward_hub.outbox import Outbox
from ward_hub.outputs import Outputs
from ward_hub.playout.director import Director
from ward_hub.playout.player import Player
from ward_hub.programme import Candidate
from ward_hub.recordings import Recordings
from ward_hub.supervisor import supervise
from ward_hub.trust import Trust
from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Cancel

log = logging.getLogger(__name__)


async def run(config: Config) -> None:
    """Run the agent until cancelled; every relay is then open and every board dark, as far as they answer.

    Raises StateError for a state directory or root file that cannot be used.
    """
    state = Path(config.hub.state)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"{state}: the state directory cannot be made: {error.strerror}") from error
    clock = Clock()
    with Journal(state / "journal.sqlite", config.hub.id, hub_key(state), clock) as journal:
        trust = restore_trust(Path(config.trust.root), journal)
        if trust.beat is not None:
            clock.restore(trust.beat.time)
        async with AsyncExitStack() as stack:
            outputs = await stack.enter_async_context(Outputs(config, clock))
            link = await stack.enter_async_context(SourceLink(config.source.uri))
            await Agent(config=config, clock=clock, journal=journal, trust=trust, outputs=outputs, link=link).run()


def restore_trust(root: Path, journal: Journal) -> Trust:
    """Return the trust documents of the journal, or begin from the root file; raises StateError."""
    kept = journal.ledger.documents()
    try:
        trust = Trust.from_first_root(kept.get("root") or root.read_bytes())
        if "grants" in kept:
            trust = trust.with_grants(kept["grants"], now=0)
        if "beat" in kept:
            trust, _ = trust.with_beat(kept["beat"])
    except OSError as error:
        raise StateError(f"{root}: the root cannot be read: {error.strerror}") from error
    except StatementError as error:
        raise StateError(f"{root}, or what the journal keeps of it, is not acceptable: {error}") from error
    return trust


class Agent:
    """The parts that decide, over the outputs and the link that they are given."""

    def __init__(
        self, *, config: Config, clock: Clock, journal: Journal, trust: Trust, outputs: Outputs, link: SourceLink
    ) -> None:
        self._config = config
        self._journal = journal
        self._outputs = outputs
        settings, language = config.airing, config.hub.language
        player = Player(
            amplifiers=outputs.amplifiers,
            boards=outputs.boards,
            sound=outputs.sound,
            settings=settings,
            language=language,
            first_show_id=random.SystemRandom().getrandbits(32),
        )
        store = MediaStore(Path(config.hub.state) / "media")
        self._recordings = Recordings(
            link=link,
            store=store,
            language=language,
            probe=outputs.sound.probe,
            on_ready=self._ready,
            on_bad=self._bad,
        )
        self._director = Director(player, journal, clock, self._recordings.path, settings.max_attempts)
        intake = Intake(config.hub.id, config.hub.area, journal, clock, lambda: self._feeds.trust)
        self._feeds = Feeds(
            link=link, intake=intake, journal=journal, clock=clock, trust=trust, on_accepted=self._accepted
        )
        self._outbox = Outbox(link, journal)

    async def run(self) -> None:
        """Run until cancelled, then leave the outputs safe."""
        self._journal.on_receipt = self._outbox.poke
        self._restore()
        parts = {
            "programme": self._director.run,
            "recordings": self._recordings.run,
            "feeds": self._feeds.run,
            "outbox": self._outbox.run,
            "watchdog": systemd.watchdog,
            **self._outputs.parts(),
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, part in parts.items():
                    group.create_task(supervise(name, part), name=name)
                systemd.notify("READY=1")
                log.info("ready: hub %s in %s", self._config.hub.id, self._config.hub.area)
        finally:
            systemd.notify("STOPPING=1")
            await self._outputs.make_safe()
            log.info("stopped: relays open, boards dark")

    def _restore(self) -> None:
        for entry in self._journal.ledger.unfinished():
            self._resume(entry)

    def _resume(self, entry: Entry) -> None:
        bulletin = Envelope.open(entry.data).statement
        if not isinstance(bulletin, Bulletin):
            raise StateError(f"the journal holds {entry.digest.hex()} as unfinished, and it is no bulletin")
        if entry.state is State.AIRING:
            log.warning("airing %s was cut short by the agent's end", entry.digest.hex()[:16])
            if entry.attempts >= self._config.airing.max_attempts:
                detail = f"cut short {entry.attempts} times, the last by the agent's end"
                self._journal.ledger.end(entry.digest, State.PARTLY, Reason.INTERRUPTED, detail)
                return
            self._journal.ledger.interrupt(entry.digest, "restart")
        self._director.hold(self._recordings.want(Candidate(entry.digest, bulletin, attempts=entry.attempts)))

    async def _accepted(self, accepted: Accepted) -> None:
        if isinstance(accepted.statement, Cancel):
            await self._cancel(accepted.statement)
            return
        for digest in accepted.statement.supersedes:
            await self._director.drop(digest, State.NOT_AIRED, Reason.SUPERSEDED, "a later bulletin replaces it")
        self._director.hold(self._recordings.want(Candidate(accepted.digest, accepted.statement)))

    async def _cancel(self, cancel: Cancel) -> None:
        await self._director.drop(cancel.target, State.CANCELLED, Reason.CANCELLED, cancel.why, issuer=cancel.issuer)

    def _ready(self, candidate: Candidate) -> None:
        self._director.hold(replace(candidate, ready=True))

    async def _bad(self, candidate: Candidate, reason: Reason, detail: str) -> None:
        await self._director.recording_failed(candidate, reason, detail)
