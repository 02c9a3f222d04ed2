"""docs/simulator.md documents every argument, step, report key and key of a ward's file, and no other."""

from __future__ import annotations

import inspect
import re

import msgspec
import pytest
from tests.unit.project.tables import table_after, text
from tests.unit.project.test_reference_doc import default, sections

from ward_sim import __main__ as command
from ward_sim.story import STEPS
from ward_sim.ward import Ward

DOC = "docs/simulator.md"
SECTIONS: dict[str, type[msgspec.Struct]] = {"top": Ward, **sections(Ward)}


def test_arguments() -> None:
    documented = {row[0].strip("`").split()[0] for row in table_after(DOC, "arguments")}
    known = set(re.findall(r"--[a-z]+", command.arguments().format_help())) - {"--help"}
    assert documented == known


def test_steps_are_those_of_the_story_in_order() -> None:
    assert [row[0] for row in table_after(DOC, "story")] == [english for _, _, english in STEPS]


def test_keys_of_the_report() -> None:
    source = inspect.getsource(command._report)
    written = re.findall(r'^ +"(\w+)": ', source, re.MULTILINE)
    assert [row[0].strip("`") for row in table_after(DOC, "report")] == written


def test_every_section_of_a_ward_has_a_table_and_no_other() -> None:
    assert set(re.findall(r"<!-- ward ([\w.]+):", text(DOC))) == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_keys_of_a_ward_with_their_defaults(name: str) -> None:
    documented = {row[0]: row[1] for row in table_after(DOC, f"ward {name}")}
    assert documented == {f"`{one.encode_name}`": default(one) for one in msgspec.structs.fields(SECTIONS[name])}
