"""Uploads as a state machine: any blocks of any senders in any order, doubled, lost, of several things at once.

Whatever happens, what has come under a Request-Tag is the beginning of the one thing that has this tag; without tags a
sender may mix up its own things, and no block is ever taken for another. The bounds hold; there is a file for each
upload and no other; and who sends all blocks in order, each as often as it likes, gets through.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ward_hub.lan.spool import IDLE_S, OLD_S, STALLED_S, Bounds, Key, Most, Part, Spool, Trouble, Upload
from ward_hub.staging import Staging

SIZE = 16
LIMIT = 6 * SIZE
BOUNDS = Bounds(peer=Most(2, 8 * SIZE), total=Most(4, 12 * SIZE))
FIRST = random.Random(1).randbytes(SIZE)
# All begin alike, so that a first block does not tell them apart; the last is empty behind it.
THINGS = [FIRST + random.Random(seed).randbytes(length) for seed, length in ((2, 3 * SIZE), (3, 3 * SIZE + 5), (4, 0))]
KEYS = [
    Key(peer, (peer, port), (b"push",), tags)
    for peer in ("a", "b", "c")
    for port in (1, 2)
    for tags in ((), (b"\0",), (b"\1",), (b"\2",))
]


def part(thing: bytes, number: int, *, announces: bool) -> Part:
    return Part(number * SIZE, thing[number * SIZE : (number + 1) * SIZE], LIMIT, len(thing) if announces else 0)


class Uploads(RuleBasedStateMachine):
    """A spool between senders that do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 0.0
        self.sent: dict[Key, set[int]] = {key: set() for key in KEYS}

    @initialize()
    def start(self) -> None:
        self.spool = Spool(Staging(Path(self.folder.name) / "incoming", floor=0), BOUNDS)

    @rule(key=st.sampled_from(KEYS), thing=st.integers(0, 2), number=st.integers(0, 4), announces=st.booleans())
    def send(self, key: Key, thing: int, number: int, announces: bool) -> None:
        """One block; the answer says whether everything up to it is there. A tag belongs to one thing (RFC 9175)."""
        thing = key.tags[0][0] if key.tags else thing
        self.sent[key].add(thing)
        block = part(THINGS[thing], number, announces=announces)
        taken = self.spool.take(key, block, self.now)
        if isinstance(taken, Upload):
            assert taken.received >= block.offset + len(block.data)
            assert taken.data()[block.offset : block.offset + len(block.data)] == block.data
            assert taken.digest.digest() == hashlib.sha256(taken.data()).digest()
        else:
            assert taken in {Trouble.GAP, Trouble.FULL}

    @rule(key=st.sampled_from(KEYS), size1=st.sampled_from([0, LIMIT + 1]), number=st.integers(5, 7))
    def send_too_much(self, key: Key, size1: int, number: int) -> None:
        assert self.spool.take(key, Part(number * SIZE, FIRST + b"x", LIMIT, size1), self.now) in {
            Trouble.TOO_LARGE,
            Trouble.GAP,
        }

    @rule(key=st.sampled_from(KEYS))
    def drop(self, key: Key) -> None:
        self.spool.drop(key)
        assert self.spool.get(key) is None

    @rule(key=st.sampled_from(KEYS), busy=st.booleans())
    def judge(self, key: Key, busy: bool) -> None:
        """One that is being judged stays until that is done."""
        upload = self.spool.get(key)
        if upload is not None:
            upload.busy = busy

    @rule(seconds=st.sampled_from([1.0, STALLED_S, IDLE_S / 2, IDLE_S + 1, OLD_S]))
    def later(self, seconds: float) -> None:
        busy = [key for key in KEYS if (one := self.spool.get(key)) is not None and one.busy]
        self.now += seconds
        self.spool.sweep(self.now)
        assert all(self.spool.get(key) is not None for key in busy)
        if seconds > IDLE_S:
            assert [key for key in KEYS if self.spool.get(key) is not None] == busy

    @precondition(lambda self: len(self.spool) == BOUNDS.total.uploads)
    @rule(thing=st.integers(0, 2))
    def newcomer(self, thing: int) -> None:
        """Only what stalls, and is not being judged, makes room."""
        before = {key: one for key in KEYS if (one := self.spool.get(key)) is not None}
        key = Key("new", ("new", 1), (b"push",), ())
        taken = self.spool.take(key, part(THINGS[thing], 0, announces=False), self.now)
        gone = [one for held, one in before.items() if self.spool.get(held) is None]
        assert all(not one.busy and self.now - one.touched > STALLED_S for one in gone)
        assert isinstance(taken, Upload) == (self.spool.get(key) is not None)
        self.spool.drop(key)

    @rule()
    def restart(self) -> None:
        """A killed agent leaves its files; the next one begins with none."""
        held = list(Path(self.folder.name, "incoming").iterdir())
        assert len(held) == len(self.spool)
        for key in KEYS:
            upload = self.spool.get(key)
            if upload is not None:
                copy = upload.path.with_name(upload.path.name + "-left")
                copy.write_bytes(upload.data())
        self.spool.close()
        self.start()
        assert list(Path(self.folder.name, "incoming").iterdir()) == []

    @invariant()
    def nothing_is_spliced(self) -> None:
        for key in KEYS:
            upload = self.spool.get(key)
            if upload is None:
                continue
            data = upload.data()
            if key.tags:
                assert THINGS[key.tags[0][0]].startswith(data)
            for at in range(0, len(data), SIZE):
                blocks = {THINGS[thing][at : at + SIZE] for thing in self.sent[key]}
                assert data[at : at + SIZE] in blocks

    @invariant()
    def bounds_hold(self) -> None:
        held = {key: one for key in KEYS if (one := self.spool.get(key)) is not None}
        assert len(self.spool) == len(held) <= BOUNDS.total.uploads
        assert self.spool.octets == sum(one.claims for one in held.values()) <= BOUNDS.total.octets
        for peer in ("a", "b", "c"):
            theirs = [one for key, one in held.items() if key.peer == peer]
            assert len(theirs) <= BOUNDS.peer.uploads
            assert sum(one.claims for one in theirs) <= BOUNDS.peer.octets
        sizes = sorted(one.stat().st_size for one in Path(self.folder.name, "incoming").iterdir())
        assert sizes == sorted(one.received for one in held.values())

    def teardown(self) -> None:
        self.spool.close()
        self.folder.cleanup()


