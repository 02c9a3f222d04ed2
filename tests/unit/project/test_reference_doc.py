"""docs/reference.md documents every key of the configuration with its default, every command and no other."""

from __future__ import annotations

import configparser
import json
import os
import re
from importlib.resources import files
from typing import get_args

import msgspec
import pytest
from tests.unit.project.tables import table_after, text

from ward_hub.cli.main import COMMANDS, STATUSES
from ward_hub.config import Config
from ward_hub.identity import TOKEN_S
from ward_hub.keys.token import SLOW_S
from ward_hub.publisher.drafts import AuthorityDraft
from ward_hub.publisher.orders import OrderDraft
from ward_hub.publisher.streams import StreamDraft
from ward_hw.diagnosis import Cause

DOC = "docs/reference.md"
OPERATIONS = "docs/operations.md"


def sections(kind: type[msgspec.Struct], path: str = "") -> dict[str, type[msgspec.Struct]]:
    """Every section of the configuration by its TOML path, found in the types themselves."""
    found = {path: kind} if path else {}
    for field in msgspec.structs.fields(kind):
        inner = section_in(field.type)
        if inner is not None:
            found |= sections(inner, f"{path}.{field.encode_name}".removeprefix("."))
    return found


def section_in(hint: object) -> type[msgspec.Struct] | None:
    """The section that a type is or holds, through tuples and annotations."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((inner for one in get_args(hint) if (inner := section_in(one)) is not None), None)


SECTIONS = sections(Config)


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


def test_every_section_has_a_table_and_no_other() -> None:
    assert set(re.findall(r"<!-- config ([\w.]+):", text(DOC))) == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_stands_there_with_its_default_and_no_other(name: str) -> None:
    documented = {row[0]: row[1] for row in table_after(DOC, f"config {name}")}
    assert documented == {f"`{one.encode_name}`": default(one) for one in msgspec.structs.fields(SECTIONS[name])}


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_is_explained(name: str) -> None:
    assert all(row[2] for row in table_after(DOC, f"config {name}"))


@pytest.mark.parametrize(
    ("mark", "draft"), [("draft authority", AuthorityDraft), ("draft order", OrderDraft), ("draft stream", StreamDraft)]
)
def test_drafts_have_these_keys_and_no_other(mark: str, draft: type[msgspec.Struct]) -> None:
    rows = table_after(DOC, mark)
    assert {row[0] for row in rows} == {f"`{one.encode_name}`" for one in msgspec.structs.fields(draft)}
    assert all(row[2] for row in rows)


def test_which_key_of_an_authority_is_required() -> None:
    required = {row[0] for row in table_after(DOC, "draft authority") if row[1] == "required"}
    assert required == {f"`{one.encode_name}`" for one in msgspec.structs.fields(AuthorityDraft) if one.required}


def test_causes_of_trouble_on_a_line() -> None:
    rows = table_after(OPERATIONS, "causes")
    assert [row[0] for row in rows] == [f"`{cause.value}`" for cause in Cause]
    assert all(row[1] and row[2] for row in rows)


def test_commands() -> None:
    assert [row[0] for row in table_after(DOC, "commands")] == [f"`wardhub {name}`" for name in COMMANDS]


def test_exit_statuses_that_errors_end_with() -> None:
    documented = {int(number) for number in re.findall(r"^\| (\d+) \| ", text(DOC), re.MULTILINE)}
    assert documented == {status for _, status in STATUSES} | {os.EX_OK, os.EX_USAGE, 130}


def test_how_long_a_token_has() -> None:
    assert f"| it does not answer | the same, after {TOKEN_S:g} s;" in text(OPERATIONS)
    assert f"From {SLOW_S:g} s on the log says so" in text(OPERATIONS)


def test_the_unit_that_ships_is_what_the_text_says() -> None:
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd's keys have capitals
    unit.read_string((files("ward_hub") / "data" / "wardhub.service").read_text(encoding="utf-8"))
    service = unit["Service"]
    assert service["ExecStart"] == "/opt/wardhub/bin/wardhub run --config /etc/wardhub/hub.toml"
    assert (service["Type"], service["WatchdogSec"], service["Restart"]) == ("notify", "15", "always")
    assert service["RestartPreventExitStatus"].split() == [str(os.EX_USAGE), str(os.EX_CONFIG)]
    assert f"/var/lib/{service['StateDirectory']}" in text(OPERATIONS)
