"""How much a peer, and all peers together, may cost. Pure: times are arguments, in seconds.

A peer is a host, whatever ports it sends from; over IPv6 it is a whole /64, as a host may take any address in it.
Before a host has proved that it hears us (`ward_hub.lan.echo`) it is a stranger, and strangers share one small stock:
nothing is kept for any of them. What one host has proved is not proved of the others of its /64: any of them could
forge their addresses. An accepted statement costs nothing, nor does a recording that one names: an honest peer is not
slowed down by its own work.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

PEERS = 1024
# Of one peer: who is forgotten sooner has to show again that it hears us, which takes one round trip.
HOSTS = 16
# How long a proof lasts: an upload of 8 MiB over a poor link needs minutes.
KNOWN_S = 600.0


class Rate(NamedTuple):
    """So much at once, and so much again each second."""

    burst: float
    each_second: float


class Cost(NamedTuple):
    """What a peer may use, and what all may use together."""

    peer: Rate
    total: Rate


# Datagrams that are looked at. One block of 1,024 bytes is one datagram.
DATAGRAMS = Cost(Rate(400, 600), Rate(600, 800))
STRANGERS = Rate(500, 500)
# Statements that reach a signature check, and recordings that come whole.
DECISIONS = Cost(Rate(8, 0.5), Rate(32, 16))
# Bytes written to the disk.
OCTETS = Cost(Rate(9 * 2**20, 16 * 2**10), Rate(32 * 2**20, 64 * 2**10))


class Bucket:
    """A stock that fills by itself."""

    __slots__ = ("_at", "_rate", "stock")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._at = now
        self.stock = rate.burst

    def fill(self, now: float) -> None:
        """Let it fill up to now."""
        self.stock = min(self._rate.burst, self.stock + max(0.0, now - self._at) * self._rate.each_second)
        self._at = max(self._at, now)

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Take `amount` where it is there."""
        self.fill(now)
        if self.stock < amount:
            return False
        self.stock -= amount
        return True

    def wait(self, now: float, amount: float = 1.0) -> float:
        """Return in how many seconds `amount` is there, 0 where it is there now."""
        self.fill(now)
        return max(0.0, amount - self.stock) / self._rate.each_second

    def give_back(self, amount: float = 1.0) -> None:
        """Put back what was taken."""
        self.stock = min(self._rate.burst, self.stock + amount)


class Account:
    """What one known peer has left, and which of its hosts have proved themselves until when, the newest last."""

    __slots__ = ("datagrams", "decisions", "known_until", "octets")

    def __init__(self, now: float) -> None:
        self.known_until: OrderedDict[str, float] = OrderedDict()
        self.datagrams = Bucket(DATAGRAMS.peer, now)
        self.decisions = Bucket(DECISIONS.peer, now)
        self.octets = Bucket(OCTETS.peer, now)


@dataclass(frozen=True, slots=True)
class Purse:
    """What a cost is paid from: a peer's stock and the stock of all."""

    peer: Bucket
    total: Bucket

    def pay(self, now: float, amount: float = 1.0) -> float:
        """Take `amount` from both; where one lacks it, take nothing and return in how many seconds it is there."""
        wait = max(self.peer.wait(now, amount), self.total.wait(now, amount))
        if wait == 0.0:
            self.peer.take(now, amount)
            self.total.take(now, amount)
        return wait


class Limits:
    """The accounts of the peers that are known, at most `PEERS`; the one that was heard longest ago makes room."""

    def __init__(self, now: float) -> None:
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._strangers = Bucket(STRANGERS, now)
        self._datagrams = Bucket(DATAGRAMS.total, now)
        self._decisions = Bucket(DECISIONS.total, now)
        self._octets = Bucket(OCTETS.total, now)

    def __len__(self) -> int:
        return len(self._accounts)

    def admit(self, host: str, now: float) -> bool:
        """Say whether a datagram of that host is looked at."""
        peer = peer_of(host)
        account = self._accounts.get(peer)
        if account is None or account.known_until.get(host, now) <= now:
            return self._strangers.take(now)
        self._accounts.move_to_end(peer)
        return Purse(account.datagrams, self._datagrams).pay(now) == 0.0

    def knows(self, host: str, now: float) -> bool:
        """Say whether the host has proved that it hears us, and not too long ago."""
        account = self._accounts.get(peer_of(host))
        return account is not None and account.known_until.get(host, now) > now

    def proved(self, host: str, now: float) -> None:
        """Take that the host hears us; what its peer has used is not forgotten by that."""
        peer = peer_of(host)
        account = self._accounts.get(peer)
        if account is None:
            while len(self._accounts) >= PEERS:
                self._accounts.popitem(last=False)
            account = self._accounts[peer] = Account(now)
        account.known_until[host] = now + KNOWN_S
        account.known_until.move_to_end(host)
        while len(account.known_until) > HOSTS:
            account.known_until.popitem(last=False)

    def decisions(self, peer: str) -> Purse:
        """Return what a known peer's decisions are paid from."""
        return Purse(self._accounts[peer].decisions, self._decisions)

    def octets(self, peer: str) -> Purse:
        """Return what a known peer's bytes on the disk are paid from."""
        return Purse(self._accounts[peer].octets, self._octets)

    def give_back(self, peer: str, *, decisions: int, octets: int) -> None:
        """Put back what was paid for something that is free; a peer that is no longer known has nothing to get."""
        self._decisions.give_back(decisions)
        self._octets.give_back(octets)
        account = self._accounts.get(peer)
        if account is not None:
            account.decisions.give_back(decisions)
            account.octets.give_back(octets)


def peer_of(host: str) -> str:
    """Return whose account a host's address is on: its own, over IPv6 that of its /64."""
    if ":" not in host:
        return host
    network = ipaddress.IPv6Network((host.partition("%")[0], 64), strict=False)
    return str(network.network_address)
