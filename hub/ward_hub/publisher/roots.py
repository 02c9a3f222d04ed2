"""Root 1 from a ceremony's draft, and root N + 1 from the root in force: nothing that a hub would refuse."""

from __future__ import annotations

from pathlib import Path

from ward_hub.publisher.drafts import RootDraft, end_of, public_keys
from ward_hub.publisher.errors import CeremonyError
from ward_protocol.cose import MAX_SIGNERS
from ward_protocol.statements import Role, RoleKeys, Root


def root_of(draft: RootDraft, folder: Path, before: Root | None, now: int) -> Root:
    """Return the root of a draft, the first or the one after `before`; raises CeremonyError."""
    named = public_keys(draft.keys, folder)
    for role, drafted in draft.roles.items():
        unknown = [name for name in drafted.keys if name not in named]
        if unknown:
            raise CeremonyError(f"role {role}: {', '.join(unknown)} is not among the keys")
    try:
        root = Root(
            version=1 if before is None else before.version + 1,
            issued=now,
            expires=end_of(draft, now),
            keys={one.kid: one.raw for one in named.values()},
            roles={
                Role[role.upper()]: RoleKeys(drafted.threshold, tuple(named[name].kid for name in drafted.keys))
                for role, drafted in draft.roles.items()
            },
        )
    except ValueError as error:
        raise CeremonyError(f"root: {error}") from error
    check_root(root, before, now)
    return root


def check_root(root: Root, before: Root | None, now: int) -> None:
    """Raise CeremonyError for a root that no hub would take, or that would fail those who live by it."""
    if root.expires <= now:
        raise CeremonyError(f"root {root.version} would have ended before it began: give a later end")
    used = {kid for role in root.roles.values() for kid in role.kids}
    idle = [kid.hex() for kid in root.keys if kid not in used]
    if idle:
        raise CeremonyError(f"key {', '.join(idle)} has no role: give it one, or leave it out")
    beat = root.roles[Role.BEAT]
    for role, keys in root.roles.items():
        shared = set(beat.kids) & set(keys.kids)
        if role is not Role.BEAT and shared:
            raise CeremonyError(f"role {role.name.lower()}: a beat key is on line and can do nothing else")
    if before is not None:
        _check_step(root, before)


def _check_step(root: Root, before: Root) -> None:
    if root.version != before.version + 1:
        raise CeremonyError(f"root {root.version} does not follow root {before.version}")
    if root.issued < before.issued:
        raise CeremonyError(f"root {before.version} is from later than now: set this machine's clock")
    old, new = before.roles[Role.ROOT], root.roles[Role.ROOT]
    needed = old.threshold + new.threshold - min(len(set(old.kids) & set(new.kids)), old.threshold, new.threshold)
    if needed > MAX_SIGNERS:
        raise CeremonyError(
            f"roots {before.version} and {root.version} need {needed} signatures together, and a file holds "
            f"{MAX_SIGNERS}: change fewer keys at a time"
        )
