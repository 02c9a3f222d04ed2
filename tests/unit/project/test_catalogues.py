"""Catalogues follow the source: the template is current, and every text has a Vietnamese one that fits it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

TOP = Path(__file__).parents[3]
LOCALE = TOP / "hub" / "ward_hub" / "locale"
HOW = "run the two pybabel commands of hub/ward_hub/locale/README.md"


def catalogue(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream, abort_invalid=True)


def texts(of: Catalog) -> list[Message]:
    return [message for message in of if message.id]


def in_source() -> set[str]:
    found = extract_from_dir(TOP / "hub", method_map=[("**.py", "python")])
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


TEMPLATE = catalogue(LOCALE / "wardhub.pot")
VIETNAMESE = catalogue(LOCALE / "vi" / "LC_MESSAGES" / "wardhub.po")


def test_the_template_is_current() -> None:
    assert {str(message.id) for message in texts(TEMPLATE)} == in_source(), HOW


def test_vietnamese_has_the_texts_of_the_template() -> None:
    assert {str(message.id) for message in texts(VIETNAMESE)} == {str(message.id) for message in texts(TEMPLATE)}, HOW


@pytest.mark.parametrize("message", texts(VIETNAMESE), ids=lambda message: str(message.id)[:40])
def test_a_text_is_translated_and_takes_the_same_values(message: Message) -> None:
    assert message.string, "write the Vietnamese into wardhub.po"
    assert not message.fuzzy, "a guess of pybabel: write the Vietnamese and remove the mark"
    assert list(message.check(VIETNAMESE)) == []
    places = re.compile(r"%(?:\(\w+\))?[a-z]|\{\w*\}")
    assert sorted(places.findall(str(message.id))) == sorted(places.findall(str(message.string)))
