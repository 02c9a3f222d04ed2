"""Grants from a draft: nothing that no hub would take, nothing above what the root allows."""

from __future__ import annotations

from pathlib import Path

from ward_hub.publisher.authorities import check_authority
from ward_hub.publisher.drafts import AuthorityDraft, GrantsDraft, end_of, public_keys, seconds
from ward_hub.publisher.errors import CeremonyError
from ward_protocol.statements import Authority, BreakGlass, Grants, Kind, Priority, Quota, Root


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
        check_authority(one, grants, root, now)


def _authority(draft: AuthorityDraft, folder: Path, end: int) -> Authority:
    sealed = draft.break_glass
    return Authority(
        id=draft.id,
        keys=_raw(draft.keys, folder),
        threshold=draft.threshold,
        level=draft.level,
        areas=draft.areas,
        highest_priority=Priority[draft.highest_priority.upper()],
        kinds=tuple(Kind[one.upper()] for one in draft.kinds),
        not_after=end if draft.not_after is None else seconds(draft.not_after, f"authority {draft.id}: not_after"),
        parent=draft.parent,
        zones=draft.zones,
        boards=draft.boards,
        emergency_threshold=draft.emergency_threshold or 0,
        quota=Quota(draft.quota.bulletins or 0, draft.quota.emergencies or 0, draft.quota.repeats or 0),
        break_glass=None if sealed is None else BreakGlass(_raw(sealed.keys, folder), sealed.uses),
    )


def _raw(named: dict[str, str], folder: Path) -> dict[bytes, bytes]:
    return {one.kid: one.raw for one in public_keys(named, folder).values()}
