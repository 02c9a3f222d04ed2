"""The agent's parts together, between a source and outputs that are simple objects: nothing lost, nothing revived."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.clocks import clock
from tests.intakes import OFFICE, OFFICE_GRANT, USB, bulletin, signed
from tests.journals import FILE, HUB, HUB_KEY, Inline, receipts, story
from tests.sim.hw.virtual import run
from tests.statements import (
    ADMISSION,
    AUTHORITY,
    BEAT,
    BEAT_KEY,
    CANCEL,
    GRANT_KEY,
    GRANTS,
    NOW,
    ORDER,
    RECALL,
    ROOT,
    ROOT_KEY,
    STRANGER,
    STREAM,
    signer,
)
from tests.unit.hub.test_config import GOOD

from ward_hub.agent import Agent, channel_of, restore_trust
from ward_hub.alarms import Alarms
from ward_hub.channel import install, keep_key
from ward_hub.config import Config, parse
from ward_hub.errors import StateError
from ward_hub.feeds import AT_ONCE
from ward_hub.journal import State, Withdrawal
from ward_hub.links import (
    Channel,
    ChannelLost,
    LinkDown,
    LinkState,
    NoChannel,
    NotFound,
    SourceLink,
    TooLarge,
)
from ward_hub.outputs import Outputs
from ward_hub.trust import Trust
from ward_protocol import cbor
from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import Envelope, seal, sign
from ward_protocol.errors import StatementError
from ward_protocol.keys import Signer, kid_of
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import (
    Action,
    Beat,
    Bulletin,
    Cancel,
    Event,
    Kind,
    Order,
    Priority,
    Receipt,
    Role,
    RoleKeys,
    StatementType,
    Status,
    TimeTrust,
    lock_master,
)

BOTH = replace(GRANTS, authorities=(AUTHORITY, OFFICE_GRANT))


@dataclass
class FakeSource:
    """A source in memory; `slow` seconds a fetch, `down` as a network that fell, `lost` why it has no channel."""

    files: dict[str, bytes | Exception] = field(default_factory=dict)
    slow: float = 0.01
    down: bool = False
    deaf: bool = False
    lost: str = ""
    asked: list[tuple[float, str]] = field(default_factory=list)
    posted: list[Receipt] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)
    receipts: str = "open"
    key: Signer = BEAT_KEY
    root: int = 1
    answers_nonces: bool = True
    ahead_s: int = 0
    nonces: list[float] = field(default_factory=list)
    _beats: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def publish(self, statement: Bulletin | Cancel | Order, by: list[Signer] | None = None) -> bytes:
        """Put a signed statement into its place, without a beat; return its digest."""
        data = sign(statement, by) if by else signed(statement)
        self.files[f"feed/{statement.issuer}/{statement.sequence}"] = data
        self.heads[statement.issuer] = max(self.heads.get(statement.issuer, 0), statement.sequence)
        return Envelope.open(data).digest

    def beat(self, by: Signer | None = None) -> None:
        self._beats.put_nowait(sign(Beat(self.now(), self.root, 1, dict(self.heads)), [by or self.key]))

    async def beats(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._beats.get()

    async def fetch(self, path: str, *, deadline: float, max_size: int) -> bytes:
        self.asked.append((asyncio.get_running_loop().time(), path))
        await asyncio.sleep(self.slow)
        found = self.files.get(path)
        if self.down:
            raise LinkDown("the network fell")
        if isinstance(found, bytes):
            return found
        raise found or NotFound(f"{path}: not there", "4.04")

    async def nonce_beat(self, nonce: bytes, deadline: float) -> bytes:
        self.nonces.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.slow)
        if self.down or not self.answers_nonces:
            await asyncio.sleep(deadline)
            raise LinkDown("the network fell")
        return sign(Beat(self.now(), self.root, 1, dict(self.heads), nonce), [self.key])

    @property
    def state(self) -> LinkState:
        return LinkState.DOWN if self.down else LinkState.OBSERVING

    def now(self) -> int:
        return NOW + self.ahead_s + int(asyncio.get_running_loop().time())

    async def post_receipt(self, envelope: bytes, *, deadline: float) -> bytes:
        if self.down:
            raise LinkDown("the network fell")
        if self.lost:
            raise ChannelLost(self.lost)
        if self.deaf:
            return b"something else"
        receipt = Envelope.open(envelope).statement
        assert isinstance(receipt, Receipt)
        self.posted.append(receipt)
        return Envelope.open(envelope).digest


@dataclass
class NoOutputs:
    """A hub with nothing attached: each airing ends at once, not aired."""

    amplifiers: list[object] = field(default_factory=list)
    boards: list[object] = field(default_factory=list)
    lines: list[object] = field(default_factory=list)
    safe: int = 0

    @property
    def sound(self) -> NoOutputs:
        return self

    @property
    def live(self) -> NoOutputs:
        return self

    async def probe(self, path: Path) -> str | None:
        return None

    def is_over(self, order: bytes) -> bool:
        return False

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {}

    async def make_safe(self) -> bool:
        self.safe += 1
        return True


class Hub:
    """An agent over a real journal file."""

    agent: Agent

    def __init__(self, folder: Path, source: FakeSource | None = None, trust: TimeTrust = TimeTrust.GOOD) -> None:
        loop = asyncio.get_running_loop()
        self.folder = folder
        self.clock = clock(lambda: NOW + loop.time(), trust)
        self.journal = Inline(folder / FILE, HUB, HUB_KEY, self.clock)
        self.alarms = Alarms(self.journal, self.clock)
        self.source = source or FakeSource()
        self.source.files.setdefault("grants/1", sign(BOTH, [GRANT_KEY]))
        self.outputs = NoOutputs()
        (folder / "root.cose").write_bytes(sign(ROOT, [ROOT_KEY]))

    async def run(self) -> None:
        content = GOOD[: GOOD.index("[[bus]]")].replace("/var/lib/wardhub", str(self.folder))
        trust = restore_trust(self.folder / "root.cose", self.journal)
        self.alarms.restore(self.journal.ledger.alarms())
        self.agent = Agent(
            config=parse(content, "hub.toml"),
            clock=self.clock,
            journal=self.journal,
            alarms=self.alarms,
            trust=trust,
            outputs=cast("Outputs", self.outputs),
            link=cast("SourceLink", self.source),
        )
        await self.agent.run()

    def events(self, digest: bytes) -> list[tuple[Event, Reason | None]]:
        return [(one.event, one.reason) for one in receipts(self.folder) if one.statement == digest]

    def aired(self, digest: bytes) -> bool:
        return any(line.event == "airing" and line.statement == digest for line in story(self.folder))


@asynccontextmanager
async def hub(
    folder: Path,
    source: FakeSource | None = None,
    prepare: Callable[[Hub], None] | None = None,
    trust: TimeTrust = TimeTrust.GOOD,
) -> AsyncIterator[Hub]:
    one = Hub(folder, source, trust)
    if prepare:
        prepare(one)
    task = asyncio.create_task(one.run())
    try:
        await asyncio.sleep(0.1)
        yield one
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        one.journal.close()


ENDED = (Event.NOT_AIRED, Reason.NO_OUTPUT)
CANCELLED = (Event.CANCELLED, Reason.CANCELLED)
ACCEPTED = (Event.ACCEPTED, None)


def test_a_bulletin_comes_from_beat_to_receipt(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            digest = one.source.publish(bulletin())
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, ENDED]
            assert [path for _, path in one.source.asked] == ["grants/1", "feed/ward/1"]
            assert one.source.posted == receipts(tmp_path)

    run(play())


# What is taken back


def test_a_cancel_that_comes_before_its_target_counts(tmp_path: Path) -> None:
    """After an outage the newest is fetched first, so that is how it always comes."""

    async def play() -> None:
        async with hub(tmp_path) as one:
            digest = one.source.publish(bulletin())
            one.source.publish(replace(CANCEL, target=digest))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, CANCELLED]
            assert not one.aired(digest)

    run(play())


def test_a_cancel_counts_that_was_accepted_just_before_the_power_went(tmp_path: Path) -> None:
    async def play() -> None:
        data = signed(bulletin())
        digest = Envelope.open(data).digest

        def before(one: Hub) -> None:
            one.journal.ledger.accept("ward", 1, digest, data)
            taken = Withdrawal(digest, State.CANCELLED, Reason.CANCELLED, "phát nhầm")
            one.journal.ledger.accept("ward", 2, b"\x09" * 32, b"", State.NOTED, withdraws=[taken])

        async with hub(tmp_path, prepare=before) as one:
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, CANCELLED]
            assert not one.aired(digest)

    run(play())


# What is taken back aloud


@pytest.mark.parametrize("status", Status)
def test_what_was_on_air_as_real_is_corrected(tmp_path: Path, status: Status) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            wrong = one.source.publish(bulletin(status=status))
            one.source.beat()
            await asyncio.sleep(5)
            recall = one.source.publish(replace(RECALL, target=wrong))
            one.source.beat()
            await asyncio.sleep(5)
            real = status is Status.ACTUAL
            assert one.aired(recall) is real
            assert one.events(recall) == [ACCEPTED, ENDED][: 1 + real]
            assert one.journal.ledger.unfinished() == []
            noted = [line for line in story(tmp_path) if line.event == "noted"]
            assert len(noted) == (not real)

    run(play())


@pytest.mark.parametrize("announce", [True, False])
@pytest.mark.parametrize("not_before", [NOW, NOW + 600])
def test_only_what_was_on_air_is_corrected_and_only_where_that_is_asked_for(
    tmp_path: Path, not_before: int, announce: bool
) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            wrong = one.source.publish(bulletin(not_before=not_before))
            one.source.beat()
            await asyncio.sleep(5)
            recall = one.source.publish(replace(RECALL, target=wrong, announce=announce))
            one.source.beat()
            await asyncio.sleep(1000)
            assert one.aired(recall) == (announce and not_before == NOW)
            assert one.aired(wrong) == (not_before == NOW)

    run(play())


def test_an_announcement_of_what_never_came_says_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            recall = one.source.publish(replace(RECALL, sequence=1))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(recall) == [ACCEPTED]
            assert one.journal.ledger.state_of(recall) is State.NOTED

    run(play())


def test_another_issuers_bulletin_is_not_corrected(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            theirs = one.source.publish(bulletin(issuer="office"), OFFICE)
            one.source.beat()
            await asyncio.sleep(5)
            recall = one.source.publish(replace(RECALL, target=theirs, sequence=1))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.aired(theirs)
            assert not one.aired(recall)

    run(play())


@pytest.mark.parametrize("begun", [0, 1])
def test_a_correction_outlives_a_power_cut(tmp_path: Path, begun: int) -> None:
    async def play() -> None:
        wrong = signed(bulletin())
        data = signed(replace(RECALL, target=Envelope.open(wrong).digest))
        recall = Envelope.open(data).digest

        def before(one: Hub) -> None:
            ledger = one.journal.ledger
            ledger.accept("ward", 1, Envelope.open(wrong).digest, wrong)
            ledger.begin(Envelope.open(wrong).digest)
            taken = Withdrawal(Envelope.open(wrong).digest, State.CANCELLED, Reason.CANCELLED, "phát nhầm")
            ledger.accept("ward", 2, recall, data, withdraws=[taken])
            for _ in range(begun):
                ledger.begin(recall)

        async with hub(tmp_path, prepare=before) as one:
            await asyncio.sleep(5)
            assert one.events(Envelope.open(wrong).digest) == [ACCEPTED, CANCELLED]
            assert one.events(recall) == [ACCEPTED, ENDED]
            evidence = receipts(tmp_path)[-1].evidence
            assert evidence is not None
            assert evidence.attempts == 1 + begun

    run(play())


def test_a_correction_can_be_taken_back_like_anything_else(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            wrong = one.source.publish(bulletin())
            one.source.beat()
            await asyncio.sleep(5)
            recall = Envelope.open(signed(replace(RECALL, target=wrong))).digest
            one.source.publish(replace(CANCEL, target=recall, sequence=3))
            one.source.beat()
            await asyncio.sleep(5)
            one.source.publish(replace(RECALL, target=wrong))
            one.source.beat()
            await asyncio.sleep(60)
            assert one.events(recall) == [ACCEPTED, CANCELLED]
            assert not one.aired(recall)

    run(play())


@pytest.mark.parametrize("theirs", [True, False])
def test_only_an_issuers_own_bulletin_is_replaced(tmp_path: Path, theirs: bool) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            first = one.source.publish(bulletin(not_before=NOW + 60))
            later = bulletin(supersedes=(first,), sequence=5)
            if theirs:
                one.source.publish(replace(later, issuer="office"), OFFICE)
            else:
                one.source.publish(later)
            one.source.beat()
            await asyncio.sleep(100)
            assert one.events(first)[1:] == [ENDED if theirs else (Event.NOT_AIRED, Reason.SUPERSEDED)]
            assert one.aired(first) == theirs

    run(play())


# Orders that come at once, as all do that were missed in an outage


def test_orders_that_come_at_once_are_all_carried_out(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            for number in (1, 2, 3):
                audience = replace(ORDER.audience, zones=(f"zone-{number}",))
                order = replace(ORDER, sequence=number, action=Action.SILENCE, targets=(), audience=audience)
                one.source.publish(order)
            one.source.beat()
            await asyncio.sleep(5)
            stands = {outlet for hold in one.agent._director.standing for outlet in hold.outlets}
            assert stands == {"zone-1", "zone-2", "zone-3"}

    run(play())


def ordered(sequence: int, action: Action, **changes: object) -> Order:
    return replace(ORDER, sequence=sequence, **{"action": action, "targets": (), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("by", "stands"), [(Priority.PRIORITY, 0), (Priority.NORMAL, 1)])
def test_a_silence_that_comes_after_its_resume_is_over(tmp_path: Path, by: Priority, stands: int, late: bool) -> None:
    """After an outage the newest is fetched first; what its issuer ended before must not begin then, and for good."""

    async def play() -> None:
        async with hub(tmp_path) as one:
            silence = one.source.publish(ordered(1, Action.SILENCE, priority=Priority.PRIORITY))
            resume = one.source.publish(ordered(2, Action.RESUME, priority=by))
            true = one.source.files["feed/ward/1"]
            one.source.files["feed/ward/1"] = LinkDown("not yet") if late else true
            for _ in range(10):
                one.source.beat()
                await asyncio.sleep(5)
                one.source.files["feed/ward/1"] = true
            assert one.events(resume) == [ACCEPTED, (Event.CARRIED_OUT, None)]
            over, held = (Event.REFUSED, Reason.SUPERSEDED), (Event.CARRIED_OUT, None)
            assert one.events(silence) == [ACCEPTED, held if stands else over]
            assert len(one.agent._director.standing) == stands

    run(play())


@pytest.mark.parametrize(
    ("priority", "purges", "ends"),
    [
        (Priority.NORMAL, Priority.NORMAL, (Event.NOT_AIRED, Reason.PURGED)),
        (Priority.PRIORITY, Priority.NORMAL, ENDED),  # beyond its reach
    ],
)
def test_a_bulletin_that_comes_after_its_purge_does_not_air(
    tmp_path: Path, priority: Priority, purges: Priority, ends: tuple[Event, Reason]
) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            before = one.source.publish(bulletin(priority=priority))
            one.source.publish(ordered(2, Action.PURGE, priority=purges))
            after = one.source.publish(bulletin(sequence=3))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(before) == [ACCEPTED, ends]
            assert one.events(after) == [ACCEPTED, ENDED]

    run(play())


def test_a_resume_that_comes_after_a_newer_silence_leaves_it(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            resume = one.source.publish(ordered(1, Action.RESUME))
            one.source.publish(ordered(2, Action.SILENCE))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(resume) == [ACCEPTED, (Event.CARRIED_OUT, None)]
            assert [hold.sequence for hold in one.agent._director.standing] == [2]

    run(play())


@pytest.mark.parametrize("ends", [True, False])
def test_what_is_taken_up_is_taken_up_once(tmp_path: Path, ends: bool) -> None:
    """Looking for what was left behind may meet what is about to act."""

    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.beat()
            await asyncio.sleep(2)
            orders = [ordered(number, Action.SILENCE if ends else Action.STOP) for number in range(1, 9)]
            async with asyncio.TaskGroup() as group:
                for order in orders:
                    group.create_task(one.agent.deliver(signed(order), USB))
                    group.create_task(one.agent._take_up_unfinished())
            for order in orders:
                digest = Envelope.open(signed(order)).digest
                assert one.events(digest) == [ACCEPTED, (Event.CARRIED_OUT, None)]
            held = [line for line in story(tmp_path) if line.event == "silence"]
            assert len(held) == (len(orders) if ends else 0)

    run(play())


# Restarts and failures


@pytest.mark.parametrize(("attempts", "ends"), [(1, ENDED), (4, ENDED), (5, (Event.PARTLY, Reason.INTERRUPTED))])
def test_an_airing_that_the_power_cut_begins_again_but_not_for_ever(
    tmp_path: Path, attempts: int, ends: tuple[Event, Reason]
) -> None:
    async def play() -> None:
        data = signed(bulletin())
        digest = Envelope.open(data).digest

        def before(one: Hub) -> None:
            one.journal.ledger.accept("ward", 1, digest, data)
            for _ in range(attempts):
                one.journal.ledger.begin(digest)

        async with hub(tmp_path, prepare=before) as one:
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, ends]

    run(play())


@pytest.mark.parametrize("method", ["withdrawal", "begin", "end", "settled", "missing", "keep_beat", "waiting"])
def test_a_journal_that_fails_for_a_while_loses_nothing(tmp_path: Path, method: str) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.journal.broken = frozenset({method})
            digest = one.source.publish(bulletin())
            for _ in range(20):
                one.source.beat()
                await asyncio.sleep(1)
            one.journal.broken = frozenset()
            for _ in range(60):
                one.source.beat()
                await asyncio.sleep(2)
            assert one.events(digest) == [ACCEPTED, ENDED]
            assert one.source.posted == receipts(tmp_path)

    run(play())


def test_at_its_end_the_outputs_are_safe_even_where_systemd_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")

    async def play() -> None:
        async with hub(tmp_path) as one:
            await asyncio.sleep(1)
        assert one.outputs.safe == 1

    run(play())


def test_kept_grants_that_a_newer_version_refuses_grant_nothing_and_keep_their_place(tmp_path: Path) -> None:
    neutral = b"\1" + bytes(31)  # a key of low order: before it was refused, somebody may have had it granted
    fields = to_map(replace(GRANTS, version=7))
    fields[5][0][2] = cbor.sorted_map({**fields[5][0][2], kid_of(neutral): neutral})
    kept = seal(StatementType.GRANTS, cbor.encode(fields), [GRANT_KEY])

    async def play() -> None:
        one = Hub(tmp_path)
        with contextlib.closing(one.journal):
            one.journal.ledger.keep_document("grants", 7, bytes(32), kept)
            trust = restore_trust(tmp_path / "root.cose", one.journal)
            assert trust.grants is not None
            assert trust.grants.authorities == ()
            with pytest.raises(StatementError, match="grants 6 after 7"):
                trust.with_grants(sign(replace(GRANTS, version=6), [GRANT_KEY]), NOW)
            newer = replace(GRANTS, version=8)
            assert trust.with_grants(sign(newer, [GRANT_KEY]), NOW).grants == newer

    run(play())


@pytest.mark.parametrize("kept", [b"", signed(bulletin(sequence=7)), sign(BEAT, [BEAT_KEY])])
def test_what_the_journal_does_not_hold_as_it_was_accepted_does_not_air_and_holds_up_nothing(
    tmp_path: Path, kept: bytes
) -> None:
    """A card that wears out changes bits; a hub that was updated may not know an old form any more."""

    async def play() -> None:
        whole = signed(bulletin(sequence=2))
        digests = [Envelope.open(signed(bulletin(sequence=number))).digest for number in (1, 2)]

        def before(one: Hub) -> None:
            one.journal.ledger.accept("ward", 1, digests[0], kept)
            one.journal.ledger.accept("ward", 2, digests[1], whole)

        async with hub(tmp_path, prepare=before) as one:
            digests.append(one.source.publish(bulletin(sequence=3)))
            one.source.beat()
            await asyncio.sleep(60)
            assert one.events(digests[0]) == [ACCEPTED, (Event.NOT_AIRED, Reason.MALFORMED_STATEMENT)]
            assert [one.events(digest) for digest in digests[1:]] == [[ACCEPTED, ENDED]] * 2

    run(play())


@pytest.mark.parametrize("kept", [b"\xff", sign(BEAT, [BEAT_KEY])[:-80]])
def test_a_kept_beat_that_cannot_be_read_is_as_none(tmp_path: Path, kept: bytes) -> None:
    async def play() -> None:
        one = Hub(tmp_path)
        with contextlib.closing(one.journal):
            one.journal.ledger.keep_beat(NOW, kept)
            assert restore_trust(tmp_path / "root.cose", one.journal) == Trust(ROOT)
            one.journal.ledger.keep_beat(NOW, sign(BEAT, [BEAT_KEY]))
            assert restore_trust(tmp_path / "root.cose", one.journal) == Trust(ROOT, beat=BEAT)

    run(play())


def test_a_journal_that_says_nonsense_is_no_start(tmp_path: Path) -> None:
    async def play() -> None:
        one = Hub(tmp_path)
        with contextlib.closing(one.journal):
            one.journal.ledger.keep_document("root", 1, bytes(32), sign(GRANTS, [GRANT_KEY]))
            with pytest.raises(StateError, match="is not acceptable: unknown-type"):
                restore_trust(tmp_path / "root.cose", one.journal)

    run(play())


# Following the source


def test_an_alert_does_not_queue_behind_a_backlog(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            for number in range(1, 101):
                one.source.publish(bulletin(sequence=number))
            one.source.slow = 5
            one.source.beat()
            await asyncio.sleep(12)  # grants, and the first of the backlog
            backlog = len(one.source.asked)
            assert backlog <= 2 + 2 * AT_ONCE
            one.source.publish(bulletin(sequence=101))
            begun = asyncio.get_running_loop().time()
            one.source.beat()
            await asyncio.sleep(1)
            assert (begun, "feed/ward/101") in one.source.asked
            await asyncio.sleep(200)
            assert one.journal.ledger.missing(one.source.heads) == []

    run(play())


def test_a_place_with_nothing_good_is_asked_ever_more_rarely_and_the_true_one_is_taken(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.publish(bulletin(), [STRANGER])
            for _ in range(100):
                one.source.beat()
                await asyncio.sleep(2)
            asked = [at for at, path in one.source.asked if path == "feed/ward/1"]
            assert 5 <= len(asked) <= 9
            digest = one.source.publish(bulletin())
            for _ in range(200):
                one.source.beat()
                await asyncio.sleep(2)
            assert one.events(digest) == [ACCEPTED, ENDED]

    run(play())


def test_what_is_too_large_to_fetch_is_refused(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.files["feed/ward/1"] = TooLarge("feed/ward/1: 10000000 bytes")
            one.source.heads["ward"] = 1
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(bytes(32)) == [(Event.REFUSED, Reason.TOO_LARGE)]

    run(play())


def test_a_forged_beat_is_refused_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.publish(bulletin())
            one.source.beat(STRANGER)
            await asyncio.sleep(5)
            (refused,) = receipts(tmp_path)
            assert (refused.event, refused.reason) == (Event.REFUSED, Reason.UNKNOWN_KEY)
            one.source.beat()
            await asyncio.sleep(5)
            events = [one.event for one in receipts(tmp_path)[1:]]
            assert events == [Event.ACCEPTED, Event.ACCEPTED, Event.NOT_AIRED]  # grants, bulletin, nothing attached

    with caplog.at_level(logging.WARNING):
        run(play())
    assert "from beat: unknown-key" in caplog.text


def test_keys_roll_over_and_the_next_start_knows_it(tmp_path: Path) -> None:
    """A new root, whose beat key is another, while the grants stay those of the root before."""
    fresh = signer(88)
    after = replace(
        ROOT,
        version=2,
        keys={**ROOT.keys, fresh.kid: fresh.public.raw},
        roles={**ROOT.roles, Role.BEAT: RoleKeys(1, (fresh.kid,))},
    )

    async def play() -> None:
        source = FakeSource()
        async with hub(tmp_path, source):
            source.beat()
            await asyncio.sleep(5)
            source.files["root/2"] = sign(after, [ROOT_KEY])
            source.publish(bulletin())
            source.key, source.root = fresh, 2
            source.beat()
            await asyncio.sleep(5)
            assert [line.event for line in story(tmp_path)].count("accepted") == 1
        async with hub(tmp_path, source) as again:
            trust = restore_trust(tmp_path / "root.cose", again.journal)
            assert (trust.root, trust.grants) == (after, BOTH)
            digest = source.publish(bulletin(sequence=2))
            source.key, source.root = fresh, 2
            source.beat()
            await asyncio.sleep(5)
            assert again.events(digest) == [ACCEPTED, ENDED]

    run(play())


# The time


def test_bulletins_wait_until_the_time_is_known_and_then_air(tmp_path: Path) -> None:
    """A hub that was switched off for a week, with a bulletin left over, before its source answers."""

    async def play() -> None:
        data = signed(bulletin())
        digest = Envelope.open(data).digest
        source = FakeSource(down=True)

        def before(one: Hub) -> None:
            one.journal.ledger.accept("ward", 1, digest, data)

        async with hub(tmp_path, source, before, TimeTrust.NONE) as one:
            await asyncio.sleep(60)
            assert not one.aired(digest)
            source.down = False
            await asyncio.sleep(30)
            assert one.clock.trust is TimeTrust.GOOD
            assert one.events(digest) == [ACCEPTED, ENDED]

    run(play())


def test_an_emergency_left_over_airs_once_without_a_source(tmp_path: Path) -> None:
    async def play() -> None:
        data = signed(bulletin(priority=Priority.EMERGENCY))
        digest = Envelope.open(data).digest

        def before(one: Hub) -> None:
            one.journal.ledger.accept("ward", 1, digest, data)

        async with hub(tmp_path, FakeSource(down=True), before, TimeTrust.NONE) as one:
            await asyncio.sleep(2)
            assert not one.aired(digest)
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, ENDED]
            assert "whose trust is none" in receipts(tmp_path)[-1].detail

    run(play())


def test_an_emergency_that_the_power_cut_does_not_sound_at_every_start(tmp_path: Path) -> None:
    async def play() -> None:
        data = signed(bulletin(priority=Priority.EMERGENCY))
        digest = Envelope.open(data).digest

        def before(one: Hub) -> None:
            one.journal.ledger.accept("ward", 1, digest, data)
            one.journal.ledger.begin(digest)

        async with hub(tmp_path, FakeSource(down=True), before, TimeTrust.NONE) as one:
            await asyncio.sleep(300)
            assert [line.event for line in story(tmp_path)].count("airing") == 1
            one.source.down = False
            await asyncio.sleep(30)
            assert one.events(digest) == [ACCEPTED, ENDED]

    run(play())


def test_what_a_stolen_beat_key_did_to_the_clock_is_undone_by_the_next_root(tmp_path: Path) -> None:
    """The thief sits at the source, answers nonces, and says that it is next year; then the office drops his key."""
    fresh = signer(88)
    roles = {**ROOT.roles, Role.BEAT: RoleKeys(1, (fresh.kid,))}
    after = replace(ROOT, version=2, issued=NOW + 8, keys={**ROOT.keys, fresh.kid: fresh.public.raw}, roles=roles)

    async def play() -> None:
        source = FakeSource()
        async with hub(tmp_path, source) as one:
            source.beat()
            await asyncio.sleep(5)
            source.ahead_s = 365 * 86_400
            source.beat()
            await asyncio.sleep(5)
            assert one.clock.now() > NOW + 364 * 86_400
            source.files["root/2"] = sign(after, [ROOT_KEY])
            source.key, source.root, source.ahead_s = fresh, 2, 0
            source.beat()
            await asyncio.sleep(5)
            assert one.clock.now() == pytest.approx(source.now(), abs=2)
            assert "clock-recovered" in [line.event for line in story(tmp_path)]
            digest = source.publish(bulletin(issued=source.now()))
            source.beat()
            await asyncio.sleep(10)
            assert one.events(digest) == [ACCEPTED, ENDED]
            kept = one.journal.ledger.clock()
            assert kept is not None
            assert kept.floor <= source.now()

    run(play())


def test_a_beat_too_far_ahead_is_refused_before_it_hides_the_true_ones(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.beat()
            await asyncio.sleep(5)
            one.source.answers_nonces, one.source.ahead_s = False, 40 * 86_400
            one.source.beat()
            await asyncio.sleep(5)
            one.source.ahead_s = 0
            digest = one.source.publish(bulletin())
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, ENDED]

    run(play())


@pytest.mark.parametrize("answers", [True, False])
def test_a_hub_from_the_box_has_its_time_proven_before_its_first_beat_is_judged(tmp_path: Path, answers: bool) -> None:
    """Its release lies months back: unproven, each beat would be a refusal with a receipt."""

    async def play() -> None:
        async with hub(tmp_path, FakeSource(answers_nonces=answers), trust=TimeTrust.NONE) as one:
            one.source.beat()
            await asyncio.sleep(5)
            refused = [line.detail["reason"] for line in story(tmp_path) if line.event == "refused"]
            assert refused == ([] if answers else ["time-step-too-large"])
            assert one.clock.trust is (TimeTrust.GOOD if answers else TimeTrust.NONE)

    run(play())


def test_the_clock_is_never_earlier_than_a_beat(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.clock.system._read = lambda: 0.0
            one.source.publish(bulletin(issued=NOW))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.clock.now() >= NOW
            assert receipts(tmp_path)[0].event is Event.ACCEPTED

    run(play())


# Receipts


def test_receipts_wait_for_the_network_and_come_in_order_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.beat()
            await asyncio.sleep(5)
            for number in range(1, 6):
                one.source.publish(bulletin(sequence=number))
            one.source.beat()
            await asyncio.sleep(0.05)
            one.source.down = True
            await asyncio.sleep(300)
            one.source.down = False
            for _ in range(400):
                one.source.beat()
                await asyncio.sleep(2)
            assert len(one.source.posted) == 11  # with that of the grants
            assert one.source.posted == receipts(tmp_path)

    run(play())


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4])
def test_an_end_that_meets_a_new_receipt_is_an_end(tmp_path: Path, turns: int) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.down = True
            one.journal.ledger.refuse(b"\x01" * 32, "usb", Reason.UNKNOWN_KEY, "", None)
            one.journal.on_receipt()
            await asyncio.sleep(600)
            loop = asyncio.get_running_loop()
            loop.call_soon(_in_turns, turns, one.journal.on_receipt)

    run(play())


def _in_turns(turns: int, act: Callable[[], None]) -> None:
    """Act so many turns of the loop from now."""
    if turns:
        asyncio.get_running_loop().call_soon(_in_turns, turns - 1, act)
    else:
        act()


def test_a_source_that_acknowledges_something_else_is_asked_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.deaf = True
            one.source.publish(bulletin())
            one.source.beat()
            await asyncio.sleep(30)
            assert len(one.journal.ledger.waiting()) == 3
            one.source.deaf = False
            await asyncio.sleep(120)
            assert one.journal.ledger.waiting() == []

    run(play())


def test_without_its_channel_a_hub_airs_and_keeps_its_receipts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.lost = "numbers: damaged; enrol again"
            digest = one.source.publish(bulletin())
            one.source.beat()
            await asyncio.sleep(30)
            assert one.aired(digest)
            kept = [each.sequence for each in one.journal.ledger.waiting()]
            assert kept == [each.sequence for each in receipts(tmp_path)] != []
            assert not one.source.posted
            one.source.lost = ""
            await asyncio.sleep(120)
            assert one.source.posted == receipts(tmp_path)

    run(play())
    told = [one for one in caplog.records if one.levelname == "WARNING" and "enrol again" in one.message]
    assert told


def configured(folder: Path, *lines: str) -> Config:
    content = GOOD[: GOOD.index("[[bus]]")].replace("/var/lib/wardhub", str(folder))
    return parse("\n".join([content, *lines]), "hub.toml")


def test_which_way_receipts_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As enrolled; and a channel that should be there and is not is never taken for none."""
    assert channel_of(configured(tmp_path)) is None
    missing = channel_of(configured(tmp_path, "protected = true"))
    assert isinstance(missing, NoChannel)
    assert missing.state.startswith("kept here: ")
    assert "receipts stay here until the channel is mended: " in caplog.text
    key = ChannelKey.generate()
    keep_key(tmp_path, bytes(32), key)
    admission = replace(ADMISSION, hub=configured(tmp_path).hub.id, request=bytes(32))
    install(tmp_path, sign(admission, [GRANT_KEY]), admission)
    for lines in ([], ["protected = true"]):
        assert isinstance(channel_of(configured(tmp_path, *lines)), Channel)
    assert channel_of(configured(tmp_path, "protected = false")) is None
    (tmp_path / "admission.cose").write_bytes(b"")
    assert isinstance(channel_of(configured(tmp_path)), NoChannel)


