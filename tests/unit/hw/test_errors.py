"""Errors: who is at fault, and a message that names device, operation, attempt and what to do."""

from __future__ import annotations

import pytest

from ward_hw import errors


def test_the_message_says_everything() -> None:
    error = errors.LinkTimeout("amp-1", "read", "silence", remedy="check power", attempt=2)
    assert str(error) == "amp-1: read (attempt 2): silence; check power"


def test_a_time_out_is_both_a_link_error_and_a_time_out() -> None:
    error = errors.LinkTimeout("amp-1", "read", "silence", remedy="check power")
    assert isinstance(error, errors.LinkError)
    assert isinstance(error, TimeoutError)
    assert error.remedy == "check power"


@pytest.mark.parametrize(
    "kind", [errors.MisuseError, errors.PeerError, errors.LinkError, errors.Unconfirmed, errors.Superseded]
)
def test_every_error_has_one_base(kind: type[errors.HardwareError]) -> None:
    assert isinstance(kind("d", "o", "p", remedy="r"), errors.HardwareError)


def test_an_unconfirmed_order_is_neither_the_links_nor_the_peers_fault() -> None:
    error = errors.Unconfirmed("d", "o", "p", remedy="r")
    assert not isinstance(error, errors.LinkError | errors.PeerError)
