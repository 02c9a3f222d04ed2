"""A delegate in the grants has nothing that its parent has not; grants that say otherwise are malformed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import AREA, AUTHORITY, GRANTS

from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Authority, Grants, Kind, Priority

PARENT = replace(AUTHORITY, highest_priority=Priority.PRIORITY, kinds=(Kind.BULLETIN,), level=2, areas=(AREA, "vn/02"))
CHILD = replace(PARENT, id="hamlet", areas=(f"{AREA}/3",), level=3, parent="ward")


def grants(*authorities: Authority) -> Grants:
    return replace(GRANTS, authorities=authorities)


def test_a_subset_is_granted() -> None:
    assert grants(PARENT, CHILD).authority("hamlet") == CHILD


@pytest.mark.parametrize(
    ("word", "more"),
    [
        ("areas", {"areas": (f"{AREA}/3", "vn/03")}),
        ("areas", {"areas": (f"{AREA}9",)}),
        ("highest priority", {"highest_priority": Priority.EMERGENCY}),
        ("kinds", {"kinds": (Kind.BULLETIN, Kind.CANCEL)}),
        ("end", {"not_after": PARENT.not_after + 1}),
        ("level", {"level": 1}),
    ],
)
def test_more_than_the_parent_has_is_malformed(word: str, more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"its {word} goes beyond"):
        grants(PARENT, replace(CHILD, **more))  # type: ignore[arg-type]


def test_a_parent_that_is_not_listed() -> None:
    with pytest.raises(ValueError, match="its parent ward is not listed"):
        grants(CHILD)


def test_two_that_are_each_other_s_parents() -> None:
    other = replace(CHILD, id="ward", parent="hamlet")
    with pytest.raises(ValueError, match="its own parent"):
        grants(CHILD, other)


def test_a_hub_refuses_such_grants_as_malformed() -> None:
    plain = to_map(grants(PARENT, CHILD))
    plain[5][1][6] = int(Priority.EMERGENCY)
    with pytest.raises(StatementError) as caught:
        from_map(Grants, plain)
    assert caught.value.reason is Reason.MALFORMED_STATEMENT
