"""One authority of the grants: not ended, nobody alone with an emergency, sealed keys good for nothing else."""

from __future__ import annotations

import unicodedata

from ward_hub.publisher.errors import CeremonyError
from ward_hub.trust import TWO_PEOPLE
from ward_protocol.cose import MAX_SIGNERS
from ward_protocol.statements import Authority, BreakGlass, Grants, Kind, Priority, Role, Root
from ward_protocol.statements.documents import inside

WARD_DEPTH = 3  # country, province, ward: since July 2025 there is no district between them


def ward_of(authority: Authority) -> str:
    """Return the area of the ward that an authority issues in, empty where it reaches beyond one."""
    names = authority.areas[0].split("/")[:WARD_DEPTH]
    ward = "/".join(names)
    return ward if len(names) == WARD_DEPTH and all(inside(area, ward) for area in authority.areas) else ""


def officers_needed(authority: Authority, priority: Priority, root: Root | None) -> int:
    """Return how many of an authority's keys must sign what has this priority, as its own hubs will judge.

    Two at least of an emergency that is issued inside a ward, or under a root without a quorum.
    """
    wanted = authority.threshold_for(priority)
    alone = bool(ward_of(authority)) or (root is not None and Role.QUORUM not in root.roles)
    return max(wanted, TWO_PEOPLE) if priority is Priority.EMERGENCY and alone else wanted


def check_authority(one: Authority, grants: Grants, root: Root, now: int) -> None:
    """Raise CeremonyError for an authority that could never act, that has too much, or that fails those it is for."""
    if _is_no_name(one.id):
        raise CeremonyError(
            f"authority {one.id!r}: an id is a place in a feed: letters to be seen, in form NFC, without /"
        )
    if one.not_after <= now:
        raise CeremonyError(f"authority {one.id}: it would have ended already: give a later not_after")
    if one.not_after > grants.expires:
        raise CeremonyError(f"authority {one.id}: it would outlive the grants: give an earlier not_after")
    shared = [kid.hex() for kid in one.keys if kid in root.keys]
    if shared:
        raise CeremonyError(f"authority {one.id}: key {', '.join(shared)} has a role in the root: use another")
    _check_emergencies(one, root)
    if one.break_glass is not None:
        _check_sealed(one, one.break_glass, grants, root)


def _is_no_name(text: str) -> bool:
    """Say whether an id is no segment of a path (RFC 7252 §5.10.1), or looks like one that has other bytes."""
    unseen = not text.isprintable() or unicodedata.normalize("NFC", text) != text
    return unseen or "/" in text or text in {".", ".."}


def _check_emergencies(one: Authority, root: Root) -> None:
    if one.highest_priority is not Priority.EMERGENCY:
        if one.emergency_threshold:
            raise CeremonyError(f"authority {one.id}: it may issue no emergency: leave emergency_threshold out")
        return
    if 0 < one.emergency_threshold < one.threshold:
        raise CeremonyError(f"authority {one.id}: its emergency_threshold is below its threshold, which counts as well")
    needed = officers_needed(one, Priority.EMERGENCY, root)
    if len(one.keys) < needed:
        why = "it issues inside one ward" if ward_of(one) else "the root has no quorum"
        raise CeremonyError(f"authority {one.id}: an emergency takes two people: {why}, so it needs {needed} keys")
    together = needed + (root.roles[Role.QUORUM].threshold if Role.QUORUM in root.roles else 0)
    if together > MAX_SIGNERS:
        raise CeremonyError(
            f"authority {one.id}: an emergency takes {together} signatures, and a file holds {MAX_SIGNERS}: "
            "lower a threshold"
        )


def _check_sealed(one: Authority, sealed: BreakGlass, grants: Grants, root: Root) -> None:
    """Sealed keys sign emergencies of one ward while nobody else can: nothing else that they could do is granted."""
    if one.highest_priority is not Priority.EMERGENCY or Kind.BULLETIN not in one.kinds:
        raise CeremonyError(f"authority {one.id}: break_glass is for emergency bulletins, and it may issue none")
    if not ward_of(one):
        raise CeremonyError(f"authority {one.id}: break_glass is for the authority of one ward, it reaches beyond one")
    for kid in sealed.keys:
        other = _other_use(kid, one, grants, root)
        if other:
            raise CeremonyError(f"authority {one.id}: sealed key {kid.hex()} is {other}: seal one that is nothing else")


def _other_use(kid: bytes, owner: Authority, grants: Grants, root: Root) -> str:
    if kid in root.keys:
        return "a key of the root"
    for one in grants.authorities:
        if kid in one.keys:
            return f"a key of {one.id}"
        if one is not owner and one.break_glass is not None and kid in one.break_glass.keys:
            return f"a sealed key of {one.id} as well"
    return ""
