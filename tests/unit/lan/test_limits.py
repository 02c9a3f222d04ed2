"""Limits: what one peer, all peers, and strangers may cost; whom an address belongs to."""

from __future__ import annotations

import pytest

from ward_hub.lan.limits import (
    DATAGRAMS,
    DECISIONS,
    HOSTS,
    KNOWN_S,
    OCTETS,
    PEERS,
    STRANGERS,
    Bucket,
    Limits,
    Rate,
    peer_of,
)


def known(peer: str = "a", now: float = 0.0) -> Limits:
    limits = Limits(now)
    limits.proved(peer, now)
    return limits


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(Rate(3, 2), 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait(0.0) == 0.5
    assert bucket.take(0.5)
    bucket.give_back(100)
    assert bucket.stock == 3


def test_a_bucket_is_not_refilled_by_a_clock_that_stands() -> None:
    bucket = Bucket(Rate(1, 1), 10.0)
    assert bucket.take(10.0)
    assert not bucket.take(9.0)
    assert not bucket.take(10.0)


def test_strangers_share_one_stock_and_nothing_is_kept_of_them() -> None:
    limits = Limits(0.0)
    admitted = sum(limits.admit(f"10.0.{number // 256}.{number % 256}", 0.0) for number in range(10_000))
    assert admitted == STRANGERS.burst
    assert len(limits) == 0


def test_a_known_peer_has_a_stock_of_its_own_whatever_strangers_do() -> None:
    limits = known()
    while limits.admit("stranger", 0.0):
        pass
    assert sum(limits.admit("a", 0.0) for _ in range(1000)) == DATAGRAMS.peer.burst


def test_all_known_peers_together_are_bounded() -> None:
    limits = Limits(0.0)
    for number in range(10):
        limits.proved(str(number), 0.0)
    assert sum(limits.admit(str(number), 0.0) for number in range(10) for _ in range(1000)) == DATAGRAMS.total.burst


def test_a_proof_lasts_and_ends() -> None:
    limits = known()
    assert limits.knows("a", KNOWN_S - 1)
    assert not limits.knows("a", KNOWN_S)
    assert not limits.knows("b", 0.0)


def test_a_new_proof_forgives_nothing() -> None:
    limits = known()
    while limits.decisions("a").pay(0.0) == 0.0:
        pass
    limits.proved("a", 0.0)
    assert limits.decisions("a").pay(0.0) > 0


def test_the_peer_that_was_heard_longest_ago_makes_room() -> None:
    limits = Limits(0.0)
    for number in range(PEERS):
        limits.proved(str(number), 0.0)
    assert limits.admit("0", 0.0)
    limits.proved("new", 0.0)
    assert len(limits) == PEERS
    assert limits.knows("0", 0.0)
    assert not limits.knows("1", 0.0)


def test_decisions_of_one_and_of_all() -> None:
    limits = Limits(0.0)
    paid = 0
    for number in range(100):
        limits.proved(str(number), 0.0)
        mine = 0
        while limits.decisions(str(number)).pay(0.0) == 0.0:
            mine += 1
        assert mine <= DECISIONS.peer.burst
        paid += mine
    assert paid == DECISIONS.total.burst


def test_who_lacks_something_is_told_how_long_and_pays_nothing() -> None:
    limits = known()
    assert limits.octets("a").pay(0.0, OCTETS.peer.burst) == 0.0
    assert limits.octets("a").pay(0.0, 1024) == pytest.approx(1024 / OCTETS.peer.each_second)
    limits.give_back("a", decisions=0, octets=1024)
    assert limits.octets("a").pay(0.0, 1024) == 0.0


def test_what_is_kept_costs_nothing_however_much_it_is() -> None:
    limits = known()
    for _ in range(1000):
        assert limits.decisions("a").pay(0.0) == 0.0
        assert limits.octets("a").pay(0.0, 2**20) == 0.0
        limits.give_back("a", decisions=1, octets=2**20)
    limits.give_back("gone", decisions=1, octets=1)


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_whose_account_an_address_is_on(host: str, peer: str) -> None:
    assert peer_of(host) == peer


def test_one_host_is_known_and_its_neighbours_are_not_but_their_stock_is_one() -> None:
    limits = Limits(0.0)
    limits.proved("2001:db8::1", 0.0)
    assert limits.knows("2001:db8::1", 0.0)
    assert not limits.knows("2001:db8::2", 0.0)
    while limits.admit("2001:db8::1", 0.0):
        pass
    assert limits.admit("2001:db8::2", 0.0), "as a stranger, and not on the account of the one that is known"
    limits.proved("2001:db8::2", 0.0)
    assert not limits.admit("2001:db8::2", 0.0)
    assert len(limits) == 1


def test_of_one_peer_the_hosts_are_known_that_proved_themselves_last() -> None:
    limits = Limits(0.0)
    for number in range(1, HOSTS + 1):
        limits.proved(f"2001:db8::{number:x}", 0.0)
    limits.proved("2001:db8::1", 0.0)
    limits.proved("2001:db8::ffff", 0.0)
    known = [number for number in range(1, HOSTS + 1) if limits.knows(f"2001:db8::{number:x}", 0.0)]
    assert known == [1, *range(3, HOSTS + 1)]
