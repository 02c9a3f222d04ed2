"""Intake, trust documents, clock and journal as one state machine.

Any order, doubled, lost, forged, misplaced, restarted, powered off, grants taken away and given back, the system's
clock set forwards and back. Whatever happens, nothing unverified is accepted, nothing is accepted twice, nothing valid
is lost as long as it is offered again, the hub's time does not go back, and the receipts make one unbroken chain that
agrees with what was decided.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tests.clocks import Machine
from tests.intakes import OFFICE, OFFICE_GRANT, Desk, bulletin, signed
from tests.journals import Now, journal, receipts, story
from tests.statements import (
    AUTHORITY,
    BEAT,
    BEAT_KEY,
    CANCEL,
    GRANT_KEY,
    GRANTS,
    NOW,
    ORDERS,
    ROOT,
    ROOT_KEY,
    STRANGER,
)

from ward_hub.agent import restore_trust
from ward_hub.clock import Clock
from ward_hub.intake import Place
from ward_hub.journal import Ledger
from ward_hub.journal.ledger import WINDOW
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Bulletin, Cancel, Event, Issued, Order, Priority, TimeTrust

LIFE = 600
LAST = WINDOW + 20
OFF_S = 60
WRONG_S = 120  # how far a time that is called good may be from the truth: 90 s and what seconds and crystals add
# Few, so that they meet; the last ones stand at the window's edge as seen from the highest.
NUMBERS = st.sampled_from([1, 2, 3, LAST - WINDOW - 1, LAST - WINDOW, LAST - WINDOW + 1, LAST - 1, LAST])
ISSUERS = st.sampled_from(["ward", "office"])
FORMS: dict[str, Issued] = {"cancel": CANCEL, **{f"order {one.action.name.lower()}": one for one in ORDERS}}
ENDING = {form for form, one in FORMS.items() if isinstance(one, Order) and one.until}
DOCUMENTS = Place("documents")


class Feed(RuleBasedStateMachine):
    """A hub's intake between a hostile network, an honest author who numbers what is issued, and an honest source."""

    issued = Bundle("issued")
    documents = Bundle("documents")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.loop = asyncio.new_event_loop()
        self.machine = Machine()
        self.author: dict[tuple[str, int], bytes] = {}  # all that was ever truly signed, one for each number
        self.accepted: set[bytes] = set()
        self.settled: set[tuple[str, int]] = set()
        self.high: dict[str, int] = {}
        self.root = self.grants = 1
        self.in_force = (0, 0)  # root and version of the grants that the hub holds
        self.granted: set[str] = set()
        self.shown = 0.0

    @initialize()
    def start(self) -> None:
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        (self.folder / "root.cose").write_bytes(sign(ROOT, [ROOT_KEY]))
        self.open()
        self.beat(asked=True, old_s=0)
        self.give(*self.grant(office=True))

    def open(self) -> None:
        """Start the agent's part in this as it starts itself."""
        self.opened = self.stack.enter_context(ExitStack())
        self.clock: Clock = self.machine.clock()
        opened = self.opened.enter_context(journal(self.folder, hub_clock=self.clock))
        self.clock.restore(opened.ledger.clock(), opened.ledger.newest_beat())
        trust = restore_trust(self.folder / "root.cose", opened)
        self.desk = Desk(self.folder, opened, Now(), trust, clock=self.clock)
        self.shown = self.clock.now()

    def take(self, data: bytes, place: Place) -> bool:
        return self.loop.run_until_complete(self.desk.take(data, place)) is not None

    def taken(self, data: bytes) -> bool:
        """Say whether a document of trust was taken."""
        return self.loop.run_until_complete(self.desk.deliver(data, DOCUMENTS)).good

    # What the author does

    @rule(
        target=issued,
        issuer=ISSUERS,
        number=NUMBERS,
        life=st.sampled_from([1, LIFE]),
        form=st.sampled_from([*FORMS, ""]),
    )
    def issue(self, issuer: str, number: int, life: int, form: str) -> tuple[str, int]:
        """An author signs one statement for each number, and no other ever. An office may issue bulletins only."""
        if (issuer, number) not in self.author:
            begins = int(self.machine.true)
            statement: Issued = bulletin(
                issuer=issuer, sequence=number, issued=begins, not_before=begins, expires=begins + life
            )
            if form and issuer == "ward":
                until: dict[str, Any] = {"until": begins + LIFE} if form in ENDING else {}
                statement = replace(FORMS[form], sequence=number, issued=begins, expires=begins + life, **until)
            self.author[issuer, number] = sign(statement, OFFICE) if issuer == "office" else signed(statement)
        return issuer, number

    # What the grant office and the officers of the root do

    @rule(target=documents, office=st.booleans(), arrives=st.booleans())
    def grants_change(self, *, office: bool, arrives: bool) -> tuple[tuple[int, int], bytes, bool]:
        """The next grants, with the authority `office` or without it; they may arrive now, later, or never."""
        self.grants += 1
        document = self.grant(office=office)
        if arrives:
            self.give(*document)
        return document

    def grant(self, *, office: bool) -> tuple[tuple[int, int], bytes, bool]:
        authorities = (AUTHORITY, OFFICE_GRANT) if office else (AUTHORITY,)
        grants = replace(GRANTS, version=self.grants, root_version=self.root, authorities=authorities)
        return (self.root, self.grants), sign(grants, [GRANT_KEY]), office

    def give(self, version: tuple[int, int], data: bytes, office: bool) -> None:
        """Offer grants: only newer ones under the root in force count."""
        counts = version[0] == self.root and version > self.in_force
        assert self.taken(data) == counts
        if counts:
            self.in_force = version
            self.granted = {"ward", "office"} if office else {"ward"}
            self.accepted.add(Envelope.open(data).digest)

    @rule(document=documents)
    def grants_again(self, document: tuple[tuple[int, int], bytes, bool]) -> None:
        """Any that were ever signed, in any order: an earlier one gives nothing back that was taken away."""
        self.give(*document)

    @rule(office=st.booleans())
    def grants_forged(self, *, office: bool) -> None:
        grants = replace(GRANTS, version=self.grants + 5, root_version=self.root, authorities=(AUTHORITY, OFFICE_GRANT))
        assert not self.taken(sign(grants, OFFICE if office else [STRANGER]))

    @rule()
    def next_root(self) -> None:
        """Root N + 1; grants of the one before stay in force, but no more of them are taken."""
        before = sign(replace(ROOT, version=self.root), [ROOT_KEY])
        self.root += 1
        data = sign(replace(ROOT, version=self.root), [ROOT_KEY])
        assert self.taken(data)
        self.accepted.add(Envelope.open(data).digest)
        assert not self.taken(data)
        assert not self.taken(before)

    # What the source does

    @rule(asked=st.booleans(), old_s=st.sampled_from([0, 1, LIFE]))
    def beat(self, *, asked: bool, old_s: int) -> None:
        """A true beat, or a recorded one; only the one that was asked for holds this hub's nonce."""
        nonce = self.clock.ask() if asked and not old_s else b""
        shown = replace(BEAT, time=int(self.machine.true) - old_s, root_version=self.root, nonce=nonce or None)
        newest = self.desk.trust.beat.time if self.desk.trust.beat else 0
        assert self.taken(sign(shown, [BEAT_KEY])) == (shown.time >= newest)
        if nonce:
            assert self.clock.trust is not TimeTrust.NONE

    # What the network does

    @rule(name=issued, way=st.sampled_from(["feed", "usb"]))
    def deliver(self, name: tuple[str, int], way: str) -> None:
        """In any order, as often as it likes, in its own place or without one."""
        data = self.author[name]
        place = Place(way, *name) if way == "feed" else Place(way)
        statement = Envelope.open(data).statement
        assert isinstance(statement, (Bulletin, Cancel, Order))
        granted = name[0] in self.granted
        below = name[1] <= self.high.get(name[0], 0) - WINDOW
        allowed = self.allowed(statement)
        valid = granted and allowed and name not in self.settled and not below and statement.expires > self.clock.now()
        assert self.take(data, place) == valid
        if valid:
            self.accepted.add(Envelope.open(data).digest)
        if granted and not below:
            self.settled.add(name)
            self.high[name[0]] = max(self.high.get(name[0], 0), name[1])

    def allowed(self, statement: Issued) -> bool:
        """The ward may give orders, but was granted nothing of configurations and streams."""
        return not isinstance(statement, Order) or statement.action.name in {
            "STOP", "SILENCE", "BLANK", "RESUME", "PURGE", "DECISION"
        }  # fmt: skip

    @rule(name=issued, issuer=ISSUERS, number=NUMBERS)
    def misplace(self, name: tuple[str, int], issuer: str, number: int) -> None:
        """A true statement in a place that is not its own changes nothing."""
        if (issuer, number) != name:
            assert not self.take(self.author[name], Place("feed", issuer, number))

    @rule(name=issued, bit=st.integers(0, 2**16))
    def alter(self, name: tuple[str, int], bit: int) -> None:
        """One bit of a true statement turned over."""
        data = bytearray(self.author[name])
        data[bit // 8 % len(data)] ^= 1 << bit % 8
        assert not self.take(bytes(data), Place("feed", *name))

    @rule(name=issued, start=st.integers(0, 2000))
    def truncate(self, name: tuple[str, int], start: int) -> None:
        data = self.author[name]
        assert not self.take(data[: start % len(data)], Place("feed", *name))

    @rule(issuer=st.sampled_from(["ward", "office", "pirate"]), number=NUMBERS, theirs=st.booleans())
    def forge(self, issuer: str, number: int, *, theirs: bool) -> None:
        """Words of a stranger, or of another authority, under a name that is not theirs."""
        urgent = bulletin(issuer=issuer, sequence=number, priority=Priority.EMERGENCY)
        by = OFFICE if theirs and issuer != "office" else [STRANGER]
        assert not self.take(sign(urgent, by), Place("feed", issuer, number))

    # What the hub goes through

    @rule(reboots=st.booleans(), battery=st.booleans())
    def restart(self, *, reboots: bool, battery: bool) -> None:
        """The agent alone, or the whole machine: then its system's clock shows the truth, or begins in 1970."""
        self.opened.close()
        if reboots:
            self.machine.reboot(OFF_S, None if battery else 0.0)
        before = self.shown
        self.open()
        assert reboots or self.shown >= before, "the monotonic clock went on, so nothing is forgotten"

    @rule(seconds=st.sampled_from([1, LIFE // 2, LIFE]))
    def later(self, seconds: int) -> None:
        self.machine.wait(seconds)
        self.look()

    @rule(seconds=st.sampled_from([-LIFE, -1, 1, LIFE]))
    def clock_is_set(self, seconds: int) -> None:
        """Somebody, or NTP, sets the system's clock."""
        self.machine.system += seconds
        self.look()

    def look(self) -> None:
        """What the agent does every second: looks at the system's clock, and keeps what a restart needs."""
        self.clock.look()
        kept, before = self.clock.keep(), self.desk.journal.ledger.clock()
        if before is None or before.falls_short(kept):
            self.loop.run_until_complete(self.desk.journal.do(Ledger.keep_clock, kept))

    # What always holds

    @invariant()
    def receipts_agree(self) -> None:
        found = receipts(self.folder)  # signatures, numbers and chain are checked on the way
        accepted = [one.statement for one in found if one.event is Event.ACCEPTED]
        assert len(accepted) == len(set(accepted))
        assert set(accepted) == self.accepted
        told = {"document": "accepted"}
        lines = [(told.get(line.event, line.event), line.statement) for line in story(self.folder)]
        assert lines == [(one.event.name.lower(), one.statement) for one in found]

    @invariant()
    def gaps_are_known(self) -> None:
        """What was not settled within the window is asked for, the rest is not."""
        heads = {"ward": LAST, "office": LAST}
        gaps = set(self.desk.journal.ledger.missing(heads))
        for issuer in heads:
            low = max(LAST, self.high.get(issuer, 0)) - WINDOW
            wanted = {(issuer, number) for number in range(low + 1, LAST + 1)} - self.settled
            assert {gap for gap in gaps if gap[0] == issuer} == wanted

    @invariant()
    def time_goes_on(self) -> None:
        """The hub's time does not go back, and what it calls good is the truth."""
        now = self.clock.now()
        assert now >= self.shown
        self.shown = now
        if self.clock.trust is TimeTrust.GOOD:
            assert abs(now - self.machine.true) <= WRONG_S

    def teardown(self) -> None:
        self.stack.close()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


assert AUTHORITY.not_after > NOW + 50 * LIFE, "the grants must outlast the longest run"
Feed.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestFeed = Feed.TestCase
