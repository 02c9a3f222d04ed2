"""Intake and journal as a state machine: any order, doubled, lost, forged, misplaced, restarted, the clock moved on.

Whatever happens, nothing unverified is accepted, nothing is accepted twice, nothing valid is lost as long as it is
offered again, and the receipts make one unbroken chain that agrees with what was decided.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tests.intakes import OFFICE, Desk, bulletin, desk, signed
from tests.journals import Now, story
from tests.statements import AUTHORITY, CANCEL, NOW, STRANGER

from ward_hub.intake import Place
from ward_hub.journal.ledger import WINDOW
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Bulletin, Cancel, Event, Priority

LIFE = 600
LAST = WINDOW + 20
# Few, so that they meet; the last ones stand at the window's edge as seen from the highest.
NUMBERS = st.sampled_from([1, 2, 3, LAST - WINDOW - 1, LAST - WINDOW, LAST - WINDOW + 1, LAST - 1, LAST])


class Feed(RuleBasedStateMachine):
    """A hub's intake between a hostile network and an honest author who numbers what is issued."""

    issued = Bundle("issued")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.loop = asyncio.new_event_loop()
        self.now = Now()
        self.author: dict[tuple[str, int], bytes] = {}  # all that was ever truly signed, one for each number
        self.accepted: set[bytes] = set()
        self.settled: set[tuple[str, int]] = set()
        self.high: dict[str, int] = {}

    @initialize()
    def start(self) -> None:
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.desk = self.opened()

    def opened(self) -> Desk:
        return self.stack.enter_context(desk(self.folder, self.now))

    def take(self, data: bytes, place: Place) -> bool:
        return self.loop.run_until_complete(self.desk.take(data, place)) is not None

    # What the author does

    @rule(
        target=issued,
        issuer=st.sampled_from(["ward", "office"]),
        number=NUMBERS,
        life=st.sampled_from([1, LIFE]),
        cancels=st.booleans(),
    )
    def issue(self, issuer: str, number: int, life: int, cancels: bool) -> tuple[str, int]:
        """An author signs one statement for each number, and no other ever."""
        if (issuer, number) not in self.author:
            begins = int(self.now.at)
            statement: Bulletin | Cancel = bulletin(
                issuer=issuer, sequence=number, issued=begins, not_before=begins, expires=begins + life
            )
            if cancels and issuer == "ward":
                statement = replace(CANCEL, sequence=number, issued=begins, expires=begins + life)
            self.author[issuer, number] = sign(statement, OFFICE) if issuer == "office" else signed(statement)
        return issuer, number

    # What the network does

    @rule(name=issued, way=st.sampled_from(["feed", "usb"]))
    def deliver(self, name: tuple[str, int], way: str) -> None:
        """In any order, as often as it likes, in its own place or without one."""
        data = self.author[name]
        place = Place(way, *name) if way == "feed" else Place(way)
        statement = Envelope.open(data).statement
        assert isinstance(statement, (Bulletin, Cancel))
        below = name[1] <= self.high.get(name[0], 0) - WINDOW
        valid = name not in self.settled and not below and statement.expires > self.now.at
        assert self.take(data, place) == valid
        if valid:
            self.accepted.add(Envelope.open(data).digest)
        if not below:
            self.settled.add(name)
            self.high[name[0]] = max(self.high.get(name[0], 0), name[1])

    @rule(name=issued, issuer=st.sampled_from(["ward", "office"]), number=NUMBERS)
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
    def forge(self, issuer: str, number: int, theirs: bool) -> None:
        """Words of a stranger, or of another authority, under a name that is not theirs."""
        urgent = bulletin(issuer=issuer, sequence=number, priority=Priority.EMERGENCY)
        by = OFFICE if theirs and issuer != "office" else [STRANGER]
        assert not self.take(sign(urgent, by), Place("feed", issuer, number))

    # What the hub goes through

    @rule()
    def restart(self) -> None:
        self.desk.journal.close()
        self.desk = self.opened()

    @rule(seconds=st.sampled_from([1, LIFE // 2, LIFE]))
    def later(self, seconds: int) -> None:
        """The clock moves on, by a step as well as by itself."""
        self.now.at += seconds

    # What always holds

    @invariant()
    def receipts_agree(self) -> None:
        found = self.desk.receipts()  # signatures, numbers and chain are checked on the way
        accepted = [one.statement for one in found if one.event is Event.ACCEPTED]
        assert len(accepted) == len(set(accepted))
        assert set(accepted) == self.accepted
        lines = [(line.event, line.statement) for line in story(self.folder)]
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

    def teardown(self) -> None:
        self.stack.close()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


assert AUTHORITY.not_after > NOW + 50 * LIFE, "the grants must outlast the longest run"
Feed.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestFeed = Feed.TestCase
