"""Grants from a draft: nothing above what the root allows, nothing that has ended, nobody alone with an emergency."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ward_hub.publisher.drafts import AuthorityDraft, GrantsDraft, end_of, public_keys, seconds
from ward_hub.publisher.errors import CeremonyError
from ward_protocol.statements import Authority, Grants, Kind, Priority, Role, Root


def grants_of(draft: GrantsDraft, folder: Path, root: Root, before: Grants | None, now: int) -> Grants:
    """Return the grants of a draft under `root`, the first or those after `before`; raises CeremonyError."""
    end = end_of(draft, now)
    try:
        grants = Grants(
            version=1 if before is None else before.version + 1,
            issued=now,
            expires=end,
            root_version=root.version,
            authorities=tuple(_authority(one, folder, end) for one in draft.authority),
        )
    except ValueError as error:
        raise CeremonyError(f"grants: {error}") from error
    check_grants(grants, root, before, now)
    return grants


def check_grants(grants: Grants, root: Root, before: Grants | None, now: int) -> None:
    """Raise CeremonyError for grants that no hub would take, or that grant what the root does not allow."""
    if root.expires <= now:
        raise CeremonyError(f"root {root.version} has ended: make the next root first")
    if grants.root_version != root.version:
        raise CeremonyError(f"grants {grants.version} are for root {grants.root_version}, not {root.version}")
    if grants.expires <= now:
        raise CeremonyError(f"grants {grants.version} would have ended before they began: give a later end")
    if grants.expires > root.expires:
        raise CeremonyError(f"grants {grants.version} would outlive root {root.version}: give an earlier end")
    if before is not None and (before.version >= grants.version or before.root_version > root.version):
        raise CeremonyError(f"grants {grants.version} do not follow {before.version}, for root {before.root_version}")
    for one in grants.authorities:
        _check_authority(one, grants, root, now)


def changes(grants: Grants, before: Grants | None) -> list[str]:
    """Return in words what grants give and take compared with those before them."""
    old: Mapping[str, Authority] = {one.id: one for one in before.authorities} if before else {}
    new = {one.id: one for one in grants.authorities}
    lines = [f"- {name}: is granted nothing any more" for name in old if name not in new]
    for name, one in new.items():
        if name not in old:
            lines.append(f"+ {name}: new")
        elif one != old[name]:
            lines.append(f"* {name}: changed{_keys(old[name].keys, one.keys)}")
    return lines


def _keys(old: Mapping[bytes, bytes], new: Mapping[bytes, bytes]) -> str:
    gone = [f", without key {kid.hex()}" for kid in old if kid not in new]
    come = [f", with key {kid.hex()}" for kid in new if kid not in old]
    return "".join([*gone, *come])


def _authority(draft: AuthorityDraft, folder: Path, end: int) -> Authority:
    keys = public_keys(draft.keys, folder)
    return Authority(
        id=draft.id,
        keys={one.kid: one.raw for one in keys.values()},
        threshold=draft.threshold,
        level=draft.level,
        areas=draft.areas,
        highest_priority=Priority[draft.highest_priority.upper()],
        kinds=tuple(Kind[one.upper()] for one in draft.kinds),
        not_after=end if draft.not_after is None else seconds(draft.not_after, f"authority {draft.id}: not_after"),
        parent=draft.parent,
    )


def _check_authority(one: Authority, grants: Grants, root: Root, now: int) -> None:
    if one.not_after <= now:
        raise CeremonyError(f"authority {one.id}: it would have ended already: give a later not_after")
    if one.not_after > grants.expires:
        raise CeremonyError(f"authority {one.id}: it would outlive the grants: give an earlier not_after")
    shared = [kid.hex() for kid in one.keys if kid in root.keys]
    if shared:
        raise CeremonyError(f"authority {one.id}: key {', '.join(shared)} has a role in the root: use another")
    if one.highest_priority is Priority.EMERGENCY and Role.QUORUM not in root.roles and one.threshold < 2:
        raise CeremonyError(
            f"authority {one.id}: an emergency takes two people: the root has no quorum, so its threshold must be 2"
        )
