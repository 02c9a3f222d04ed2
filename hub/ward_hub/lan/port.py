"""The UDP socket that the hub listens on: whom a datagram came from, and by which of our addresses.

It is bound to the address that it is given, also before the network interface has it (IP_FREEBIND): a cable that is
plugged in later needs no restart. Where that is the wildcard, an answer still goes out from the address that was
asked (IP_PKTINFO), and what was sent to a broadcast or multicast address is passed over: nobody answers for a group.
Ref: ip(7), ipv6(7); RFC 3542 §6.2; RFC 7252 §8.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from typing import NamedTuple

# Linux's own numbers, which Python's socket module lacks before 3.14.
IP_PKTINFO, IP_FREEBIND, IPV6_FREEBIND = 8, 15, 78
IN_PKTINFO, IN6_PKTINFO = struct.Struct("i4s4s"), struct.Struct("16sI")
# Longer ones are no CoAP of ours: RFC 7252 §4.6 has 1,152 bytes, and a block has 1,024.
LONGEST = 1500
ROOM = 128


class Datagram(NamedTuple):
    """What came: its bytes, the address it came from as the kernel gives it, and by which of ours."""

    data: bytes
    source: tuple[str, int] | tuple[str, int, int, int]
    local: bytes


class Port:
    """An open, non-blocking socket at `host`, an IP address, and UDP port `number` (0: any). Raises OSError."""

    def __init__(self, host: str, number: int) -> None:
        version = ipaddress.ip_address(host.partition("%")[0]).version
        self._ipv6 = version == 6
        self.socket = socket.socket(socket.AF_INET6 if self._ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            if self._ipv6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            else:
                self.socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
                self.socket.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            self.socket.bind(socket.getaddrinfo(host, number, type=socket.SOCK_DGRAM)[0][4])
        except BaseException:
            self.socket.close()
            raise

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, the real number where any was asked for."""
        host, number = self.socket.getsockname()[:2]
        return host, number

    def receive(self) -> Datagram | None:
        """Return the next datagram that is meant for this host alone and is not too long, None where it was not.

        Raises BlockingIOError when there is none.
        """
        data, control, flags, source = self.socket.recvmsg(LONGEST, ROOM)
        local = self._local(control)
        if local is None or flags & socket.MSG_TRUNC:
            return None
        return Datagram(data, source, local)

    def send(self, data: bytes, to: Datagram) -> None:
        """Answer `to` from the address that it came to. What the kernel does not take is lost, as on any network."""
        if self._ipv6:
            control = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, to.local)
        else:
            control = (socket.IPPROTO_IP, IP_PKTINFO, to.local)
        self.socket.sendmsg([data], [control], 0, to.source)

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def _local(self, control: list[tuple[int, int, bytes]]) -> bytes | None:
        """Return what makes an answer go out from the address asked; None where that is a group's."""
        for level, kind, value in control:
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
                address, index = IN6_PKTINFO.unpack(value)
                return None if address[0] == 0xFF else IN6_PKTINFO.pack(address, index)
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                _, ours, asked = IN_PKTINFO.unpack(value)
                return None if ours != asked else IN_PKTINFO.pack(0, ours, bytes(4))
        return None
