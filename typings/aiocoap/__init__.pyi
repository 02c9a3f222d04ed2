"""The part of aiocoap 0.4 that this project uses; it ships no types of its own."""

import asyncio
from collections.abc import Sequence

from aiocoap.message import Message as Message
from aiocoap.tokenmanager import TokenManager

class Context:
    request_interfaces: list[TokenManager]
    serversite: object
    @classmethod
    async def create_client_context(
        cls, *, loggername: str = ..., transports: Sequence[str] | None = ...
    ) -> Context: ...
    @classmethod
    async def create_server_context(
        cls,
        site: object,
        bind: tuple[str, int | None] | None = ...,
        *,
        loggername: str = ...,
        transports: Sequence[str] | None = ...,
    ) -> Context: ...
    async def find_remote_and_interface(self, message: Message) -> TokenManager: ...
    async def shutdown(self) -> None: ...
    def request(self, request_message: Message, handle_blockwise: bool = ...) -> Request: ...

class Request:
    response: asyncio.Future[Message]
