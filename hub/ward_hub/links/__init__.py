"""The way to a source: observe its beat, fetch what it names, deliver receipts, over links that lose and fall."""

from ward_hub.links.channel import Channel, NoChannel
from ward_hub.links.errors import (
    ChannelLost,
    LinkDown,
    MisuseError,
    NotFound,
    PeerError,
    Refused,
    SourceError,
    StorageError,
    TooLarge,
    WrongDigest,
)
from ward_hub.links.follow import LinkState
from ward_hub.links.source_link import SourceLink

__all__ = [
    "Channel",
    "ChannelLost",
    "LinkDown",
    "LinkState",
    "MisuseError",
    "NoChannel",
    "NotFound",
    "PeerError",
    "Refused",
    "SourceError",
    "SourceLink",
    "StorageError",
    "TooLarge",
    "WrongDigest",
]
