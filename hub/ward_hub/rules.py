"""What a statement that its issuer really signed must keep to before a hub acts on it: grant, audience, time, content.

Pure: the first rule that is broken is raised as StatementError.
"""

from __future__ import annotations

from collections.abc import Callable

from ward_hub.render import check_text
from ward_hub.trust import Warrant
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Authority, Bulletin, Cancel, Issued, Kind, Order, TimeTrust
from ward_protocol.statements.documents import inside
from ward_protocol.statements.order import KINDS

FUTURE_S = 600
NO_CHARACTERS = "the font has no glyph for "


def need_grant(statement: Issued, authority: Authority, now: float) -> None:
    """Raise StatementError for what its authority may not issue at all, or not any more at `now`, Unix seconds."""
    if authority.not_after <= now:
        raise StatementError(Reason.AUTHORITY_EXPIRED, f"the grant of {authority.id} has ended")
    kind = kind_of(statement)
    if kind not in authority.kinds:
        raise StatementError(Reason.KIND_NOT_GRANTED, f"{authority.id} may not issue a {kind.name.lower()}")
    _need_outlets(statement, authority)


def need_time_and_content(statement: Issued, authority: Authority, now: float, trust: TimeTrust) -> None:
    """Raise StatementError for what is too early or too late at `now`, too urgent for its authority, or cannot air.

    A clock with less than good `trust` may be behind: what it has not reached yet is no fault of the statement.
    """
    if trust is TimeTrust.GOOD and statement.issued > now + FUTURE_S:
        raise StatementError(Reason.ISSUED_IN_THE_FUTURE, f"issued {statement.issued - int(now)} s ahead")
    if statement.expires <= now:
        raise StatementError(Reason.EXPIRED, f"expired {int(now) - statement.expires} s ago")
    if not isinstance(statement, Cancel) and statement.priority > authority.highest_priority:
        raise StatementError(
            Reason.PRIORITY_NOT_GRANTED,
            f"{authority.id} may issue up to {authority.highest_priority.name.lower()}",
        )
    if isinstance(statement, Bulletin):
        _need_content(statement, authority)


def need_this_hub(statement: Issued, warrant: Warrant, *, hub: str, area: str, cut_off: Callable[[], bool]) -> None:
    """Raise StatementError for what the hub `hub` in `area` may not act on; `cut_off`: it hears no source."""
    if warrant.break_glass is not None:
        _need_the_ward_cut_off(statement, area, cut_off)
    if not _is_meant(statement, hub, area):
        raise StatementError(Reason.NOT_FOR_THIS_HUB, f"hub {hub} in {area} is not in its audience")


def kind_of(statement: Issued) -> Kind:
    """Return what its issuer must be granted."""
    match statement:
        case Bulletin():
            return Kind.BULLETIN
        case Cancel():
            return Kind.CANCEL
        case Order():
            return KINDS.get(statement.action, Kind.ORDER)


def _need_outlets(statement: Issued, authority: Authority) -> None:
    """Raise for an audience that reaches beyond the areas, zones or boards granted; one that names none means all.

    A silence touches no board and a blank no zone, so those they need not name: they could not.
    """
    audience = statement.audience
    action = statement.action if isinstance(statement, Order) else None
    if not all(any(inside(area, of) for of in authority.areas) for area in audience.areas):
        raise StatementError(Reason.AREA_NOT_GRANTED, f"{authority.id} may issue for {', '.join(authority.areas)} only")
    for granted, wanted, reason, other in (
        (authority.zones, audience.zones, Reason.ZONE_NOT_GRANTED, Action.BLANK),
        (authority.boards, audience.boards, Reason.BOARD_NOT_GRANTED, Action.SILENCE),
    ):
        if action is not other and granted and not (wanted and set(wanted) <= set(granted)):
            raise StatementError(reason, f"{authority.id} may address {', '.join(granted)} only")


def _need_the_ward_cut_off(statement: Issued, area: str, cut_off: Callable[[], bool]) -> None:
    """Raise for what a sealed key alone may not do: reach beyond this very ward, or count while a source answers."""
    if set(statement.audience.areas) != {area}:
        raise StatementError(Reason.OUTSIDE_OWN_WARD, f"a break-glass key is for {area} alone")
    if not cut_off():
        raise StatementError(Reason.NOT_CUT_OFF, "the source answers: a break-glass key counts only without it")


def _is_meant(statement: Issued, hub: str, area: str) -> bool:
    audience = statement.audience
    return any(inside(area, one) for one in audience.areas) and hub in (audience.hubs or (hub,))


def _need_content(bulletin: Bulletin, authority: Authority) -> None:
    most = authority.quota.repeats
    if most and bulletin.repeats > most:
        raise StatementError(Reason.QUOTA_EXCEEDED, f"{bulletin.repeats} repeats, {authority.id} may ask for {most}")
    if not bulletin.texts and not bulletin.audio:
        raise StatementError(Reason.NO_CONTENT, "neither text nor audio")
    for text in bulletin.texts:
        bad = check_text(text.title + "\n" + text.body)
        if bad:
            listed = " ".join(f"U+{ord(one):04X}" for one in bad[:8])
            raise StatementError(Reason.CHARACTER_NOT_IN_FONT, NO_CHARACTERS + listed)
