"""docs/protocol.md lists every reason, statement type, field and event, and none that does not exist."""

from __future__ import annotations

import dataclasses

import pytest
from tests.unit.project.tables import table_after

from ward_hub.settings import ALLOWED
from ward_protocol.envelope import SINGLE
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Bulletin, Event, Kind, Receipt, StatementType
from ward_protocol.statements.order import KINDS

DOC = "docs/protocol.md"
REASONS = table_after(DOC, "reasons")


def test_reasons_are_those_of_the_code_in_both_directions() -> None:
    assert {(int(row[0]), row[1]) for row in REASONS} == {(int(one), one.word) for one in Reason}


def test_each_reason_stands_once_and_in_order() -> None:
    numbers = [int(row[0]) for row in REASONS]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("row", REASONS, ids=lambda row: row[1])
def test_a_reason_says_what_it_means_and_what_to_do(row: tuple[str, ...]) -> None:
    _, _, meaning, remedy = row
    assert meaning
    assert remedy or meaning.startswith("reserved")


def test_statement_types_and_their_forms() -> None:
    rows = {int(row[0]): (row[1], row[3]) for row in table_after(DOC, "types")}
    forms = {one: "Sign1" if one in SINGLE else "Sign" for one in StatementType}
    assert rows == {int(one): (one.name.lower(), form) for one, form in forms.items()}


@pytest.mark.parametrize(("mark", "statement"), [("bulletin", Bulletin), ("receipt", Receipt)])
def test_fields_are_those_of_the_statement(mark: str, statement: type[Bulletin | Receipt]) -> None:
    rows = {int(row[0]): row[1] for row in table_after(DOC, mark)}
    assert rows == {one.metadata["key"]: one.name for one in dataclasses.fields(statement)}


def test_orders_and_the_kinds_they_need() -> None:
    rows = {int(row[0]): (row[1], row[2]) for row in table_after(DOC, "orders")}
    assert rows == {int(one): (one.name.lower(), KINDS.get(one, Kind.ORDER).name.lower()) for one in Action}


def test_settings() -> None:
    assert {row[0] for row in table_after(DOC, "settings")} == ALLOWED


def test_events() -> None:
    assert {int(row[0]): row[1] for row in table_after(DOC, "events")} == {int(one): one.name.lower() for one in Event}
