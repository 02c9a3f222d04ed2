"""Every reason in the table of docs/protocol.md has a test that triggers exactly it, named here.

What is looked at is the test's source: it says that reason in an assertion, a comparison or its parametrisation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from tests.unit.project.tables import TOP, table_after

from ward_protocol.reasons import Reason

HUB = "tests/unit/hub"
INTAKE, ORDERS, RECORDINGS, FRESHNESS = (
    f"{HUB}/test_{one}.py" for one in ("intake", "orders", "recordings", "freshness")
)
TRIGGERS = {
    "too-large": f"{HUB}/test_agent.py::test_what_is_too_large_to_fetch_is_refused",
    "malformed-cbor": f"{INTAKE}::test_bytes_that_are_no_envelope",
    "not-deterministic": f"{INTAKE}::test_bytes_that_are_no_envelope",
    "malformed-cose": f"{INTAKE}::test_bytes_that_are_no_envelope",
    "header-not-allowed": f"{INTAKE}::test_bytes_that_are_no_envelope",
    "unknown-type": f"{INTAKE}::test_statements_that_do_not_come_this_way",
    "malformed-statement": f"{INTAKE}::test_what_a_known_key_signed_is_judged_by_its_form",
    "unknown-field": f"{INTAKE}::test_what_a_known_key_signed_is_judged_by_its_form",
    "unknown-key": f"{INTAKE}::test_a_strangers_key",
    "bad-signature": f"{INTAKE}::test_a_signature_over_other_words",
    "threshold-not-met": f"{INTAKE}::test_too_few_of_an_authoritys_keys",
    "duplicate-signer": f"{INTAKE}::test_bytes_that_are_no_envelope",
    "unknown-authority": f"{INTAKE}::test_an_issuer_that_nobody_granted",
    "authority-expired": f"{INTAKE}::test_a_grant_that_has_ended",
    "priority-not-granted": f"{INTAKE}::test_a_priority_that_is_not_granted",
    "area-not-granted": f"{INTAKE}::test_an_area_that_is_not_granted",
    "kind-not-granted": f"{INTAKE}::test_a_kind_that_is_not_granted",
    "not-for-this-hub": f"{INTAKE}::test_another_hubs_bulletin",
    "expired": f"{INTAKE}::test_an_expired_bulletin",
    "replayed": f"{INTAKE}::test_a_sequence_is_decided_once",
    "version-rollback": f"{INTAKE}::test_a_document_that_is_not_taken_changes_nothing",
    "wrong-version": f"{INTAKE}::test_a_document_that_is_not_taken_changes_nothing",
    "time-went-back": f"{INTAKE}::test_an_older_beat",
    "issued-in-the-future": f"{INTAKE}::test_a_bulletin_from_the_future",
    "wrong-feed": f"{INTAKE}::test_a_true_statement_in_anothers_place",
    "zone-not-granted": f"{INTAKE}::test_a_grant_for_some_zones_and_boards",
    "board-not-granted": f"{INTAKE}::test_a_grant_for_some_zones_and_boards",
    "quota-exceeded": f"{INTAKE}::test_a_quota_is_for_24_hours_and_survives_a_restart",
    "not-cut-off": f"{INTAKE}::test_a_sealed_key_counts_only_while_the_ward_is_cut_off",
    "break-glass-used-up": f"{INTAKE}::test_the_uses_of_a_sealed_key_are_counted_across_restarts_until_cleared",
    "outside-own-ward": f"{INTAKE}::test_a_sealed_key_is_for_its_own_ward",
    "setting-not-allowed": f"{ORDERS}::test_what_may_not_be_set_changes_nothing",
    "target-unknown": f"{ORDERS}::test_a_decision_about_what_does_not_wait",
    "decision-not-allowed": f"{ORDERS}::test_what_is_not_the_wards_to_decide",
    "no-content": f"{INTAKE}::test_a_bulletin_without_content",
    "character-not-in-font": f"{INTAKE}::test_characters_that_no_board_can_show",
    "audio-unavailable": f"{HUB}/test_sound.py::test_a_drill_that_cannot_be_said_to_be_one_does_not_sound",
    "audio-digest-mismatch": f"{RECORDINGS}::test_wrong_bytes_and_bytes_that_do_not_decode_are_bad_for_good",
    "audio-not-decodable": f"{RECORDINGS}::test_wrong_bytes_and_bytes_that_do_not_decode_are_bad_for_good",
    "text-too-long": f"{HUB}/test_player.py::test_a_board_too_small_for_it_says_so",
    "cancelled": f"{INTAKE}::test_what_a_cancel_and_a_later_bulletin_take_back_is_known_at_once",
    "superseded": f"{INTAKE}::test_what_a_cancel_and_a_later_bulletin_take_back_is_known_at_once",
    "relay-unconfirmed": f"{HUB}/test_player.py::test_a_broken_amplifier_takes_nothing_along",
    "board-unconfirmed": f"{HUB}/test_player.py::test_a_board_that_has_not_answered_stands_in_the_evidence",
    "nothing-heard": f"{HUB}/test_outcome.py::test_sound_that_never_was_is_not_heard",
    "interrupted": f"{HUB}/test_director.py::test_what_is_cut_too_often_ends",
    "no-output": f"{HUB}/test_player.py::test_an_audience_that_is_not_here_is_no_output",
    "audio-output-failed": f"{HUB}/test_sound.py::test_an_output_that_stays_broken_is_the_trouble",
    "stopped": f"{ORDERS}::test_a_stop_ends_what_is_on_air_within_a_second",
    "purged": f"{ORDERS}::test_a_purge_ends_what_waits_and_what_is_on_air",
    "silenced": f"{ORDERS}::test_what_waits_in_silence_ends_with_the_reason",
    "declined": f"{ORDERS}::test_the_ward_declines_a_normal_bulletin",
    "time-step-too-large": f"{HUB}/test_keeper.py::test_beats_of_another_time_are_refused_and_are_no_source",
    "sequence-too-far": f"{INTAKE}::test_one_key_cannot_use_up_all_the_numbers_of_its_issuer",
    "stream-key-missing": f"{ORDERS}::test_a_stream_whose_key_this_hub_cannot_have_is_refused",
    "stream-lost": f"{HUB}/test_live.py::test_where_nobody_speaks_is_said",
    "beat-frozen": f"{FRESHNESS}::test_a_beat_that_stands_still_is_an_alarm_and_its_end_is_told",
    "beat-rolled-back": f"{FRESHNESS}::test_a_source_that_shows_less_than_before_is_an_alarm",
    "source-silent": f"{FRESHNESS}::test_an_hour_without_a_beat_is_an_alarm",
    "clock-stepped": f"{FRESHNESS}::test_a_clock_that_was_moved_away_is_an_alarm_until_it_is_put_right",
    "time-step-refused": f"{FRESHNESS}::test_a_time_that_no_nonce_makes_believable_is_an_alarm_at_once",
    "configuration-changed": f"{ORDERS}::test_settings_are_taken_kept_and_lie_over_the_file",
    "break-glass-used": f"{HUB}/test_break_glass.py::test_it_stands_until_it_is_cleared_and_is_told_once",
    "expiring": f"{HUB}/test_expiry.py::test_while_anything_ends_the_alarm_stands",
    "lan-abused": f"{HUB}/test_ways.py::test_a_flood_over_the_network_is_an_alarm_until_it_ends",
    "output-tampered": f"{HUB}/test_tampering.py::test_each_is_an_entry_and_all_of_them_are_one_alarm",
    "output-tripped": f"{HUB}/test_amplifier_alarm.py::test_it_stands_while_any_amplifier_shows_one_and_is_told_once",
    "output-stuck": f"{HUB}/test_amplifier_alarm.py::test_each_alarm_is_its_own",
}


@cache
def named_in(file: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The tests of a file, by name."""
    body = ast.parse((TOP / file).read_text(encoding="utf-8")).body
    functions = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {one.name: one for one in functions if one.name.startswith("test_")}


