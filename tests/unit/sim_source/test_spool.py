"""Uploads block by block: repeats acknowledged, gaps and overlong ones refused, bounded in number, bytes and time."""

from __future__ import annotations

from ward_sim.source.spool import IDLE_S, OCTETS, UPLOADS, Refusal, Spool, Upload


def test_parts_in_order_become_one() -> None:
    spool = Spool()
    spool.take("a", 0, b"12", 10, 0.0)
    upload = spool.take("a", 2, b"34", 10, 0.0)
    assert isinstance(upload, Upload)
    assert upload.data == b"1234"


def test_a_part_that_comes_twice_changes_nothing_and_keeps_its_answer() -> None:
    spool = Spool()
    spool.take("a", 0, b"12", 10, 0.0)
    last = spool.take("a", 2, b"3", 10, 0.0)
    assert isinstance(last, Upload)
    last.answer = "done"
    again = spool.take("a", 2, b"3", 10, 1.0)
    assert isinstance(again, Upload)
    assert again.answer == "done"
    assert isinstance(spool.take("a", 0, b"12", 10, 1.0), Upload)


def test_a_gap_another_content_or_an_unknown_upload_begins_again() -> None:
    spool = Spool()
    assert spool.take("a", 2, b"34", 10, 0.0) is Refusal.GAP
    spool.take("a", 0, b"12", 10, 0.0)
    assert spool.take("a", 4, b"56", 10, 0.0) is Refusal.GAP
    assert spool.take("a", 0, b"99", 10, 0.0) is Refusal.GAP


def test_the_limit_ends_an_upload() -> None:
    spool = Spool()
    spool.take("a", 0, b"12", 3, 0.0)
    assert spool.take("a", 2, b"34", 3, 0.0) is Refusal.TOO_LARGE
    assert spool.take("a", 2, b"3", 3, 0.0) is Refusal.GAP


def test_idle_ones_are_forgotten() -> None:
    spool = Spool()
    spool.take("a", 0, b"12", 10, 0.0)
    assert spool.take("a", 2, b"3", 10, IDLE_S + 1) is Refusal.GAP


def test_number_and_bytes_are_bounded() -> None:
    spool = Spool()
    for number in range(3 * UPLOADS):
        spool.take(number, 0, b"x", 10, float(number) / 1000)
    assert len(spool._uploads) <= UPLOADS + 1
    spool = Spool()
    part = b"x" * (OCTETS // 4)
    for number in range(10):
        spool.take(number, 0, part, OCTETS, float(number))
    assert sum(len(one.data) for one in spool._uploads.values()) <= OCTETS + len(part)
