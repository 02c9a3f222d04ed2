"""What its publisher can know of a statement before it is signed: what has ended, and what is not granted."""

from __future__ import annotations

from collections.abc import Mapping

from ward_hub.errors import ConfigError
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.grants import check_grants
from ward_hub.publisher.roots import check_root
from ward_hub.rules import need_grant, need_time_and_content
from ward_hub.settings import check as check_settings
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Beat, Bulletin, Cancel, Grants, Issued, Order, Role, Root, Statement, TimeTrust


def check(statement: Statement, root: Root | None, grants: Grants | None, now: int) -> None:
    """Raise CeremonyError for what every hub would refuse; judged as far as `root` and `grants` are given."""
    match statement:
        case Root():
            before = root if root is not None and root.version == statement.version - 1 else None
            check_root(statement, before, now)
        case Grants():
            if root is not None:
                check_grants(statement, root, None, now)
        case Beat():
            check_beat(statement, root, grants)
        case Bulletin() | Cancel() | Order():
            _check_issue(statement, root, grants, now)
        case _:
            pass


def check_beat(beat: Beat, root: Root | None, grants: Grants | None) -> None:
    """Raise CeremonyError for a beat that names other versions than those of the documents given."""
    if root is not None and beat.root_version != root.version:
        raise CeremonyError(f"the beat names root {beat.root_version}, not {root.version}")
    if grants is not None and beat.grants_version != grants.version:
        raise CeremonyError(f"the beat names grants {beat.grants_version}, not {grants.version}")
    if grants is not None and root is not None and grants.root_version > root.version:
        raise CeremonyError(f"grants {grants.version} are for root {grants.root_version}, not {root.version}")


def check_key(root: Root, role: Role, kid: bytes) -> None:
    """Raise CeremonyError for a key that has not this role in the root."""
    if role not in root.roles or kid not in root.roles[role].kids:
        raise CeremonyError(f"key {kid.hex()} has not the role {role.name.lower()} in root {root.version}")


def _check_issue(statement: Issued, root: Root | None, grants: Grants | None, now: int) -> None:
    if statement.expires <= now:
        raise CeremonyError("it would have expired already")
    if isinstance(statement, Order) and statement.settings is not None:
        _check_settings(statement.settings)
    if root is not None and root.expires <= now:
        raise CeremonyError(f"root {root.version} has ended")
    if grants is None:
        return
    authority = grants.authority(statement.issuer)
    if authority is None:
        raise CeremonyError(f"{statement.issuer} is granted nothing in grants {grants.version}")
    if min(authority.not_after, grants.expires) <= now:
        raise CeremonyError(f"the grant of {authority.id} has ended")
    try:
        need_grant(statement, authority, now)
        need_time_and_content(statement, authority, now, TimeTrust.GOOD)
    except StatementError as error:
        raise CeremonyError(f"hubs would refuse it: {error}") from error


def _check_settings(settings: Mapping[str, str]) -> None:
    try:
        check_settings(settings)
    except ConfigError as error:
        raise CeremonyError(f"hubs would refuse it: {Reason.SETTING_NOT_ALLOWED.word}: {error}") from error
