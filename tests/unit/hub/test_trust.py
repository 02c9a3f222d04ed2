"""Trust: the first root signs itself, the next is exactly N + 1 by both thresholds, roles and versions hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.statements import BEAT, BEAT_KEY, BULLETIN, GRANT_KEY, GRANTS, NOW, ROOT, ROOT_KEY, SIGNER, STRANGER, signer

from ward_hub.trust import Trust, drops_a_beat_key, public_keys
from ward_protocol.envelope import sign
from ward_protocol.errors import StatementError
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.statements import Role, RoleKeys, Root

OLD = [signer(number) for number in (21, 22, 23)]
NEW = [signer(number) for number in (31, 32, 33)]


def root(version: int, holders: Sequence[Signer], threshold: int) -> Root:
    """A root whose root role is held by `holders`; the other roles as ever."""
    listed = {one.kid: one.public.raw for one in (*holders, GRANT_KEY, BEAT_KEY)}
    holds = RoleKeys(threshold, tuple(one.kid for one in holders))
    return replace(ROOT, version=version, keys=listed, roles={**ROOT.roles, Role.ROOT: holds})


def trust() -> Trust:
    return Trust.from_first_root(sign(ROOT, [ROOT_KEY]))


def old_trust() -> Trust:
    return Trust.from_first_root(sign(root(1, OLD, 2), OLD))


def refusal(error: pytest.ExceptionInfo[StatementError]) -> Reason:
    return error.value.reason


# The first root


def test_a_first_root_is_signed_by_its_own_threshold() -> None:
    assert trust().root == ROOT
    assert old_trust().root.version == 1


@pytest.mark.parametrize(
    ("signers", "reason"),
    [
        ([STRANGER], Reason.UNKNOWN_KEY),
        ([GRANT_KEY, BEAT_KEY], Reason.UNKNOWN_KEY),
        (OLD[:1], Reason.THRESHOLD_NOT_MET),
        ([OLD[0], STRANGER], Reason.THRESHOLD_NOT_MET),
    ],
)
def test_a_first_root_by_others_is_refused(signers: list[Signer], reason: Reason) -> None:
    with pytest.raises(StatementError) as error:
        Trust.from_first_root(sign(root(1, OLD, 2), signers))
    assert refusal(error) is reason


def test_a_root_whose_beats_would_need_more_signatures_than_a_beat_has_is_refused() -> None:
    beats = RoleKeys(2, (BEAT_KEY.kid, GRANT_KEY.kid))
    with pytest.raises(ValueError, match="a beat has one signature"):
        replace(ROOT, version=2, roles={**ROOT.roles, Role.BEAT: beats})


def test_what_is_no_root_is_refused_by_its_name() -> None:
    with pytest.raises(StatementError, match="a root is needed, not a bulletin") as error:
        Trust.from_first_root(sign(BULLETIN, [ROOT_KEY]))
    assert refusal(error) is Reason.UNKNOWN_TYPE


# The next root


@pytest.mark.parametrize("by", [OLD[:2] + NEW[:2], OLD + NEW, OLD[1:] + NEW[1:]])
def test_the_next_root_is_signed_by_both_thresholds(by: list[Signer]) -> None:
    after = old_trust().with_root(sign(root(2, NEW, 2), by))
    assert after.root == root(2, NEW, 2)


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (OLD, Reason.UNKNOWN_KEY),  # the new root's own keys did not sign
        (NEW, Reason.UNKNOWN_KEY),  # the old ones did not
        (OLD[:1] + NEW, Reason.THRESHOLD_NOT_MET),
        (OLD + NEW[:1], Reason.THRESHOLD_NOT_MET),
        ([GRANT_KEY, BEAT_KEY], Reason.UNKNOWN_KEY),
    ],
)
def test_the_next_root_needs_both_thresholds(by: list[Signer], reason: Reason) -> None:
    before = old_trust()
    with pytest.raises(StatementError) as error:
        before.with_root(sign(root(2, NEW, 2), by))
    assert refusal(error) is reason
    assert before.root.version == 1


@pytest.mark.parametrize("version", [1, 3, 100])
def test_no_version_is_left_out_or_repeated(version: int) -> None:
    with pytest.raises(StatementError, match=f"root {version} after 1") as error:
        old_trust().with_root(sign(root(version, NEW, 2), OLD + NEW))
    assert refusal(error) is Reason.WRONG_VERSION


def test_a_signature_that_does_not_fit_spoils_the_others() -> None:
    data = bytearray(sign(root(2, NEW, 2), OLD + NEW))
    data[-1] ^= 1
    with pytest.raises(StatementError) as error:
        old_trust().with_root(bytes(data))
    assert refusal(error) is Reason.BAD_SIGNATURE


def test_a_key_under_another_keys_name_is_refused() -> None:
    with pytest.raises(StatementError, match="not its thumbprint"):
        public_keys({SIGNER.kid: STRANGER.public.raw})
    swapped = replace(ROOT, keys={**ROOT.keys, ROOT_KEY.kid: STRANGER.public.raw})
    with pytest.raises(StatementError) as error:
        Trust.from_first_root(sign(swapped, [ROOT_KEY]))
    assert refusal(error) is Reason.MALFORMED_STATEMENT


# Grants


def test_grants_are_the_grant_roles() -> None:
    assert trust().with_grants(sign(GRANTS, [GRANT_KEY]), NOW).grants == GRANTS


@pytest.mark.parametrize("by", [ROOT_KEY, BEAT_KEY, SIGNER, STRANGER])
def test_grants_by_another_role_are_refused(by: Signer) -> None:
    with pytest.raises(StatementError) as error:
        trust().with_grants(sign(GRANTS, [by]), NOW)
    assert refusal(error) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("version", [1, 4, 5])
def test_grants_never_go_back(version: int) -> None:
    newest = trust().with_grants(sign(replace(GRANTS, version=5), [GRANT_KEY]), NOW)
    with pytest.raises(StatementError) as error:
        newest.with_grants(sign(replace(GRANTS, version=version), [GRANT_KEY]), NOW)
    assert refusal(error) is Reason.VERSION_ROLLBACK
    assert newest.with_grants(sign(replace(GRANTS, version=9), [GRANT_KEY]), NOW).grants is not None


def test_a_new_root_outlasts_a_thief_of_the_grant_key_whatever_version_was_signed_with_it() -> None:
    endless = trust().with_grants(sign(replace(GRANTS, version=2**53), [GRANT_KEY]), NOW)
    recovered = endless.with_root(sign(replace(ROOT, version=2), [ROOT_KEY]))
    assert recovered.grants == endless.grants  # what is granted stays granted until newer grants come
    renewed = replace(GRANTS, version=2, root_version=2)
    recovered = recovered.with_grants(sign(renewed, [GRANT_KEY]), NOW)
    assert recovered.grants == renewed
    with pytest.raises(StatementError) as error:
        recovered.with_grants(sign(replace(GRANTS, version=2**53), [GRANT_KEY]), NOW)
    assert refusal(error) is Reason.WRONG_VERSION


def test_grants_are_for_the_root_in_force() -> None:
    with pytest.raises(StatementError, match="grants are for root 2") as error:
        trust().with_grants(sign(replace(GRANTS, root_version=2), [GRANT_KEY]), NOW)
    assert refusal(error) is Reason.WRONG_VERSION


def test_expired_grants_are_refused() -> None:
    data = sign(GRANTS, [GRANT_KEY])
    with pytest.raises(StatementError) as error:
        trust().with_grants(data, GRANTS.expires)
    assert refusal(error) is Reason.EXPIRED
    assert trust().with_grants(data, GRANTS.expires - 1).grants == GRANTS


# Beats


def test_a_beat_is_the_beat_roles() -> None:
    after, beat = trust().with_beat(sign(BEAT, [BEAT_KEY]))
    assert after.beat == beat == BEAT


@pytest.mark.parametrize("by", [ROOT_KEY, GRANT_KEY, SIGNER, STRANGER])
def test_a_beat_by_another_role_is_refused(by: Signer) -> None:
    with pytest.raises(StatementError) as error:
        trust().with_beat(sign(BEAT, [by]))
    assert refusal(error) is Reason.UNKNOWN_KEY


def test_beats_never_go_back() -> None:
    after, _ = trust().with_beat(sign(BEAT, [BEAT_KEY]))
    again, _ = after.with_beat(sign(BEAT, [BEAT_KEY]))  # the same may come twice
    with pytest.raises(StatementError) as error:
        again.with_beat(sign(replace(BEAT, time=NOW - 1), [BEAT_KEY]))
    assert refusal(error) is Reason.TIME_WENT_BACK


def with_beat_keys(*numbers: int) -> Root:
    keys = {signer(number).kid: signer(number).public.raw for number in numbers}
    return replace(ROOT, keys={**ROOT.keys, **keys}, roles={**ROOT.roles, Role.BEAT: RoleKeys(1, tuple(keys))})


@pytest.mark.parametrize(
    ("before", "after", "drops"), [((7,), (7, 8), False), ((7, 8), (8,), True), ((7,), (8,), True), ((7,), (7,), False)]
)
def test_only_a_beat_key_that_is_taken_away_puts_its_time_in_doubt(
    before: tuple[int, ...], after: tuple[int, ...], drops: bool
) -> None:
    assert drops_a_beat_key(with_beat_keys(*before), with_beat_keys(*after)) is drops
