"""Drafts of orders: each action as an officer writes it, and what is wrong in one named by its key.

Those of streams are in test_stream_drafts.py.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.statements import AREA, AUTHORITY, GRANTS, NOW, ROOT

from ward_hub.drafts import LIFE_S, DraftError, Issue, from_toml
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.issue import check
from ward_hub.publisher.orders import OrderDraft, is_order, order_of
from ward_hub.settings import ALLOWED
from ward_protocol.cbor import encode
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Action, Audience, Kind, Order, Priority, Verdict

ISSUE = Issue("ward", 7, NOW, (AREA,))
FOLDER = Path("/nowhere")
TARGET = "ab" * 32


def order(draft: str) -> Order:
    return order_of(draft.encode(), ISSUE, FOLDER)


def test_a_draft_with_the_key_order_is_one() -> None:
    assert is_order(b'order = "stop"')
    assert is_order(b"order = 1")
    for other in (b'priority = "normal"', b'[[text]]\ntitle = "order"\nbody = "stop"', b"order =", b"\xff", b""):
        assert not is_order(other)
    with pytest.raises(DraftError, match="unknown field `order`"):
        from_toml(b'order = "stop"', ISSUE)


def test_what_an_order_says_beside_its_action() -> None:
    one = order('order = "stop"\npriority = "priority"\nwhy = "ph\u00e1t nh\u1ea7m"\nhubs = ["hub-1"]')
    assert (one.issuer, one.sequence, one.issued, one.expires) == ("ward", 7, NOW, NOW + LIFE_S)
    assert one.audience == Audience((AREA,), ("hub-1",))
    assert (one.action, one.priority, one.why) == (Action.STOP, Priority.PRIORITY, "phát nhầm")
    assert (one.until, one.targets, one.verdict, one.settings) == (0, (), None, None)
    assert order('order = "stop"').priority is Priority.NORMAL


SAID = {
    Action.STOP: f'targets = ["{TARGET}"]',
    Action.SILENCE: 'zones = ["zone-1"]\nminutes = 30',
    Action.BLANK: 'boards = ["board-1"]\nuntil = 2027-01-15T16:00:00+07:00',
    Action.RESUME: "",
    Action.PURGE: f'targets = ["{TARGET}"]',
    Action.DECISION: f'targets = ["{TARGET}"]\nverdict = "first"',
    Action.CONFIGURATION: '[settings]\n"hub.language" = "en"',
    Action.CLEAR: "",
    Action.STREAM_STOP: f'targets = ["{TARGET}"]',
}


@pytest.mark.parametrize("action", SAID)
def test_every_action_has_a_draft_that_reads_back(action: Action) -> None:
    one = order(f'order = "{action.name.lower()}"\n{SAID[action]}')
    assert one.action is action
    assert from_map(Order, to_map(one)) == one
    assert len(encode(to_map(one))) < 200
    everything = replace(AUTHORITY, kinds=tuple(Kind))
    check(one, ROOT, replace(GRANTS, authorities=(everything,)), NOW)


def test_the_actions_with_a_draft_are_those_that_a_hub_carries_out() -> None:
    drafted = {Action[name.upper()] for name in get_args(get_type_hints(OrderDraft)["order"])}
    assert drafted == set(Action) == {*SAID, Action.STREAM_START}


def test_what_is_held_ends_with_a_moment_or_after_minutes() -> None:
    one = order('order = "silence"\nminutes = 30')
    assert one.until == one.expires == NOW + 1800
    moment = int(datetime(2027, 1, 15, 9, tzinfo=UTC).timestamp())
    two = order('order = "blank"\nuntil = 2027-01-15T16:00:00+07:00\nexpires = 2027-01-15T15:30:00+07:00')
    assert (two.until, two.expires) == (moment, moment - 1800)
    assert order('order = "silence"').until == 0


def test_verdicts_and_targets() -> None:
    one = order(f'order = "decision"\nverdict = "decline"\ntargets = ["{TARGET}", "{"cd" * 32}"]')
    assert (one.verdict, one.targets) == (Verdict.DECLINE, (b"\xab" * 32, b"\xcd" * 32))


def test_settings_by_name_or_by_section() -> None:
    one = order(
        'order = "configuration"\n[settings]\nhub.language = "en"\n"hub.log_level" = "debug"\nairing.tail_ms = 450'
    )
    assert one.settings == {"hub.language": "en", "hub.log_level": "debug", "airing.tail_ms": "450"}


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        ('order = "stop"\ncolour = 1', "unknown field `colour`"),
        ('order = "stop"\n[[text]]\ntitle = "x"\nbody = "y"', "unknown field `text`"),
        ('order = "fly"', r"order: Invalid enum value 'fly' - at `\$.order`"),
        ('order = "stream_start"', "needs status, stream"),
        ('order = "stop"\nstatus = "Test"', "takes no status"),
        ('order = "stream_start"\n[stream]\nmax_s = 3601', r"at `\$.stream.max_s`"),
        (
            'order = "stream_start"\n[stream]\nport = 5004\nkey = "k"\nrequests = []\nmax_s = 9',
            r"at `\$.stream.requests`",
        ),
        ('order = "stop"\npriority = "high"', r"at `\$.priority`"),
        ('order = "stop"\ntargets = ["abcd"]', r"at `\$.targets"),
        (f'order = "stop"\ntargets = ["{TARGET.upper()}"]', r"at `\$.targets"),
        ('order = "silence"\nzones = ["Zone 1"]', r"at `\$.zones"),
        ('order = "stop"\nhubs = [""]', r"at `\$.hubs"),
        ('order = "stop"\nminutes = 5', "an order stop takes no until"),
        ('order = "stop"\nzones = ["zone-1"]', "cannot be narrowed to zones"),
        ('order = "blank"\nzones = ["zone-1"]', "cannot be narrowed to zones"),
        ('order = "silence"\nboards = ["board-1"]', "cannot be narrowed to boards"),
        ('order = "resume"\nverdict = "first"', "takes no verdict"),
        ('order = "decision"\nverdict = "first"', "needs targets"),
        (f'order = "decision"\ntargets = ["{TARGET}"]', "needs verdict"),
        ('order = "configuration"', "needs settings"),
        ('order = "configuration"\n[settings]', "without a setting"),
        ('order = "configuration"\n[settings]\n"hub.language" = true', r"at `\$.settings"),
        ('order = "stop"\n[settings]\n"hub.language" = "en"', "takes no settings"),
        ('order = "silence"\nminutes = 5\nuntil = 2030-01-01T00:00:00Z', "either until or minutes"),
        ('order = "silence"\nminutes = 0', r"at `\$.minutes`"),
        ('order = "silence"\nuntil = 2030-01-01T00:00:00', "order: until needs an offset"),
        ('order = "silence"\nuntil = 2020-01-01T00:00:00Z', "until lies in the past"),
        ('order = "silence"\nexpires = 2020-01-01T00:00:00Z', "expires lies in the past"),
        ('order = "silence"\nexpires = 2030-01-01T00:00:00', "order: expires needs an offset"),
        ("order = ", "order: Invalid value"),
    ],
)
def test_what_is_wrong_in_a_draft_is_named(draft: str, words: str) -> None:
    with pytest.raises(CeremonyError, match=words):
        order(draft)


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        ("trust.root = '/tmp/mine'", "trust.root cannot be set by an order; these can: "),
        ("hub.language = 'fr'", "hub.language: Invalid enum value 'fr'"),
        ("airing.max_attempts = 0", "airing.max_attempts"),
        ("source.uri = 'http://a'", "source.uri"),
    ],
)
def test_settings_that_no_hub_would_take_are_refused_before_anybody_signs(draft: str, words: str) -> None:
    one = order(f'order = "configuration"\n[settings]\n{draft}')
    with pytest.raises(CeremonyError, match=f"hubs would refuse it: setting-not-allowed: {words}"):
        check(one, None, None, NOW)


def test_each_setting_can_be_written() -> None:
    good = {
        "hub.name": "An Thịnh", "hub.language": "en", "hub.log_level": "debug", "source.uri": "coap://b.vn",
        "audio.voice": "south", "airing.tail_ms": 1, "airing.repeat_gap_ms": 1, "airing.board_hold_ms": 1,
        "airing.max_attempts": 2,
    }  # fmt: skip
    assert set(good) == ALLOWED
    lines = "\n".join(f'"{name}" = {value!r}' for name, value in good.items())
    check(order(f'order = "configuration"\n[settings]\n{lines}'), None, None, NOW)


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        ('order = "clear"', "kind-not-granted: ward may not issue a configuration"),
        ('order = "stop"\npriority = "emergency"', "priority-not-granted: ward may issue up to priority"),
    ],
)
def test_an_order_beyond_its_grant_is_refused_before_anybody_signs(draft: str, words: str) -> None:
    ward = replace(AUTHORITY, highest_priority=Priority.PRIORITY)
    with pytest.raises(CeremonyError, match=f"hubs would refuse it: {words}"):
        check(order(draft), ROOT, replace(GRANTS, authorities=(ward,)), NOW)


KEYS = st.sampled_from([
    "order", "priority", "until", "minutes", "targets", "verdict", "settings", "zones", "why", "expires", "x", "status",
    "stream",
])  # fmt: skip
VALUES = st.sampled_from([
    '"stop"', '"silence"', '"decision"', '"configuration"', "30", "-1", "true", "[]", f'["{TARGET}"]', '["zone-1"]',
    '"first"', '"normal"', "2030-01-01T00:00:00Z", "2030-01-01", "{}", '{ "hub.language" = "en" }', '""', "nan",
])  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_draft_becomes_an_order_that_can_be_signed_or_is_refused_in_words(draft: dict[str, str]) -> None:
    with contextlib.suppress(CeremonyError):
        one = order("\n".join(f"{key} = {value}" for key, value in draft.items()))
        assert from_map(Order, to_map(one)) == one