@cache
def aliases(file: str) -> dict[str, str]:
    """Names that a file gives to reasons, such as ``USED = Reason.BREAK_GLASS_USED``, and the reasons."""
    source = (TOP / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+)(?:: Final)? = Reason\.(\w+)$", source, re.MULTILINE))


def checked(file: str, test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The reasons that a test of a file names where it compares, asserts, or is parametrised."""
    for part in [*test.decorator_list, *(one for one in ast.walk(test) if isinstance(one, ast.Assert | ast.Compare))]:
        for one in ast.walk(part):
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Reason":
                yield one.attr
            elif isinstance(one, ast.Name) and one.id in aliases(file):
                yield aliases(file)[one.id]


def test_each_reason_names_its_test() -> None:
    listed = {row[1] for row in table_after("docs/protocol.md", "reasons")}
    assert set(TRIGGERS) == {one.word for one in Reason} == listed


@pytest.mark.parametrize("reason", list(Reason), ids=lambda one: one.word)
def test_that_test_is_there_and_asserts_exactly_that_reason(reason: Reason) -> None:
    file, _, name = TRIGGERS[reason.word].partition("::")
    assert name in named_in(file), f"there is no {TRIGGERS[reason.word]}"
    assert reason.name in set(checked(file, named_in(file)[name])), (
        f"{TRIGGERS[reason.word]} does not assert {reason.word}"
    )