def test_trust_begins_with_the_root_file(tmp_path: Path) -> None:
    async def play() -> None:
        one = Hub(tmp_path)
        with contextlib.closing(one.journal):
            assert restore_trust(tmp_path / "root.cose", one.journal) == Trust(ROOT)
            with pytest.raises(StateError, match="nowhere: the root cannot be read"):
                restore_trust(tmp_path / "nowhere", one.journal)

    run(play())


# Streams


LIVE = replace(GRANTS, authorities=(replace(AUTHORITY, kinds=tuple(Kind)),))


def stream_order(key: ChannelKey, *, sequence: int = 1, locked_for: int = 1) -> Order:
    """An order of the ward to start a stream, whose key is locked to the hub's `key`."""
    hub_id = configured(Path("/nowhere")).hub.id
    box = lock_master(bytes(30), key.public, issuer="ward", sequence=locked_for, hub=hub_id)
    stream, audience = replace(STREAM, keys={hub_id: box}), replace(ORDER.audience, hubs=(hub_id,))
    start = replace(ORDER, action=Action.STREAM_START, targets=(), stream=stream, status=Status.TEST)
    return replace(start, sequence=sequence, audience=audience)


def enrolled(one: Hub) -> ChannelKey:
    """Give the hub a channel, and a source whose grants let the ward order streams; return the hub's key of it."""
    key = ChannelKey.generate()
    keep_key(one.folder, bytes(32), key)
    admission = replace(ADMISSION, hub=configured(one.folder).hub.id, request=bytes(32))
    install(one.folder, sign(admission, [GRANT_KEY]), admission)
    one.source.files["grants/1"] = sign(LIVE, [GRANT_KEY])
    return key


