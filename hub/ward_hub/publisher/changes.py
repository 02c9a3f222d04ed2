"""What grants give and take compared with those before them, in words for whoever is about to sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ward_hub.moments import moment
from ward_protocol.statements import Authority, Grants, Quota


def changes(grants: Grants, before: Grants | None) -> list[str]:
    """Return a line for each authority that lost everything, is new, or changed, and what of it did."""
    old: Mapping[str, Authority] = {one.id: one for one in before.authorities} if before else {}
    new = {one.id: one for one in grants.authorities}
    lines = [f"- {name}: is granted nothing any more" for name in old if name not in new]
    for name, one in new.items():
        if name not in old:
            lines.append(f"+ {name}: new{_compared(_plain(one), one)}")
        elif one != old[name]:
            lines.append(f"* {name}: changed{_compared(old[name], one)}")
    return lines


def _plain(one: Authority) -> Authority:
    """Return an authority as it would be without limits of its own and without sealed keys."""
    return replace(one, zones=(), boards=(), quota=Quota(), break_glass=None)


def _compared(old: Authority, new: Authority) -> str:
    was, now = _facts(old), _facts(new)
    told = [*_keys("key", old.keys, new.keys), *_keys("sealed key", _sealed(old), _sealed(new))]
    told += [f"{name} {value} (was {was[name]})" for name, value in now.items() if value != was[name]]
    return "".join(f", {one}" for one in told)


def _facts(one: Authority) -> dict[str, str]:
    """Return what is granted beside keys; areas, zones, boards and kinds in the order of their names."""
    quota = one.quota
    return {
        "threshold": str(one.threshold),
        "threshold of emergencies": str(one.emergency_threshold or one.threshold),
        "level": str(one.level),
        "areas": " ".join(sorted(one.areas)),
        "highest priority": one.highest_priority.name.lower(),
        "kinds": " ".join(kind.name.lower() for kind in sorted(one.kinds)),
        "end": moment(one.not_after).isoformat(),
        "parent": one.parent or "none",
        "zones": " ".join(sorted(one.zones)) or "all",
        "boards": " ".join(sorted(one.boards)) or "all",
        "bulletins a day": str(quota.bulletins or "any"),
        "emergencies a day": str(quota.emergencies or "any"),
        "repeats": str(quota.repeats or "any"),
        "uses of a sealed key": str(one.break_glass.uses if one.break_glass else "none"),
    }


def _keys(what: str, old: Mapping[bytes, bytes], new: Mapping[bytes, bytes]) -> list[str]:
    gone = [f"without {what} {kid.hex()}" for kid in old if kid not in new]
    come = [f"with {what} {kid.hex()}" for kid in new if kid not in old]
    return [*gone, *come]


def _sealed(one: Authority) -> Mapping[bytes, bytes]:
    return one.break_glass.keys if one.break_glass else {}
