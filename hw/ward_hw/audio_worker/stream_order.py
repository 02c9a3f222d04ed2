"""What the worker is told to receive, as a value and as the message between agent and worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ward_hw.audio_worker.pipe import Message

if TYPE_CHECKING:
    from ward_protocol.statements import Stream  # 10 MB that the worker does without


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stream was heard: its source (SSRC), and the highest packet index that authenticated."""

    ssrc: int
    index: int


@dataclass(frozen=True, slots=True)
class StreamOrder:
    """What to receive and how long: `ward_protocol.statements.Stream` says what its fields mean.

    It ends after ``limit_s``; after ``first_s`` if nothing authentic came at all. Only packets behind ``after`` count.
    """

    address: str
    port: int
    master: bytes = field(repr=False)
    codec: str
    payload_type: int
    clock_rate: int
    channels: int
    ssrc: int | None
    silence_s: float
    gain_db: float
    limit_s: float
    first_s: float
    after: Position | None

    @classmethod
    def of(
        cls, stream: Stream, master: bytes, *, gain_db: float, limit_s: float, first_s: float, after: Position | None
    ) -> StreamOrder:
        """Return the order for a stream and its master key and salt."""
        return cls(
            address=stream.address,
            port=stream.port,
            master=master,
            codec=stream.codec.value,
            payload_type=stream.payload_type,
            clock_rate=stream.clock_rate,
            channels=stream.channels,
            ssrc=stream.ssrc,
            silence_s=stream.silence_s,
            gain_db=gain_db,
            limit_s=limit_s,
            first_s=first_s,
            after=after,
        )

    @classmethod
    def read(cls, message: Message) -> StreamOrder:
        """Return the order in a message; raises KeyError or ValueError for what is none."""
        whole = {name: int(str(message[name])) for name in ("port", "payload_type", "clock_rate", "channels")}
        real = {name: float(str(message[name])) for name in ("silence_s", "gain_db", "limit_s", "first_s")}
        ssrc, after = message["ssrc"], cast("list[int] | None", message["after"])
        return cls(
            address=str(message["address"]),
            port=whole["port"],
            master=bytes.fromhex(str(message["master"])),
            codec=str(message["codec"]),
            payload_type=whole["payload_type"],
            clock_rate=whole["clock_rate"],
            channels=whole["channels"],
            ssrc=None if ssrc is None else int(str(ssrc)),
            silence_s=real["silence_s"],
            gain_db=real["gain_db"],
            limit_s=real["limit_s"],
            first_s=real["first_s"],
            after=None if after is None else Position(*after),
        )

    def message(self, number: int) -> Message:
        """Return the message that orders it under that number."""
        after = None if self.after is None else [self.after.ssrc, self.after.index]
        return {
            "id": number,
            "do": "stream",
            "address": self.address,
            "port": self.port,
            "master": self.master.hex(),
            "codec": self.codec,
            "payload_type": self.payload_type,
            "clock_rate": self.clock_rate,
            "channels": self.channels,
            "ssrc": self.ssrc,
            "silence_s": self.silence_s,
            "gain_db": self.gain_db,
            "limit_s": self.limit_s,
            "first_s": self.first_s,
            "after": after,
        }