TestUploads = Uploads.TestCase


@given(st.binary(min_size=1, max_size=LIMIT), st.lists(st.integers(1, 3), min_size=6, max_size=6), st.booleans())
def test_a_sender_that_repeats_each_block_gets_through(data: bytes, repeats: list[int], announces: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Staging(Path(folder) / "incoming", floor=0), BOUNDS)
        for number in range(-(-len(data) // SIZE)):
            for _ in range(repeats[number]):
                taken = spool.take(KEYS[0], part(data, number, announces=announces), 0.0)
                assert isinstance(taken, Upload)
                assert taken.data() == data[: (number + 1) * SIZE]
        spool.close()


@given(st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_whatever_was_left_half_done_the_next_thing_from_its_beginning_gets_through(left: list[int]) -> None:
    """As RFC 7959 §2.5 has it: who begins again with block 0 is not held to what came before."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Staging(Path(folder) / "incoming", floor=0), BOUNDS)
        for thing in left:
            for number in range(2):
                spool.take(KEYS[0], part(THINGS[thing], number, announces=False), 0.0)
        tries = 0
        upload: Upload | Trouble = Trouble.GAP
        while isinstance(upload, Trouble):
            tries += 1
            assert tries <= 2
            for number in range(4):
                upload = spool.take(KEYS[0], part(THINGS[0], number, announces=False), 0.0)
                if isinstance(upload, Trouble):
                    break
        assert upload.data() == THINGS[0]
        spool.close()
