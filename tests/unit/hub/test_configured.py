"""What a hub is configured with, as digests: what counts as a change, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.hub.test_config import GOOD

from ward_hub.config import parse
from ward_hub.configured import ROOT_FILE, prints


def printed(content: str) -> dict[str, str]:
    return prints(parse(content, "hub.toml"), {})


def changed(before: str, after: str) -> set[str]:
    one, other = printed(before), printed(after)
    return {name for name in {*one, *other} if one.get(name) != other.get(name)}


@pytest.mark.parametrize(
    ("was", "now", "names"),
    [
        ("[trust]", "# a remark\n[trust]", set[str]()),
        ("[trust]", "[clock]\nfrozen_s = 60\n[trust]", set[str]()),  # as it is anyway
        ("[trust]", "[clock]\nfrozen_s = 61\n[trust]", {"[clock]"}),
        ('[usb]\nmount = "/media/wardhub"\n', "", {"[usb]"}),
        ("/media/wardhub", "/media/stick", {"[usb]"}),
        ("coap://", "coap://not.", {"[source]"}),
        ("relay = 1", "relay = 5", {"[amplifier]"}),
    ],
)
def test_a_section_that_says_something_else_is_a_change(was: str, now: str, names: set[str]) -> None:
    assert was in GOOD
    assert changed(GOOD, GOOD.replace(was, now, 1)) == names


def test_another_root_file_is_a_change_and_none_is_one(tmp_path: Path) -> None:
    root = tmp_path / "root.cose"
    config = parse(GOOD.replace("/etc/wardhub/root.cose", str(root)), "hub.toml")
    assert ROOT_FILE not in prints(config, {})
    root.write_bytes(b"one")
    one = prints(config, {})
    root.write_bytes(b"two")
    assert {name for name, digest in prints(config, {}).items() if digest != one[name]} == {ROOT_FILE}
    root.unlink()
    root.mkdir()
    assert ROOT_FILE not in prints(config, {})


def test_nothing_of_the_configuration_can_be_read_in_them() -> None:
    text = json.dumps(printed(GOOD.replace('id = "hub-1"', 'id = "hub-secret"')))
    assert "secret" not in text
    assert all(len(one) == 64 for one in printed(GOOD).values())
