"""The agent as one running whole: wires the parts together, restores what the journal knows, and ends safely."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from ward_hub import systemd
from ward_hub.alarm_words import Code, detail
from ward_hub.alarms import Alarms
from ward_hub.break_glass import BreakGlassWatch
from ward_hub.channel import installed, own_key
from ward_hub.clock import Clock
from ward_hub.config import Config
from ward_hub.configured import prints
from ward_hub.control import NAME, Control
from ward_hub.correction import correction
from ward_hub.desk import Desk
from ward_hub.errors import StateError
from ward_hub.expiry import ExpiryWatch
from ward_hub.feeds import Feeds
from ward_hub.freshness import Freshness
from ward_hub.identity import JOURNAL, alone_in, hub_key
from ward_hub.intake import BEAT, Accepted, Intake, Place, Verdict, withdrawals
from ward_hub.journal import Entry, Journal, Ledger, State
from ward_hub.keeper import Keeper
from ward_hub.kept import as_accepted
from ward_hub.keys.files import private_directory
from ward_hub.links import Channel, NoChannel, SourceLink
from ward_hub.local_holds import LocalHolds
from ward_hub.media import MediaStore
from ward_hub.orders import Orders
from ward_hub.outbox import Outbox
from ward_hub.outputs import Outputs
from ward_hub.playout.director import Director
from ward_hub.playout.player import Player
from ward_hub.programme import Candidate
from ward_hub.recordings import Recordings
from ward_hub.settings import Settings, passed_over, usable
from ward_hub.streams import unlocked
from ward_hub.supervisor import supervise
from ward_hub.tally import Tally
from ward_hub.tampering import Tampering
from ward_hub.trust import Trust, kept_beat, kept_grants
from ward_hub.ways import MIB, Ways
from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Cancel, Order

log = logging.getLogger(__name__)
LOOK_S = 0.5


class Reconfigured(Exception):
    """The agent ends to begin anew with other settings."""


async def run(config: Config) -> None:
    """Run the agent until cancelled; every relay is then open and every board dark, as far as they answer.

    Raises StateError for a state directory or root file that cannot be used, TokenError for the token of its key.
    """
    state = Path(config.hub.state)
    private_directory(state)
    clock = Clock(rtc=config.clock.rtc)
    with (
        alone_in(state),
        hub_key(state, config.key) as key,
        Journal(state / JOURNAL, config.hub.id, key, clock) as journal,
    ):
        clock.restore(journal.ledger.clock(), journal.ledger.newest_beat())
        alarms = Alarms(journal, clock)
        alarms.restore(journal.ledger.alarms())
        changed = journal.ledger.configure(prints(config, passed_over(config, journal.ledger.settings())))
        if changed:
            alarms.changed(detail(Code.CHANGED_AT_START, changed=list(changed)))
        while True:
            try:
                await _run(usable(config, journal.ledger.settings()), journal, clock, alarms)
            except* Reconfigured:
                log.warning("settings were changed by an order: begins anew with %s", journal.ledger.settings())


async def _run(config: Config, journal: Journal, clock: Clock, alarms: Alarms) -> None:
    trust = restore_trust(Path(config.trust.root), journal)
    async with AsyncExitStack() as stack:
        outputs = await stack.enter_async_context(Outputs(config, clock, Tampering(journal, alarms), alarms))
        link = await stack.enter_async_context(SourceLink(config.source.uri, channel=channel_of(config)))
        agent = Agent(
            config=config, clock=clock, journal=journal, alarms=alarms, trust=trust, outputs=outputs, link=link
        )
        await agent.run()


def channel_of(config: Config) -> Channel | NoChannel | None:
    """Return the channel for receipts, None where they go open.

    One that cannot be used keeps receipts here, and nothing else: what is to air must air.
    """
    try:
        end = installed(Path(config.hub.state), config.hub.id, protected=config.source.protected)
    except StateError as error:
        log.error("receipts stay here until the channel is mended: %s", error)
        return NoChannel(str(error))
    return None if end is None else Channel(end.agreement, end.numbers.take)


def restore_trust(root: Path, journal: Journal) -> Trust:
    """Return the trust documents of the journal, or begin from the root file; raises StateError."""
    kept = journal.ledger.documents()
    try:
        trust = Trust.from_first_root(kept.get("root") or root.read_bytes())
        # Verified when they were kept. A later root may have other keys, and they are in force until replaced.
        if "grants" in kept:
            trust = replace(trust, grants=kept_grants(kept["grants"]))
        if "beat" in kept:
            trust = replace(trust, beat=kept_beat(kept["beat"]))
    except OSError as error:
        raise StateError(f"{root}: the root cannot be read: {error.strerror}") from error
    except StatementError as error:
        raise StateError(f"{root}, or what the journal keeps of it, is not acceptable: {error}") from error
    return trust


class Agent:
    """The parts that decide, over the outputs and the link that they are given."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        journal: Journal,
        alarms: Alarms,
        trust: Trust,
        outputs: Outputs,
        link: SourceLink,
    ) -> None:
        self._config = config
        self._journal = journal
        self._outputs = outputs
        self._left_behind = asyncio.Event()
        self._acting = asyncio.Lock()  # what was accepted acts one by one, in the order of the decisions
        settings, language = config.airing, config.hub.language
        player = Player(
            amplifiers=outputs.amplifiers,
            boards=outputs.boards,
            sound=outputs.sound,
            live=outputs.live,
            settings=settings,
            language=language,
            first_show_id=random.SystemRandom().getrandbits(32),
        )
        media = config.media
        store = MediaStore(
            Path(config.hub.state) / "media", most=media.max_mib * MIB, most_ahead=media.max_ahead_mib * MIB
        )
        self._recordings = Recordings(
            link=link,
            store=store,
            language=language,
            probe=outputs.sound.probe,
            wanted=self._is_wanted,
            held=self._held,
            on_ready=self._ready,
            on_bad=self._bad,
        )
        keeper = Keeper(trust, journal, clock)
        self._freshness = Freshness(
            link=link,
            take=self._take_beat,
            clock=clock,
            journal=journal,
            alarms=alarms,
            trust=lambda: keeper.trust,
            settings=config.clock,
        )
        self._director = Director(
            player,
            journal,
            clock,
            self._recordings.path,
            max_attempts=settings.max_attempts,
            level_of=keeper.level_of,
            confirm=self._freshness.confirm,
            language=language,
        )
        self._settings = Settings(config, journal)
        self._orders = Orders(
            director=self._director,
            journal=journal,
            keeper=keeper,
            settings=self._settings,
            alarms=alarms,
            air=self._take_up,
            unlocked=lambda digest, order: unlocked(digest, order, config.hub.id, self._own_key),
            language=language,
        )
        self._local = LocalHolds(
            director=self._director,
            journal=journal,
            clock=clock,
            zones=[zone for one in outputs.amplifiers for zone in one.zones],
            boards=[one.id for one in outputs.boards],
        )
        tally, seconds = Tally(), asyncio.get_running_loop().time
        self._intake = Intake(
            config.hub.id,
            config.hub.area,
            journal=journal,
            clock=clock,
            keeper=keeper,
            tally=tally,
            cut_off=keeper.cut_off,
        )
        self._feeds = Feeds(
            link=link,
            meet=self._freshness.meet,
            deliver=self.deliver,
            refuse_unread=self._intake.refuse_unread,
            journal=journal,
            keeper=keeper,
        )
        self._ways = Ways(config, self.deliver, self._recordings, journal, tally=tally, alarms=alarms, clock=seconds)
        self._alarms = alarms
        self._break_glass = BreakGlassWatch(journal, alarms)
        self._outbox = Outbox(link, journal)
        desk = Desk(
            director=self._director,
            keeper=keeper,
            journal=journal,
            outputs=outputs,
            link=link,
            clock=clock,
            ways=self._ways.status,
            alarms=alarms,
        )
        acts = {"status": desk.status, "queue": desk.queue, "stop": desk.stop, "purge": desk.purge, **self._ways.acts}
        acts |= {"silence": self._local.silence, "blank": self._local.blank, "resume": self._local.resume}
        self._control = Control(Path(config.hub.state) / NAME, acts)
        self._expiry = ExpiryWatch(lambda: keeper.trust, clock.now, alarms)

    async def run(self) -> None:
        """Run until cancelled, then leave the outputs safe."""
        self._journal.on_receipt = self._receipt_written
        parts = {
            "programme": self._director.run,
            "recordings": self._recordings.run,
            "feeds": self._follow,
            "left-behind": self._take_up_left_behind,
            "freshness": self._freshness.run,
            "alarms": self._alarms.run,
            "break-glass": self._break_glass.run,
            "outbox": self._outbox.run,
            "control": self._control.run,
            "expiry": self._expiry.run,
            "watchdog": systemd.watchdog,
            **self._ways.parts(),
            **self._outputs.parts(),
        }
        try:
            await self._local.restore()  # once: what could not be written must outlast a part that begins again
            async with asyncio.TaskGroup() as group:
                for name, part in parts.items():
                    group.create_task(supervise(name, part), name=name)
                group.create_task(self._reconfigured(), name="settings")
                systemd.notify("READY=1")
                log.info("ready: hub %s in %s", self._config.hub.id, self._config.hub.area)
        finally:
            systemd.notify("STOPPING=1")
            safe = await self._outputs.make_safe()
            log.info("stopped: %s", "relays open, boards dark" if safe else "not every output could be made safe")

    async def deliver(self, data: bytes, place: Place) -> Verdict:
        """Have bytes from any way in judged, and let what is accepted act; that may take a moment longer."""
        verdict = await self._intake.take(data, place)
        if verdict.accepted is not None:
            try:
                async with self._acting:
                    await self._accepted(verdict.accepted)
            except Exception:
                log.exception("accepted %s is taken up in a moment", verdict.digest.hex()[:16])
                self._left_behind.set()
        return verdict

    async def _take_up_left_behind(self) -> None:
        """Take up what was accepted and could not be taken up at once, until cancelled."""
        while True:
            await self._left_behind.wait()
            await self._take_up_unfinished()
            self._left_behind.clear()

    async def _follow(self) -> None:
        """Follow the source, after taking up what was accepted and is in nobody's hands.

        After a restart that is all that had not ended, later what a failure of this part left behind.
        """
        await self._take_up_unfinished()
        await self._feeds.run()

    async def _take_up_unfinished(self) -> None:
        async with self._acting:
            await self._orders.restore()
            unfinished = await self._journal.do(Ledger.unfinished)
            for entry in [one for one in unfinished if not self._director.holds(one.digest)]:
                await self._resume(entry)

    async def _resume(self, entry: Entry) -> None:
        try:
            statement = as_accepted(entry)
        except StatementError as error:
            log.error("%s is given up: %s", entry.digest.hex()[:16], error)
            state = State.PARTLY if entry.attempts else State.NOT_AIRED
            await self._journal.do(Ledger.end, entry.digest, state, error.reason, error.detail)
            return
        if isinstance(statement, Order):
            await self._orders.carry_out(entry.digest, statement, attempts=entry.attempts)
            return
        if entry.state is State.AIRING:
            log.warning("airing %s was cut short by the agent's end", entry.digest.hex()[:16])
            if entry.attempts >= self._config.airing.max_attempts:
                detail = f"cut short {entry.attempts} times, the last by the agent's end"
                await self._journal.do(Ledger.end, entry.digest, State.PARTLY, Reason.INTERRUPTED, detail)
                return
            await self._journal.do(Ledger.interrupt, entry.digest, "restart")
        await self._air(entry.digest, statement, attempts=entry.attempts, rank=entry.rank)

    async def _reconfigured(self) -> None:
        """End the agent's run, for another with new settings, once nothing is on air."""
        await self._settings.changed.wait()
        while self._director.on_air is not None:  # noqa: ASYNC110 - once in years
            await asyncio.sleep(LOOK_S)
        raise Reconfigured

    def _receipt_written(self) -> None:
        self._outbox.poke()
        self._break_glass.poke()

    async def _take_beat(self, data: bytes) -> None:
        await self._intake.take(data, Place(BEAT))

    async def _accepted(self, accepted: Accepted) -> None:
        statement = accepted.statement
        for one in withdrawals(statement):
            await self._director.drop(one.target, one.state, one.reason, one.detail, issuer=statement.issuer)
        if await self._journal.do(Ledger.state_of, accepted.digest) is not State.ACCEPTED:
            return  # a cancel that says nothing; or it was taken up as left behind meanwhile
        if isinstance(statement, Order):
            await self._orders.carry_out(accepted.digest, statement)
        else:
            await self._air(accepted.digest, statement)

    async def _air(self, digest: bytes, statement: Bulletin | Cancel, *, attempts: int = 0, rank: int = 0) -> None:
        """Take up a bulletin, or the correction that a cancel asks for, under the digest of either."""
        bulletin = statement if isinstance(statement, Bulletin) else await self._correction(statement)
        if bulletin is None:
            await self._journal.do(
                Ledger.nothing_to_air, digest, "nothing to correct: it was not on air here as Actual"
            )
        else:
            await self._take_up(Candidate(digest, bulletin, attempts=attempts, rank=rank))

    async def _correction(self, cancel: Cancel) -> Bulletin | None:
        wrong = await self._journal.do(Ledger.entry, cancel.target)
        target = Envelope.open(wrong.data).statement if wrong and wrong.attempts else None
        return correction(target, cancel) if isinstance(target, Bulletin) else None

    async def _take_up(self, candidate: Candidate) -> None:
        """Hold a bulletin to be aired, unless its issuer has taken it back already: a cancel may come first."""
        taken = await self._journal.do(Ledger.withdrawal, candidate.digest, candidate.bulletin.issuer)
        if taken is None:
            self._director.hold(self._recordings.want(candidate))
        else:
            await self._journal.do(Ledger.end, candidate.digest, taken.state, taken.reason, taken.detail)

    def _own_key(self) -> ChannelKey:
        return own_key(Path(self._config.hub.state), self._config.hub.id)

    def _held(self) -> list[Bulletin]:
        return [one.bulletin for one in self._director.queue]

    def _is_wanted(self, digest: bytes) -> bool:
        return self._director.holds(digest)

    def _ready(self, digest: bytes) -> None:
        self._director.ready(digest)

    async def _bad(self, candidate: Candidate, reason: Reason, detail: str) -> None:
        await self._director.recording_failed(candidate, reason, detail)
