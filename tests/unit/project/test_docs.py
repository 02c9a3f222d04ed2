"""The documents hold together: links and paths lead somewhere, commands and arguments exist, decisions are listed."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.project.tables import TOP, table_after, text

from ward_hub.cli.main import parser as wardhub
from ward_sim.__main__ import arguments as ward_sim

DOCUMENTS = sorted(
    str(path.relative_to(TOP))
    for path in (*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), TOP / "firmware" / "README.md")
)
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_TEXT = re.compile(r"`((?:wardhub|\./ward) [^`]+)`")
# Paths as the documents write them, from the top of the tree; not patterns such as bench_<name>.py.
PATH = re.compile(r"(?<![\w/.])(?>(?:protocol|hw|hub|sim|firmware|tests|docs|changes)/[\w./-]*\w/?)(?!<)")
MADE_BY_A_RUN = ("docs/images/",)


def prose(document: str) -> str:
    """The document without its code blocks, in which brackets and hashes mean other things."""
    return FENCE.sub("", text(document))


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    found = HEADING.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", one)).strip().lower() for one in found)
    return {one.replace(" ", "-") for one in plain}


def shell_lines(document: str) -> Iterator[str]:
    """The commands of a document's shell blocks, continued lines joined."""
    for language, block in FENCE.findall(text(document)):
        if language == "sh":
            yield from block.replace("\\\n", " ").splitlines()


def commands(document: str) -> list[str]:
    """Every wardhub and ./ward command that a document names, in its blocks and in its text."""
    written = [*shell_lines(document), *(" ".join(one.split()) for one in IN_TEXT.findall(prose(document)))]
    found = (re.search(r"(?:^|do |/bin/)((?:wardhub|\./ward) .*)", one) for one in written)
    return [re.split(r" #| > |;|\|| && ", match.group(1))[0].strip() for match in found if match]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in LINK.findall(prose(document)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (TOP / document).parent / path if path else TOP / document
        assert there.exists(), f"{document}: there is no {target}"
        if anchor:
            assert anchor in anchors(there), f"{document}: {target}: no such heading"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_exist(document: str) -> None:
    for path in PATH.findall(re.sub(r"<!-- The picture.*?-->", "", prose(document))):
        known = (TOP / path, (TOP / document).parent / path)
        assert path.startswith(MADE_BY_A_RUN) or any(one.exists() for one in known), f"{document}: there is no {path}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_take_what_the_documents_give_them(document: str) -> None:
    for command in commands(document):
        words = shlex.split(command.replace("…", "x"))
        if words[0] == "wardhub":
            _takes(wardhub(), words[1:], f"{document}: {command}")
        elif words[1:2] == ["sim"]:
            _takes(ward_sim(), words[2:], f"{document}: {command}")
        else:
            assert f"\n  ./ward {words[1]}" in text("ward"), f"{document}: {command}"


def _takes(known: argparse.ArgumentParser, words: list[str], where: str) -> None:
    """Fail unless the options and the command stand in the parser; what is left out of a sentence may be missing."""
    options = {option for action in known._actions for option in action.option_strings}
    subcommands = next((one for one in known._actions if isinstance(one, argparse._SubParsersAction)), None)
    if subcommands is not None and words and not words[0].startswith("-"):
        chosen = subcommands.choices.get(words[0])
        assert words[0] == "COMMAND" or chosen is not None, where
        if chosen is not None:  # a command may have steps of its own
            _takes(chosen, words[1:], where)
            return
    assert {word for word in words if word.startswith("-")} <= options, where


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    names = sorted(path.name for path in (TOP / "docs" / "adr").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    listed = [LINK.search(row[0]) for row in table_after("docs/architecture.md", "adr")]
    assert [match.group(1) for match in listed if match] == [f"adr/{name}" for name in names]


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one.startswith("docs/adr/")])
def test_a_decision_has_its_parts(document: str) -> None:
    headings = [one for one in HEADING.findall(text(document)) if not one.startswith("Options")]
    number = int(Path(document).name[:4])
    assert headings[0].startswith(f"{number:04}: ")
    assert headings[1:] == ["Context", "Outcome"]
    assert "## Options" in text(document)
