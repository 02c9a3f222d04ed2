"""The UDP port of a stream: open only while one is awaited, small, and never the reason that a processor is busy.

Ref: Linux ip(7), ipv6(7), udp(7); RFC 3493 §5.2 (joining a group).
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

MOST_BYTES = 2048
_BUFFER = 128 * 1024  # what the kernel may hold for us; what comes beyond it is dropped
_AT_ONCE = 32
_SHARE = 0.25
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29  # not in Python's socket module; Linux in.h and in6.h


class NoPort(Exception):
    """The port cannot be opened; the text says why."""


class Listener:
    """Gives the datagrams that come to a port: of a multicast `group`, or without one to the hub's own addresses.

    At most a quarter of a processor goes into them, by `cpu_time`, the time that this thread has used.
    """

    def __init__(
        self,
        group: str,
        port: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        cpu_time: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock
        self._cpu_time = cpu_time
        self._socket = _joined(group, port) if group else _unicast(port)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def read(self, wait_s: float) -> Iterator[bytes]:
        """Yield the datagrams that wait and those that come within ``wait_s``, for that long at least.

        What the caller does between two of them counts as work of this thread. After too much of it the rest waits.
        """
        begun, worked = self._clock(), self._cpu_time()
        while (left := begun + wait_s - self._clock()) > 0:
            if self._cpu_time() - worked > _SHARE * wait_s:
                time.sleep(left)
                return
            if self._poll.poll(left * 1000):
                yield from self._ready()

    def _ready(self) -> Iterator[bytes]:
        for _ in range(_AT_ONCE):
            try:
                yield self._socket.recv(MOST_BYTES)
            except BlockingIOError:
                return
            except OSError:
                return  # an error of the network is told here once; the next datagram may come all the same


def _unicast(port: int) -> socket.socket:
    """Both address families on one socket; IPv4 alone where the system has no IPv6."""
    try:
        return _bound(socket.AF_INET6, ("::", port), {(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY): 0})
    except NoPort:
        if socket.has_dualstack_ipv6():
            raise
        return _bound(socket.AF_INET, ("0.0.0.0", port), {})  # noqa: S104 - a stream may come to any address of the hub


def _joined(group: str, port: int) -> socket.socket:
    """A socket that gets what is sent to the group, on whichever network it comes."""
    address = ipaddress.ip_address(group)
    # Other programs may listen to the same group: each gets a copy.
    options = {(socket.SOL_SOCKET, socket.SO_REUSEADDR): 1}
    if address.version == 4:
        one = _bound(socket.AF_INET, (group, port), options | {(socket.IPPROTO_IP, _IP_MULTICAST_ALL): 0})
        level, option, form = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, "=4s4xi"
    else:
        options |= {(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY): 1, (socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL): 0}
        one = _bound(socket.AF_INET6, (group, port), options)
        level, option, form = socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, "=16si"
    joined = 0
    for number, _ in socket.if_nameindex():
        try:
            one.setsockopt(level, option, struct.pack(form, address.packed, number))
            joined += 1
        except OSError:
            continue  # this network has no multicast, or not of this family
    if not joined:
        one.close()
        raise NoPort(f"no network here has the group {group}")
    return one


def _bound(
    family: socket.AddressFamily, address: tuple[str, int], options: dict[tuple[int, int], int]
) -> socket.socket:
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            for (level, option), value in options.items():
                one.setsockopt(level, option, value)
            one.bind(address)
        except OSError as error:
            raise NoPort(f"UDP port {address[1]} cannot be opened: {error.strerror}") from error
        stack.pop_all()
        return one
