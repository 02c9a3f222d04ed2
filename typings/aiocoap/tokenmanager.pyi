"""Matches answers to requests by token."""

from collections.abc import Callable
from socket import socket

from aiocoap.message import Remote
from aiocoap.pipe import Pipe

class Transport:
    def get_extra_info(self, name: str) -> socket: ...

class MessageInterface:
    error_received: Callable[[Exception], None]
    transport: Transport

class MessageManager:
    message_interface: MessageInterface

class TokenManager:
    outgoing_requests: dict[tuple[bytes, Remote | None], Pipe] | None
    next_token: Callable[[], bytes]
    token_interface: MessageManager
    def request(self, request: Pipe) -> None: ...
