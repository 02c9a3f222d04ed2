"""CoAP messages."""

from collections.abc import Sequence

from aiocoap.numbers.codes import Code
from aiocoap.numbers.constants import TransportTuning
from aiocoap.numbers.types import Type
from aiocoap.options import Options

class Message:
    code: Code
    mtype: Type | None
    payload: bytes
    mid: int | None
    token: bytes
    remote: Remote
    opt: Options
    def __init__(
        self,
        *,
        code: int | None = ...,
        payload: bytes = ...,
        uri: str | None = ...,
        transport_tuning: TransportTuning | None = ...,
        uri_path: Sequence[str] = ...,
    ) -> None: ...
    @classmethod
    def decode(cls, rawdata: bytes) -> Message: ...
    def encode(self) -> bytes: ...

class Remote:
    hostinfo: str
    def datagram_received(self, data: bytes, address: object) -> None: ...
