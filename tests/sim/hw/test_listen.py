"""The UDP port of a stream on the real network stack: whom it hears, when it is open, what it costs."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from tests.sim.hw.streams import free_port, is_open

from ward_hw.audio_worker.listen import MOST_BYTES, Listener, NoPort

GROUP, GROUP6 = "239.192.7.7", "ff15::77:7"


def sent(port: int, *datagrams: bytes, to: str = "127.0.0.1") -> None:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        for datagram in datagrams:
            one.sendto(datagram, (to, port))


def test_it_hears_both_families_while_it_is_open() -> None:
    port = free_port()
    with Listener("", port) as listener:
        assert is_open(port)
        sent(port, b"four")
        sent(port, b"six", to="::1")
        assert list(listener.read(0.05)) == [b"four", b"six"]
        assert list(listener.read(0.01)) == []
    assert not is_open(port)


def test_a_port_that_another_has_cannot_be_opened() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        other.bind(("::", 0))
        port = other.getsockname()[1]
        with pytest.raises(NoPort, match=f"UDP port {port} cannot be opened: Address already in use"):
            Listener("", port)


def test_a_system_without_ipv6_has_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    true = socket.socket

    def ipv4_only(family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return true(family, kind)

    monkeypatch.setattr("ward_hw.audio_worker.listen.socket.has_dualstack_ipv6", lambda: False)
    monkeypatch.setattr("ward_hw.audio_worker.listen.socket.socket", ipv4_only)
    with Listener("", port) as listener:
        monkeypatch.undo()
        sent(port, b"four")
        assert list(listener.read(0.05)) == [b"four"]


@pytest.mark.parametrize("count", [1, 2])
def test_of_a_group_it_hears_the_group_alone(count: int) -> None:
    port = free_port()
    listeners = [Listener(GROUP, port) for _ in range(count)]
    try:
        sent(port, b"to this machine")
        sent(port, b"to the group", to=GROUP)
        sent(port, b"to another", to="239.192.7.8")
        for listener in listeners:
            assert list(listener.read(0.05)) == [b"to the group"]
    finally:
        for listener in listeners:
            listener.__exit__(None, None, None)


def test_of_a_group_of_ipv6_as_well() -> None:
    port = free_port()
    with Listener(GROUP6, port) as listener, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.sendto(b"to this machine", ("::1", port))
        networks = 0
        for number, _ in socket.if_nameindex():
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("=i", number))
            with contextlib.suppress(OSError):  # a network without IPv6
                one.sendto(b"to the group", (GROUP6, port))
                networks += 1
        if not networks:
            pytest.skip("no network here has groups of IPv6")
        assert list(listener.read(0.05)) == [b"to the group"] * networks


def test_without_any_network_there_is_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> list[tuple[int, str]]:
        return []

    monkeypatch.setattr(socket, "if_nameindex", nothing)
    with pytest.raises(NoPort, match=f"no network here has the group {GROUP}"):
        Listener(GROUP, free_port())


def test_a_datagram_is_cut_before_it_takes_room() -> None:
    port = free_port()
    with Listener("", port) as listener:
        sent(port, bytes(60_000))
        assert [len(datagram) for datagram in listener.read(0.05)] == [MOST_BYTES]


def test_what_waits_in_the_kernel_is_bounded() -> None:
    port = free_port()
    with Listener("", port) as listener:
        sent(port, *[bytes(1400)] * 5000)
        assert 10 < len(list(listener.read(0.2))) < 500


def ticking(step_s: float) -> Callable[[], float]:
    """A thread whose work takes `step_s` of processor time between two looks at it."""
    times: Iterator[int] = iter(range(10**6))
    return lambda: next(times) * step_s


def test_with_too_much_work_the_rest_waits() -> None:
    port = free_port()
    with Listener("", port, cpu_time=ticking(0.01)) as listener:
        sent(port, *[b"x"] * 70)
        begun = time.monotonic()
        first = list(listener.read(0.1))
        assert time.monotonic() - begun >= 0.1
        assert len(first) == 64  # after two bursts of 32 it has worked for over a quarter of the 100 ms
        assert list(listener.read(0.1)) == [b"x"] * 6
