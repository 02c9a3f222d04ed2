"""The documents that say whom to trust and what is current: root, grants, beat. Times are Unix seconds, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ward_protocol.errors import MisuseError
from ward_protocol.keys import ED25519_SIZE, KID_SIZE, P256_SIZE, public_key
from ward_protocol.schema import Codec, blob, key, many, one_of, struct, table, text, uint
from ward_protocol.statements.words import Priority


def _raw_key(item: object) -> bytes:
    if not isinstance(item, bytes) or len(item) not in (ED25519_SIZE, P256_SIZE):
        raise ValueError(f"a public key of {ED25519_SIZE} (Ed25519) or {P256_SIZE} bytes (P-256) is needed")
    try:
        return public_key(item).raw
    except MisuseError as error:
        raise ValueError(str(error)) from error


KID = blob(KID_SIZE)
PUBLIC_KEY = Codec(bytes, _raw_key)  # its length says which key it is
PUBLIC_KEYS = table(KID, PUBLIC_KEY, 64)
IDENTIFIER = text(64)
AREA = text(96)
MAX_DELEGATION = 9


def inside(area: str, of: str) -> bool:
    """Say whether `area` is `of` or lies below it."""
    return area == of or area.startswith(of + "/")


class Role(IntEnum):
    """What the keys of a root are for."""

    ROOT = 1
    GRANT = 2
    BEAT = 3
    QUORUM = 4


class Kind(IntEnum):
    """What an authority may issue."""

    BULLETIN = 1
    CANCEL = 2
    ORDER = 3
    STREAM = 4
    CONFIGURATION = 5


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """The keys of one role, and how many of them must sign."""

    threshold: int = key(1, uint(16, 1))
    kids: tuple[bytes, ...] = key(2, many(KID, 32, 1))

    def __post_init__(self) -> None:
        if len(set(self.kids)) != len(self.kids) or self.threshold > len(self.kids):
            raise ValueError("a role needs distinct keys, and not fewer than its threshold")


@dataclass(frozen=True, slots=True)
class Root:
    """The keys and thresholds of the roles; version N + 1 is signed by the thresholds of N and of itself."""

    version: int = key(1, uint(minimum=1))
    issued: int = key(2, uint())
    expires: int = key(3, uint())
    keys: Mapping[bytes, bytes] = key(4, PUBLIC_KEYS)
    roles: Mapping[Role, RoleKeys] = key(5, table(one_of(Role), struct(RoleKeys), 8))

    def __post_init__(self) -> None:
        for role in (Role.ROOT, Role.GRANT, Role.BEAT):
            if role not in self.roles:
                raise ValueError(f"the role {role.name.lower()} has no keys")
        if any(kid not in self.keys for role in self.roles.values() for kid in role.kids):
            raise ValueError("a role names a key that is not listed")
        if self.roles[Role.BEAT].threshold != 1:  # no beat could be taken any more, nor so the next root be heard of
            raise ValueError("role beat: a beat has one signature, its threshold must be 1")


@dataclass(frozen=True, slots=True)
class Quota:
    """How much an authority may have accepted within 24 hours, and how often a bulletin may repeat; 0 is no limit."""

    bulletins: int = key(1, uint(10_000), default=0)
    emergencies: int = key(2, uint(10_000), default=0)
    repeats: int = key(3, uint(10), default=0)

    def exceeds(self, other: Quota) -> bool:
        """Say whether this one allows more than `other` in anything."""
        mine, theirs = (
            (self.bulletins, self.emergencies, self.repeats),
            (other.bulletins, other.emergencies, other.repeats),
        )
        return any(limit and not 0 < own <= limit for own, limit in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Sealed keys of a ward that is cut off: each may sign so many emergencies until their use is cleared upstream."""

    keys: Mapping[bytes, bytes] = key(1, PUBLIC_KEYS)
    uses: int = key(2, uint(16, 1))

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("break-glass without a key")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may issue what, where, up to which priority, until when.

    An area is a path of names from the whole country down, `vn/01/00268`; a grant covers the areas below it.
    `zones` and `boards`, where given, are all that it may address. One with a parent is a delegate: it has nothing that
    its parent has not.
    """

    id: str = key(1, IDENTIFIER)
    keys: Mapping[bytes, bytes] = key(2, PUBLIC_KEYS)
    threshold: int = key(3, uint(16, 1))
    level: int = key(4, uint(9))
    areas: tuple[str, ...] = key(5, many(AREA, 64, 1))
    highest_priority: Priority = key(6, one_of(Priority))
    kinds: tuple[Kind, ...] = key(7, many(one_of(Kind), 8, 1))
    not_after: int = key(8, uint())
    parent: str = key(9, IDENTIFIER, default="")
    zones: tuple[str, ...] = key(10, many(IDENTIFIER, 64), default=())
    boards: tuple[str, ...] = key(11, many(IDENTIFIER, 64), default=())
    emergency_threshold: int = key(12, uint(16), default=0)
    quota: Quota = key(13, struct(Quota), default=Quota())
    break_glass: BreakGlass | None = key(14, struct(BreakGlass), default=None)

    def __post_init__(self) -> None:
        if max(self.threshold, self.emergency_threshold) > len(self.keys):
            raise ValueError(f"authority {self.id}: fewer keys than its threshold")
        if self.break_glass is not None and set(self.break_glass.keys) & set(self.keys):
            raise ValueError(f"authority {self.id}: a break-glass key is no other key as well")

    def threshold_for(self, priority: Priority) -> int:
        """Return how many of its keys must sign what has this priority."""
        return max(self.threshold, self.emergency_threshold if priority is Priority.EMERGENCY else 0)

    def beyond(self, parent: Authority) -> str:
        """Say what a delegate of `parent` has that its parent has not; empty where it is a subset."""
        if not all(any(inside(area, of) for of in parent.areas) for area in self.areas):
            return "areas"
        if self.highest_priority > parent.highest_priority:
            return "highest priority"
        if not set(self.kinds) <= set(parent.kinds):
            return "kinds"
        if self.not_after > parent.not_after:
            return "end"
        if not _within(self.zones, parent.zones):
            return "zones"
        if not _within(self.boards, parent.boards):
            return "boards"
        if self.quota.exceeds(parent.quota):
            return "quota"
        return "level" if self.level < parent.level else ""


def _within(these: tuple[str, ...], those: tuple[str, ...]) -> bool:
    """Say whether a list of outlets lies within another, where an empty one means all."""
    return not those or bool(these and set(these) <= set(those))


def _check_delegate(one: Authority, listed: Mapping[str, Authority]) -> None:
    parent = listed.get(one.parent)
    if parent is None:
        raise ValueError(f"authority {one.id}: its parent {one.parent} is not listed")
    if more := one.beyond(parent):
        raise ValueError(f"authority {one.id}: its {more} goes beyond that of its parent {parent.id}")
    above = parent
    for _ in range(MAX_DELEGATION):
        if not above.parent:
            return
        above = listed.get(above.parent, above)
    raise ValueError(f"authority {one.id}: over {MAX_DELEGATION} parents above it, or its own parent")


@dataclass(frozen=True, slots=True)
class Grants:
    """All authorities, as of one version under one root."""

    version: int = key(1, uint(minimum=1))
    issued: int = key(2, uint())
    expires: int = key(3, uint())
    root_version: int = key(4, uint(minimum=1))
    authorities: tuple[Authority, ...] = key(5, many(struct(Authority), 512))

    def __post_init__(self) -> None:
        listed = {one.id: one for one in self.authorities}
        if len(listed) != len(self.authorities):
            raise ValueError("an authority is listed twice")
        for one in self.authorities:
            if one.parent:
                _check_delegate(one, listed)

    def authority(self, issuer: str) -> Authority | None:
        """Return the authority of that id, if it is granted anything."""
        return next((one for one in self.authorities if one.id == issuer), None)


@dataclass(frozen=True, slots=True)
class Beat:
    """What is current at the source now: versions, and the highest sequence of each issuer."""

    time: int = key(1, uint())
    root_version: int = key(2, uint(minimum=1))
    grants_version: int = key(3, uint(minimum=1))
    heads: Mapping[str, int] = key(4, table(IDENTIFIER, uint(), 512))
    nonce: bytes | None = key(5, blob(16, 8), default=None)
