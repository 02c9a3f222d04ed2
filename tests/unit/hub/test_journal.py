"""The journal: each method one transaction, receipts in their chain, the replay window, a full disk, reopening."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.clocks import clock
from tests.journals import FILE, Now, journal, receipts, rows, story
from tests.statements import BULLETIN, CANCEL, NOW, RECALL, RECEIPT, SIGNER

from ward_hub.alarm_words import Code, detail
from ward_hub.clock import Clock, Kept
from ward_hub.errors import StateError
from ward_hub.journal import Bounds, Entry, Journal, Ledger, Standing, State, Withdrawal
from ward_hub.journal.ledger import WINDOW
from ward_protocol.envelope import sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Cancel, Event, Status

ONE, TWO = b"\x01" * 32, b"\x02" * 32


def fill(ledger: Ledger, kilobytes: int) -> None:
    """Leave so much room as on a card that is almost full: SQLite itself then refuses to grow the file."""
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages + kilobytes // 4}")


def accept_many(ledger: Ledger) -> None:
    for number in range(2, 100):
        ledger.accept("ward", number, number.to_bytes(32, "big"), b"x" * 1000)


def test_what_was_accepted_is_there_after_a_restart(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        assert one.ledger.accept("ward", 1, ONE, b"data") is None
    with journal(tmp_path) as again:
        assert again.ledger.unfinished() == [Entry(ONE, b"data", State.ACCEPTED, 0)]
        assert again.ledger.settled("ward", 1)
        assert again.ledger.state_of(ONE) is State.ACCEPTED
        assert again.ledger.state_of(TWO) is None
    assert [(one.event, one.statement) for one in receipts(tmp_path)] == [(Event.ACCEPTED, ONE)]
    assert [line.event for line in story(tmp_path)] == ["accepted"]


def test_what_was_accepted_can_be_looked_up_also_after_its_end(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        assert one.ledger.entry(ONE) is None
        one.ledger.accept("ward", 1, ONE, b"data")
        assert one.ledger.entry(ONE) == Entry(ONE, b"data", State.ACCEPTED, 0)
        one.ledger.begin(ONE)
        one.ledger.end(ONE, State.AIRED)
        assert one.ledger.entry(ONE) == Entry(ONE, b"data", State.AIRED, 1)


def test_what_has_nothing_to_air_after_all_is_noted_without_a_receipt(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger.accept("ward", 1, ONE, b"data")
        one.ledger.nothing_to_air(ONE, "nothing to correct")
        assert one.ledger.unfinished() == []
        assert one.ledger.state_of(ONE) is State.NOTED
    assert [(line.event, line.detail.get("why")) for line in story(tmp_path)][1:] == [("noted", "nothing to correct")]
    assert len(receipts(tmp_path)) == 1


def test_the_oldest_unfinished_comes_first(tmp_path: Path) -> None:
    now = Now()
    with journal(tmp_path, now) as one:
        for number in (3, 1, 2):
            now.at += 1
            one.ledger.accept("ward", number, bytes([number]) * 32, b"")
        assert [entry.digest[0] for entry in one.ledger.unfinished()] == [3, 1, 2]


def test_a_sequence_is_accepted_once(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        assert one.ledger.accept("ward", 1, ONE, b"first") is None
        assert one.ledger.accept("ward", 1, TWO, b"second") is not None
        assert one.ledger.state_of(TWO) is None
    assert len(receipts(tmp_path)) == 1


def test_a_life_is_told_in_entries_and_receipts(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        ledger = one.ledger
        ledger.accept("ward", 1, ONE, b"")
        assert ledger.begin(ONE) == 1
        ledger.interrupt(ONE, "emergency")
        assert ledger.state_of(ONE) is State.ACCEPTED
        assert ledger.begin(ONE) == 2
        assert [entry.attempts for entry in ledger.unfinished()] == [2]
        ledger.end(ONE, State.PARTLY, Reason.NOTHING_HEARD, "zone-1", RECEIPT.evidence)
        assert ledger.unfinished() == []
    assert [line.event for line in story(tmp_path)] == ["accepted", "airing", "interrupted", "airing", "partly"]
    last = receipts(tmp_path)[-1]
    assert (last.event, last.reason, last.detail) == (Event.PARTLY, Reason.NOTHING_HEARD, "zone-1")
    assert last.evidence == RECEIPT.evidence


@pytest.mark.parametrize(
    ("statement", "status"),
    [(replace(BULLETIN, status=one), one) for one in Status] + [(RECALL, Status.ACTUAL), (CANCEL, None)],
)
def test_receipts_say_whether_it_is_a_drill(
    tmp_path: Path, statement: Bulletin | Cancel, status: Status | None
) -> None:
    with journal(tmp_path) as one:
        one.ledger.accept("ward", 1, ONE, sign(statement, [SIGNER]))
        one.ledger.begin(ONE)
        one.ledger.end(ONE, State.PARTLY, Reason.STOPPED)
    assert [receipt.status for receipt in receipts(tmp_path)] == [status, status]


def test_what_another_version_kept_still_ends_with_a_receipt(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger.accept("ward", 1, ONE, b"of another version")
        assert one.ledger.end(ONE, State.AIRED)
    assert [receipt.status for receipt in receipts(tmp_path)] == [None, None]


def test_what_has_ended_does_not_end_again(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger.accept("ward", 1, ONE, b"")
        assert one.ledger.end(ONE, State.CANCELLED, Reason.CANCELLED)
        assert not one.ledger.end(ONE, State.AIRED)
        assert not one.ledger.end(TWO, State.AIRED)
        assert one.ledger.state_of(ONE) is State.CANCELLED
    assert [one.event for one in receipts(tmp_path)] == [Event.ACCEPTED, Event.CANCELLED]


def test_a_refusal_is_noted_once_for_each_place_and_reason(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        refuse = one.ledger.refuse
        assert refuse(ONE, "feed/ward/1", Reason.UNKNOWN_KEY, "who?", None)
        assert not refuse(ONE, "feed/ward/1", Reason.UNKNOWN_KEY, "who?", None)
        assert refuse(ONE, "feed/ward/2", Reason.UNKNOWN_KEY, "who?", None)
        assert not one.ledger.settled("ward", 1)
        assert refuse(ONE, "feed/ward/1", Reason.EXPIRED, "late", ("ward", 1))
        assert one.ledger.settled("ward", 1)
        assert not refuse(ONE, "feed/ward/1", Reason.EXPIRED, "late", ("ward", 1))
    found = receipts(tmp_path)
    assert [(one.event, one.reason) for one in found] == [
        (Event.REFUSED, Reason.UNKNOWN_KEY),
        (Event.REFUSED, Reason.UNKNOWN_KEY),
        (Event.REFUSED, Reason.EXPIRED),
    ]
    assert found[0].detail == "feed/ward/1: who?"


def test_a_long_detail_still_fits_a_receipt(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger.refuse(ONE, "usb", Reason.MALFORMED_CBOR, "ế" * 1000, None)
    assert len(receipts(tmp_path)[0].detail) == 300


def test_receipts_wait_in_order_until_each_is_acknowledged(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        for number in range(1, 6):
            one.ledger.accept("ward", number, bytes([number]) * 32, b"")
        assert [waiting.sequence for waiting in one.ledger.waiting(3)] == [1, 2, 3]
        one.ledger.acknowledge(2)
        one.ledger.acknowledge(1)
    with journal(tmp_path) as again:
        assert [waiting.sequence for waiting in again.ledger.waiting()] == [3, 4, 5]


def test_receipts_go_on_counting_after_a_restart(tmp_path: Path) -> None:
    for number in range(1, 4):
        with journal(tmp_path) as one:
            one.ledger.accept("ward", number, bytes([number]) * 32, b"")
    assert [one.sequence for one in receipts(tmp_path)] == [1, 2, 3]


def test_documents_replace_each_other_by_kind(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger.keep_document("root", 1, ONE, b"root")
        one.ledger.keep_document("grants", 1, ONE, b"old")
        one.ledger.keep_document("grants", 2, TWO, b"new")
        one.ledger.keep_beat(NOW, b"beat")
    with journal(tmp_path) as again:
        assert again.ledger.documents() == {"root": b"root", "grants": b"new", "beat": b"beat"}


# The clock and the alarms


def test_what_is_kept_of_the_clock_comes_back(tmp_path: Path) -> None:
    first, second = Kept(NOW, "boot-1", 12.25, NOW + 0.5, True), Kept(NOW + 600, "boot-1", 612.25, NOW + 600.5, False)
    with journal(tmp_path) as one:
        assert one.ledger.clock() is None
        one.ledger.keep_clock(first)
        assert one.ledger.clock() == first
        one.ledger.keep_clock(second)
    with journal(tmp_path) as again:
        assert again.ledger.clock() == second
        assert story(tmp_path) == []  # it is kept every few minutes: no decision


def test_a_recovered_clock_takes_the_newest_beat_with_it(tmp_path: Path) -> None:
    kept = Kept(NOW, "boot-1", 12.0, float(NOW), False)
    with journal(tmp_path) as one:
        one.ledger.keep_clock(Kept(NOW + 10**8, "boot-1", 9.0, NOW + 1e8, True))
        one.ledger.keep_beat(NOW + 10**8, b"by a stolen key")
        one.ledger.recover_clock(kept)
        assert one.ledger.clock() == kept
        assert "beat" not in one.ledger.documents()
    assert [(line.event, line.detail) for line in story(tmp_path)] == [("clock-recovered", {"floor": NOW})]


def test_what_came_while_the_time_was_false_counts_for_a_day_of_the_true_one(tmp_path: Path) -> None:
    now, one_a_day = Now(), Bounds(bulletins=1)
    hub_clock = clock(now)
    with journal(tmp_path, hub_clock=hub_clock) as one:

        def refused(number: int) -> bool:
            return one.ledger.accept("ward", number, bytes([number]) * 32, b"", bounds=one_a_day) is not None

        hub_clock.heard(NOW + 300 * 86_400, hub_clock.ask())  # by a stolen key, which the next root takes away
        assert not refused(1)
        one.ledger.recover_clock(hub_clock.recover(NOW))
        assert refused(2)
        now.at += 86_401
        assert not refused(3)


def test_an_alarm_stands_in_the_journal_until_it_is_over(tmp_path: Path) -> None:
    alarm = Standing(Reason.SOURCE_SILENT, NOW * 1000, (detail(Code.NO_BEAT, over_s=60),))
    with journal(tmp_path) as one:
        one.ledger.alarm(alarm, began=True)
    with journal(tmp_path) as again:
        assert again.ledger.alarms() == [alarm]
        again.ledger.alarm(alarm, began=False)
        assert again.ledger.alarms() == []
    assert [(one.event, one.reason, one.statement, one.detail) for one in receipts(tmp_path)] == [
        (Event.ALARM, Reason.SOURCE_SILENT, bytes(32), "no beat for over 60 s"),
        (Event.ALARM_CLEARED, Reason.SOURCE_SILENT, bytes(32), "no beat for over 60 s"),
    ]


# The replay window


def test_nothing_is_settled_at_first(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        assert not one.ledger.settled("ward", 1)
        assert one.ledger.missing({"ward": 3, "province": 1}) == [
            ("ward", 3),
            ("ward", 2),
            ("ward", 1),
            ("province", 1),
        ]
        assert one.ledger.missing({"ward": 0}) == []


@pytest.mark.parametrize("head", [WINDOW, WINDOW + 1, WINDOW + 2, 5 * WINDOW])
def test_the_window_reaches_exactly_as_far_back_as_it_says(tmp_path: Path, head: int) -> None:
    with journal(tmp_path) as one:
        ledger = one.ledger
        edge = head - WINDOW  # the newest that has fallen out of the window
        assert ledger.missing({"ward": head})[-1] == ("ward", edge + 1)
        ledger.accept("ward", head, ONE, b"")
        assert ledger.settled("ward", edge) is True
        assert not ledger.settled("ward", edge + 1)
        assert ledger.missing({"ward": head}) == [("ward", number) for number in range(head - 1, edge, -1)]
        assert ledger.accept("ward", edge + 1, TWO, b"") is None
        assert edge == 0 or ledger.accept("ward", edge, b"\x03" * 32, b"") is not None


def test_a_gap_that_is_filled_moves_the_window_and_keeps_no_rows(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        for number in (5, 4, 2, 1, 3):
            one.ledger.accept("ward", number, bytes([number]) * 32, b"")
        assert one.ledger.missing({"ward": 6}) == [("ward", 6)]
        assert all(one.ledger.settled("ward", number) for number in range(1, 6))
    assert rows(tmp_path, "SELECT * FROM slot") == []
    assert rows(tmp_path, "SELECT * FROM low") == [("ward", 5)]


def test_issuers_have_windows_of_their_own(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger.accept("ward", 1000, ONE, b"")
        assert not one.ledger.settled("province", 1)


# What is taken back


def test_what_was_taken_back_is_known_before_it_came(tmp_path: Path) -> None:
    taken = Withdrawal(TWO, State.CANCELLED, Reason.CANCELLED, "phát nhầm")
    with journal(tmp_path) as one:
        one.ledger.accept("ward", 2, ONE, b"", State.NOTED, withdraws=[taken])
    with journal(tmp_path) as again:
        assert again.ledger.unfinished() == []
        assert again.ledger.withdrawal(TWO, "ward") == taken
        assert again.ledger.withdrawal(TWO, "province") is None
        assert again.ledger.withdrawal(ONE, "ward") is None


# What fails


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        ledger = one.ledger
        ledger.accept("ward", 1, ONE, b"")
        fill(ledger, kilobytes=40)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            accept_many(ledger)
        written = ledger.missing({"ward": 100})[-1][1] - 1
        assert not ledger.settled("ward", written + 1)
        assert len(ledger.unfinished()) == written
        fill(ledger, kilobytes=4000)  # somebody made room
        assert ledger.accept("ward", written + 1, TWO, b"") is None
    assert len(receipts(tmp_path)) == len(story(tmp_path)) == written + 1


def test_a_commit_that_fails_is_undone_and_the_next_one_works(tmp_path: Path) -> None:
    """Two writers, as no site should have: SQLite then fails the transaction at its very end."""
    with journal(tmp_path) as one:
        ledger = one.ledger
        ledger._db.execute("PRAGMA foreign_keys = ON")
        ledger._db.execute("CREATE TABLE a (x PRIMARY KEY)")
        ledger._db.execute("CREATE TABLE b (x REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(sqlite3.IntegrityError), ledger._transaction():
            ledger._db.execute("INSERT INTO b VALUES (1)")  # judged at COMMIT
        assert ledger.accept("ward", 1, ONE, b"") is None
    assert rows(tmp_path, "SELECT * FROM b") == []


def test_a_file_that_is_no_journal_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database, it is a letter" * 100)
    with pytest.raises(StateError, match=r"journal.sqlite: the journal cannot be used: file is not a database"):
        Journal(tmp_path / FILE, "hub-1", None, Clock())  # type: ignore[arg-type]


def test_a_journal_of_another_version_is_said_clearly(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        one.ledger._db.execute("PRAGMA user_version = 7")
    with pytest.raises(StateError, match="journal of version 7, this agent needs 3"), journal(tmp_path):
        pass


def test_a_folder_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"), journal(tmp_path / "nowhere"):
        pass


# How the hub is configured


def test_a_first_configuration_is_no_change_and_each_other_one_is_named(tmp_path: Path) -> None:
    with journal(tmp_path) as one:
        assert one.ledger.configure({"[hub]": "a", "[lan]": "b"}) == []
        assert one.ledger.configure({"[hub]": "a", "[lan]": "b"}) == []
    with journal(tmp_path) as again:
        assert again.ledger.configure({"[hub]": "a2", "[usb]": "c"}) == ["[hub]", "[lan]", "[usb]"]
        assert again.ledger.configure({"[hub]": "a2", "[usb]": "c"}) == []
        told = [(one.event, one.detail) for one in story(tmp_path)]
        assert told == [("configured", {"changed": []}), ("configured", {"changed": ["[hub]", "[lan]", "[usb]"]})]
        assert again.ledger.documents() == {}


# Its one writer


async def test_the_loop_hears_of_receipts_and_only_of_them(tmp_path: Path) -> None:
    heard: list[bool] = []
    with journal(tmp_path) as one:
        one.on_receipt = lambda: heard.append(True)
        await one.do(Ledger.keep_beat, NOW, b"")
        assert not await one.do(Ledger.settled, "ward", 1)
        assert heard == []
        await one.do(Ledger.accept, "ward", 1, ONE, b"")
        assert heard == [True]