def test_a_stream_comes_from_beat_to_receipt(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            digest = one.source.publish(stream_order(enrolled(one)))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, ENDED]
            assert {each.status for each in one.source.posted if each.statement == digest} == {Status.TEST}

    run(play())


def test_a_hub_without_a_channel_plays_no_stream(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            one.source.files["grants/1"] = sign(LIVE, [GRANT_KEY])
            digest = one.source.publish(stream_order(ChannelKey.generate()))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, (Event.REFUSED, Reason.STREAM_KEY_MISSING)]
            assert not one.aired(digest)

    run(play())


def test_a_stream_that_was_taken_back_before_it_came_does_not_air(tmp_path: Path) -> None:
    async def play() -> None:
        async with hub(tmp_path) as one:
            order = stream_order(enrolled(one))
            digest = one.source.publish(order)
            one.source.publish(replace(CANCEL, target=digest))
            one.source.beat()
            await asyncio.sleep(5)
            assert one.events(digest) == [ACCEPTED, CANCELLED]
            assert not one.aired(digest)

    run(play())


@pytest.mark.parametrize(("begun", "aired"), [(False, True), (True, False)])
def test_after_a_restart_only_a_stream_that_had_not_begun_airs(tmp_path: Path, begun: bool, aired: bool) -> None:
    """A recording of what was heard before would else be heard again: how far it was heard is known no more."""

    async def play() -> None:
        digests: list[bytes] = []

        def before(one: Hub) -> None:
            data = signed(stream_order(enrolled(one)))
            digests.append(Envelope.open(data).digest)
            grants = one.source.files["grants/1"]
            assert isinstance(grants, bytes)
            one.journal.ledger.keep_document("grants", 1, Envelope.open(grants).digest, grants)
            one.journal.ledger.accept("ward", 1, digests[0], data)
            if begun:
                one.journal.ledger.begin(digests[0])

        async with hub(tmp_path, prepare=before) as one:
            one.source.beat()
            await asyncio.sleep(5)
            began = [line for line in story(tmp_path) if line.event == "airing"]
            assert len(began) == 1
            wanted = ENDED if aired else (Event.PARTLY, Reason.INTERRUPTED)
            assert one.events(digests[0]) == [ACCEPTED, wanted]

    run(play())
