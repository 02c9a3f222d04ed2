"""What the offices write, as TOML: the draft of a root and that of grants. Unknown keys are errors."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from ward_hub.publisher.errors import CeremonyError
from ward_protocol.channel import check_public
from ward_protocol.errors import MisuseError
from ward_protocol.keys import PublicKey

DAY_S = 86_400
CHANNEL_MARK = "x25519:"
T = TypeVar("T")
Count = Annotated[int, Meta(ge=1, le=16)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Area = Annotated[str, Meta(max_length=96, pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")]
Outlet = Annotated[str, Meta(max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]  # as a hub's configuration names them
Daily = Annotated[int, Meta(ge=1, le=10_000)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: immutable, unknown keys refused."""


class RoleDraft(Section, frozen=True, kw_only=True):
    """Whose keys make a role, by the names of `[keys]`, and how many of them must sign."""

    threshold: Count
    keys: tuple[Name, ...]


class RootDraft(Section, frozen=True, kw_only=True):
    """A root: `keys` gives each holder's public key, in hex or as the name of a file that holds it."""

    keys: dict[Name, str]
    roles: dict[Literal["root", "grant", "beat", "quorum"], RoleDraft]
    expires: datetime | None = None
    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class QuotaDraft(Section, frozen=True, kw_only=True):
    """How much a hub accepts of an authority within 24 hours, and the most repeats; without a number no limit."""

    bulletins: Daily | None = None
    emergencies: Daily | None = None
    repeats: Annotated[int, Meta(ge=1, le=10)] | None = None


class BreakGlassDraft(Section, frozen=True, kw_only=True):
    """The sealed keys of a ward, each by who keeps its envelope, and how often one may be used until it is cleared."""

    keys: Annotated[dict[Name, str], Meta(min_length=1)]
    uses: Count


class AuthorityDraft(Section, frozen=True, kw_only=True):
    """One authority; without `not_after` it ends with the grants."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    keys: dict[Name, str]
    threshold: Count
    level: Annotated[int, Meta(ge=0, le=9)]
    areas: Annotated[tuple[Area, ...], Meta(min_length=1)]
    highest_priority: Literal["normal", "priority", "emergency"]
    kinds: tuple[Literal["bulletin", "cancel", "order", "stream", "configuration"], ...] = ("bulletin", "cancel")
    zones: tuple[Outlet, ...] = ()
    boards: tuple[Outlet, ...] = ()
    emergency_threshold: Count | None = None
    quota: QuotaDraft = QuotaDraft()
    break_glass: BreakGlassDraft | None = None
    not_after: datetime | None = None
    parent: Annotated[str, Meta(max_length=64)] = ""


class GrantsDraft(Section, frozen=True, kw_only=True):
    """Grants: each `[[authority]]` that may issue something. Who is not listed may nothing."""

    authority: tuple[AuthorityDraft, ...] = ()
    expires: datetime | None = None
    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


def read_draft(path: Path, kind: type[T]) -> T:
    """Return the draft in a TOML file; raises CeremonyError naming the key that is wrong, OSError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_bytes().decode()), kind)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CeremonyError(f"{path}: {error}") from error


def end_of(draft: RootDraft | GrantsDraft, now: int) -> int:
    """Return when a draft's document ends; it says either a moment or days from now."""
    if (draft.expires is None) == (draft.days is None):
        raise CeremonyError("give either expires or days")
    return now + (draft.days or 0) * DAY_S if draft.expires is None else seconds(draft.expires, "expires")


def seconds(moment: datetime, name: str) -> int:
    """Return a moment as Unix seconds; one without an offset is an error."""
    if moment.tzinfo is None:
        raise CeremonyError(f"{name} needs an offset, such as +07:00")
    return int(moment.timestamp())


def public_keys(named: dict[str, str], folder: Path) -> dict[str, PublicKey]:
    """Return the keys by name; files are looked for in `folder`. One key under two names is an error."""
    keys = {name: _public_key(name, text, folder) for name, text in named.items()}
    names: dict[bytes, str] = {}
    for name, one in keys.items():
        other = names.setdefault(one.kid, name)
        if other != name:
            raise CeremonyError(f"{other} and {name} have the same key {one.kid.hex()}: each needs one of their own")
    return keys


def channel_text(public: bytes) -> str:
    """Return a channel's public key as people pass it on: marked, so that no key that signs is taken for one."""
    return f"{CHANNEL_MARK}{public.hex()}"


def channel_public(text: str) -> bytes:
    """Return the channel key that `text` is, or that the file it names holds; raises CeremonyError."""
    try:
        said = text if text.startswith(CHANNEL_MARK) else Path(text).read_text("ascii").strip()
        if not said.startswith(CHANNEL_MARK):
            raise ValueError(said)
        return check_public(bytes.fromhex(said.removeprefix(CHANNEL_MARK)))
    except OSError as error:
        raise CeremonyError(f"--channel {text}: cannot be read: {error.strerror}") from error
    except (ValueError, MisuseError) as error:
        raise CeremonyError(
            f"--channel {text}: {CHANNEL_MARK} and 64 hex digits are needed, as `wardhub keygen --channel` gives them"
        ) from error


def _public_key(name: str, text: str, folder: Path) -> PublicKey:
    try:
        return PublicKey(bytes.fromhex(text if len(text) in {64, 128} else (folder / text).read_text("ascii").strip()))
    except OSError as error:
        raise CeremonyError(f"key of {name}: {folder / text} cannot be read: {error.strerror}") from error
    except MisuseError as error:
        raise CeremonyError(f"key of {name}: {text!r}: {error}") from error
    except ValueError as error:
        raise CeremonyError(f"key of {name}: {text!r} is neither 64 or 128 hex digits nor a file of them") from error
