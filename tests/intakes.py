"""An intake over a real journal, and statements that differ from an acceptable one in one thing each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.clocks import clock
from tests.journals import HUB, Now, journal, receipts
from tests.statements import AREA, AUTHORITY, GRANTS, MINIMAL, NOW, ROOT, SIGNER, signer

from ward_hub.clock import Clock
from ward_hub.intake import Accepted, Intake, Place, Verdict
from ward_hub.journal import Journal
from ward_hub.keeper import Keeper
from ward_hub.tally import Tally
from ward_hub.trust import Trust
from ward_protocol.envelope import sign
from ward_protocol.statements import Bulletin, Issued, Kind, Priority, Receipt, Role, RoleKeys

QUORUM = [signer(number) for number in (41, 42, 43)]
OFFICE = [signer(number) for number in (51, 52)]
OFFICE_GRANT = replace(
    AUTHORITY,
    id="office",
    keys={one.kid: one.public.raw for one in OFFICE},
    threshold=2,
    areas=(AREA, "vn/02"),
    highest_priority=Priority.NORMAL,
    kinds=(Kind.BULLETIN,),
)
ENDED_GRANT = replace(AUTHORITY, id="ended", not_after=NOW)
TRUST = Trust(ROOT, replace(GRANTS, authorities=(AUTHORITY, OFFICE_GRANT, ENDED_GRANT)))
WITH_QUORUM = replace(
    TRUST,
    root=replace(
        ROOT,
        keys={**ROOT.keys, **{one.kid: one.public.raw for one in QUORUM}},
        roles={**ROOT.roles, Role.QUORUM: RoleKeys(2, tuple(one.kid for one in QUORUM))},
    ),
)
USB = Place("usb")


@dataclass
class Desk:
    """An intake with its journal; `trust` and `now` may be changed, and `cut_off`."""

    folder: Path
    journal: Journal
    now: Now
    first: Trust = TRUST
    tally: Tally = field(default_factory=Tally)
    cut_off: bool = False
    clock: Clock | None = None
    keeper: Keeper = field(init=False)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        hub_clock = self.clock or clock(self.now)
        self.keeper = Keeper(self.first, self.journal, hub_clock)
        self.intake = Intake(
            HUB,
            AREA,
            journal=self.journal,
            clock=hub_clock,
            keeper=self.keeper,
            tally=self.tally,
            cut_off=lambda: self.cut_off,
        )

    @property
    def trust(self) -> Trust:
        return self.keeper.trust

    @trust.setter
    def trust(self, trust: Trust) -> None:
        self.keeper.trust = trust

    async def take(self, data: bytes, place: Place = USB) -> Accepted | None:
        return (await self.deliver(data, place)).accepted

    async def deliver(self, data: bytes, place: Place = USB) -> Verdict:
        return await self.intake.take(data, place)

    def receipts(self) -> list[Receipt]:
        return receipts(self.folder)


@contextmanager
def desk(folder: Path, now: Now | None = None, trust: Trust = TRUST) -> Iterator[Desk]:
    """A desk over the journal in `folder`."""
    now = now or Now()
    with journal(folder, now) as opened:
        yield Desk(folder, opened, now, trust)


def bulletin(**changes: object) -> Bulletin:
    """An acceptable bulletin, changed."""
    return replace(MINIMAL, **changes)  # type: ignore[arg-type]


def signed(statement: Issued) -> bytes:
    """Signed by the author of the ward."""
    return sign(statement, [SIGNER])
