"""What is made known, and its cancelling: bulletin and cancel. Times are Unix seconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass

from ward_protocol.schema import blob, flag, key, many, one_of, struct, text, uint
from ward_protocol.statements.documents import AREA, IDENTIFIER
from ward_protocol.statements.words import Category, Certainty, MsgType, Priority, Severity, Status, Urgency

DIGEST = blob(32)
MAX_AUDIO = 8 * 2**20
MAX_BODY = 4000


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom: areas (a hub is meant when its own area lies in one of them), narrowed to hubs and outlets."""

    areas: tuple[str, ...] = key(1, many(AREA, 64, 1))
    hubs: tuple[str, ...] = key(2, many(IDENTIFIER, 64), default=())
    zones: tuple[str, ...] = key(3, many(IDENTIFIER, 64), default=())
    boards: tuple[str, ...] = key(4, many(IDENTIFIER, 64), default=())


@dataclass(frozen=True, slots=True)
class Text:
    """Title and body in one language (a BCP 47 tag)."""

    language: str = key(1, text(16, 2))
    title: str = key(2, text(200))
    body: str = key(3, text(MAX_BODY))


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording by digest: SHA-256, size in bytes, media type, duration in ms, language."""

    sha256: bytes = key(1, DIGEST)
    size: int = key(2, uint(MAX_AUDIO, 1))
    media_type: str = key(3, text(64))
    duration_ms: int = key(4, uint(3_600_000, 1))
    language: str = key(5, text(16, 2), default="vi")


@dataclass(frozen=True, slots=True)
class Cap:
    """The CAP 1.2 words of a bulletin, where it came from a CAP alert or is meant as one."""

    identifier: str = key(1, text(200))
    sender: str = key(2, text(200))
    msg_type: MsgType = key(3, one_of(MsgType))
    category: Category = key(4, one_of(Category))
    event: str = key(5, text(200))
    urgency: Urgency = key(6, one_of(Urgency))
    severity: Severity = key(7, one_of(Severity))
    certainty: Certainty = key(8, one_of(Certainty))
    references: str = key(9, text(1000), default="")


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One thing to make known: text, audio or both, with priority, audience and validity."""

    issuer: str = key(1, IDENTIFIER)
    sequence: int = key(2, uint(minimum=1))
    issued: int = key(3, uint())
    not_before: int = key(4, uint())
    expires: int = key(5, uint())
    audience: Audience = key(6, struct(Audience))
    priority: Priority = key(7, one_of(Priority))
    status: Status = key(8, one_of(Status))
    texts: tuple[Text, ...] = key(9, many(struct(Text), 8), default=())
    audio: tuple[Audio, ...] = key(10, many(struct(Audio), 8), default=())
    cap: Cap | None = key(11, struct(Cap), default=None)
    repeats: int = key(12, uint(10, 1), default=1)
    approver: str = key(13, text(100), default="")
    supersedes: tuple[bytes, ...] = key(14, many(DIGEST, 16), default=())

    def __post_init__(self) -> None:
        if self.not_before >= self.expires:
            raise ValueError("it expires before it may begin")

    @property
    def title(self) -> str:
        """The first title, or the recording's digest where there is no text."""
        if self.texts:
            return self.texts[0].title
        return self.audio[0].sha256.hex()[:16] if self.audio else ""

    @property
    def is_drill(self) -> bool:
        """Whether it is an exercise or a test: anything but real."""
        return self.status is not Status.ACTUAL

    @property
    def label(self) -> str:
        """The title for lists and logs: that of a drill begins with its status, so that nobody takes it for real."""
        return f"[{self.status.upper()}] {self.title}" if self.is_drill else self.title


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take a bulletin of the same issuer back: it is not aired, or stops at once.

    With `announce`, hubs that aired it as Actual say on the same outputs that it was sent in error.
    """

    issuer: str = key(1, IDENTIFIER)
    sequence: int = key(2, uint(minimum=1))
    issued: int = key(3, uint())
    expires: int = key(4, uint())
    audience: Audience = key(5, struct(Audience))
    target: bytes = key(6, DIGEST)
    why: str = key(7, text(400), default="")
    announce: bool = key(8, flag(), default=False)
