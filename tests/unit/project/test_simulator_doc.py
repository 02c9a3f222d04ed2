"""docs/simulator.md documents every argument, step, report key and key of a ward's file, and no other."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest
from tests.unit.project.tables import table_after, text
from tests.unit.project.test_reference_doc import default, sections

from ward_sim import __main__ as command
from ward_sim.faults import AnyFault
from ward_sim.story import STEPS
from ward_sim.ward import DEFAULT, Ward, load

if TYPE_CHECKING:
    from pathlib import Path

DOC = "docs/simulator.md"
SECTIONS: dict[str, type[msgspec.Struct]] = {"top": Ward, **sections(Ward)}
SECTIONS.pop("fault")  # many kinds in one table
ALWAYS = {"from_s", "until_s"}


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


def test_kinds_of_faults_with_their_keys() -> None:
    documented = {row[0]: set(re.findall(r"`(\w+)`", row[1])) for row in table_after(DOC, "faults")}
    known = {
        f"`{kind.__struct_config__.tag}`": {field.encode_name for field in msgspec.structs.fields(kind)} - ALWAYS
        for kind in get_args(AnyFault)
    }
    assert documented == known


def test_the_example_of_faults_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(\[\[fault\]\].*?)```", text(DOC), re.DOTALL)
    path = tmp_path / "ward.toml"
    path.write_text(DEFAULT.read_text(encoding="utf-8") + example, encoding="utf-8")
    assert [fault.kind for fault in load(path).fault] == ["late", "brown-out"]
