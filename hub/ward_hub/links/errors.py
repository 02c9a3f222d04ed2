"""What can go wrong between the hub and a source, split by who is at fault."""

from __future__ import annotations


class SourceError(Exception):
    """Base of everything this package raises on purpose; the message names the source, the path and the remedy."""


class MisuseError(SourceError):
    """We asked for something that cannot be: a URI that is not a source's, a recording that is fetched already."""


class LinkDown(SourceError, TimeoutError):
    """Nothing usable came back before the deadline; whether the source took what was sent is unknown."""


class ChannelLost(SourceError):
    """The channel to the source cannot be used: nothing was sent, and nothing is until that is mended."""


class Refused(SourceError):
    """The source answered that it will not; `code` is its CoAP code as words, e.g. ``4.03``."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def later(self) -> bool:
        """Whether it is the source that cannot now (5.xx), whatever was asked."""
        return self.code.startswith("5")


class NotFound(Refused):
    """The source does not have it (4.04)."""


class PeerError(SourceError):
    """The source sent what no source may send: blocks that do not fit, no size where one is needed."""


class TooLarge(PeerError):
    """It is larger than what was asked for may be; nothing of it was kept."""


class WrongDigest(PeerError):
    """A recording came whole and is not the one that its digest names; nothing of it was kept."""


class StorageError(SourceError):
    """A recording could not be written on this hub: disk full, read-only, or gone."""
