"""A source that shows less than before is noticed, and what it lacks is named."""

from __future__ import annotations

from dataclasses import replace

from tests.statements import AUTHORITY, BEAT, GRANTS, ROOT

from ward_hub.alarm_words import joined
from ward_hub.beat_watch import BeatWatch
from ward_hub.trust import Trust
from ward_protocol.statements import Beat

OFFICE = replace(AUTHORITY, id="office")
TRUST = Trust(ROOT, replace(GRANTS, authorities=(AUTHORITY, OFFICE)))


def beat(*, root: int = 2, grants: int = 5, **heads: int) -> Beat:
    return replace(BEAT, root_version=root, grants_version=grants, heads=heads)


def behind(*beats: Beat, trust: Trust = TRUST) -> list[str]:
    watch = BeatWatch()
    return [joined(watch.behind(replace(trust, beat=one))) for one in beats]


def test_what_goes_on_is_not_behind() -> None:
    assert behind(
        beat(ward=3), beat(ward=3), beat(ward=4, office=1), beat(grants=6, ward=4, office=1), beat(root=3, grants=1)
    )[:4] == ["", "", "", ""]


def test_an_older_root_or_older_grants_are_behind_and_a_new_root_counts_grants_anew() -> None:
    found = behind(beat(), beat(grants=4), beat(root=1, grants=9), beat(root=3, grants=1), beat(root=2, grants=9))
    assert found == [
        "",
        "the beat shows root 2 and grants 4, after root 2 and grants 5",
        "the beat shows root 1 and grants 9, after root 2 and grants 5",
        "",
        "the beat shows root 2 and grants 9, after root 3 and grants 1",
    ]


def test_an_issuer_that_lost_statements_is_behind_until_it_has_them_again() -> None:
    found = behind(beat(ward=7, office=2), beat(ward=5, office=2), beat(ward=6), beat(ward=7, office=2))
    both = "the beat shows office/0, after office/2; the beat shows ward/6, after ward/7"
    assert found == ["", "the beat shows ward/5, after ward/7", both, ""]


def test_an_authority_that_was_taken_away_may_leave_the_beat() -> None:
    watch = BeatWatch()
    assert watch.behind(replace(TRUST, beat=beat(ward=7, office=2))) == ()
    without = replace(TRUST, grants=replace(GRANTS, authorities=(AUTHORITY,)))
    assert watch.behind(replace(without, beat=beat(ward=7))) == ()


def test_what_was_found_stays_while_no_other_beat_comes() -> None:
    watch = BeatWatch()
    watch.behind(replace(TRUST, beat=beat(ward=7)))
    low = replace(TRUST, beat=beat(ward=6))
    assert watch.behind(low) == watch.behind(low)
    assert joined(watch.behind(low)) == "the beat shows ward/6, after ward/7"


def test_without_a_beat_it_begins_anew() -> None:
    """A stolen key may have named heads that no source ever reaches."""
    watch = BeatWatch()
    watch.behind(replace(TRUST, beat=beat(ward=10**9)))
    assert watch.behind(TRUST) == ()
    assert watch.behind(replace(TRUST, beat=beat(ward=7))) == ()


def test_without_grants_it_remembers_no_more_than_one_beat_names() -> None:
    watch = BeatWatch()
    for number in range(100):
        watch.behind(Trust(ROOT, None, replace(BEAT, heads={f"issuer-{number}": 1})))
    assert len(watch._heads) == 1
