"""What ends is told 30 days before and once a day; what has ended limits the hub and never stops it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from tests.sim.hw.virtual import run
from tests.statements import AUTHORITY, GRANT_KEY, GRANTS, ROOT, ROOT_KEY

from ward_hub.alarm_words import Detail, joined
from ward_hub.alarms import Alarms
from ward_hub.expiry import DAY_S, LOOK_S, WARN_S, ExpiryWatch, endings
from ward_hub.trust import Trust
from ward_protocol.envelope import sign
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason

END = ROOT.issued + 400 * DAY_S
ONE = replace(AUTHORITY, not_after=END)
LATER = replace(GRANTS, expires=END + 2 * DAY_S, authorities=(ONE,))
ROOT_2 = replace(ROOT, expires=END + 3 * DAY_S)


def test_nothing_is_told_more_than_thirty_days_before() -> None:
    assert endings(ROOT_2, LATER, END - WARN_S - 1) == ()


def test_what_ends_is_told_from_thirty_days_before_the_soonest_first() -> None:
    assert [f"{one.what} {one.name}" for one in endings(ROOT_2, LATER, END - WARN_S)] == ["authority ward"]
    assert [f"{one.what} {one.name}" for one in endings(ROOT_2, LATER, END)] == ["authority ward", "grants 1", "root 1"]


def test_it_says_how_long_and_whose_turn_it_is() -> None:
    (soon,) = endings(None, replace(LATER, authorities=()), LATER.expires - 2 * DAY_S - 1)
    assert not soon.ended
    assert "grants 1 ends in 3 days" in str(soon.detail())
    assert "the grant office" in str(soon.detail())


@pytest.mark.parametrize(("left", "ended"), [(1, False), (0, True), (-DAY_S, True)])
def test_the_second_of_the_end_is_the_end(left: int, ended: bool) -> None:
    (one,) = endings(replace(ROOT_2, expires=END), None, END - left)
    assert one.ended is ended
    assert ("ended on" in str(one.detail())) is ended


def test_without_documents_nothing_ends() -> None:
    assert endings(None, None, END) == ()


def test_each_is_told_once_a_day_and_a_new_document_at_once() -> None:
    now = float((END // DAY_S) * DAY_S)
    trust = Trust(ROOT_2, LATER)
    watch = ExpiryWatch(lambda: trust, lambda: now, cast("Alarms", Told()))
    assert len(watch.untold()) == 3
    now += 3600
    assert watch.untold() == ()
    trust = Trust(ROOT_2, replace(LATER, version=2))
    assert [f"{one.what} {one.name}" for one in watch.untold()] == ["grants 2"]
    now += DAY_S
    assert len(watch.untold()) == 3


@dataclass
class Told:
    """Stands for the alarms: what was said."""

    said: list[str] = field(default_factory=list)
    kinds: set[Reason] = field(default_factory=set)

    def sound(self, kind: Reason, *details: Detail) -> None:
        self.kinds.add(kind)
        self.said.append(joined(details))

    def still(self, kind: Reason) -> None:
        self.kinds.add(kind)
        self.said.append("")


def test_while_anything_ends_the_alarm_stands() -> None:
    async def play() -> None:
        trust, told = Trust(ROOT_2, LATER), Told()
        watch = ExpiryWatch(lambda: trust, lambda: END - 3600.0, cast("Alarms", told))
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(1)
        assert told.said[-1].startswith("authority ward ends in 1 days")
        assert told.said[-1].endswith("; and 2 more")
        trust = Trust(replace(ROOT_2, expires=END + WARN_S), replace(LATER, expires=END + WARN_S, authorities=()))
        await asyncio.sleep(LOOK_S)
        assert told.said[-1] == ""
        assert told.kinds == {Reason.EXPIRING}
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    run(play())


def test_a_root_that_has_ended_takes_no_grants_but_the_next_root() -> None:
    trust = Trust.from_first_root(sign(ROOT, [ROOT_KEY]))
    grants = replace(GRANTS, expires=ROOT.expires + DAY_S)
    assert trust.with_grants(sign(grants, [GRANT_KEY]), ROOT.expires - 1).grants == grants
    with pytest.raises(StatementError) as caught:
        trust.with_grants(sign(grants, [GRANT_KEY]), ROOT.expires)
    assert caught.value.reason is Reason.EXPIRED
    following = replace(ROOT, version=2, issued=ROOT.expires + DAY_S, expires=ROOT.expires + 2 * DAY_S)
    assert trust.with_root(sign(following, [ROOT_KEY])).root.version == 2
