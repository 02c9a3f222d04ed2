"""The hub's end of its channel in the state directory: what enrolment leaves there, and what is refused."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from tests.statements import ADMISSION, AREA, GRANT_KEY, GRANTS, NOW, SIGNER, SOURCE_CHANNEL, channel_key

from ward_hub.channel import ADMISSION as ANSWER
from ward_hub.channel import FOLDER, NAMED_BY, hub_end, install, installed, keep_key, read_key, write_key
from ward_hub.errors import NotWritten, StateError
from ward_hub.identity import write_key as write_signing_key
from ward_protocol.channel import ChannelKey, agree
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Admission, Enrolment


def requested(state: Path, key: ChannelKey | None = None) -> tuple[ChannelKey, bytes]:
    """Do what `wardhub enrol request` does; return the key and the request's digest."""
    key = key or ChannelKey.generate()
    digest = Envelope.open(sign(Enrolment("hub-1", AREA, SIGNER.public.raw, key.public, NOW), [SIGNER])).digest
    keep_key(state, digest, key)
    return key, digest


def answered(request: bytes) -> Admission:
    return replace(ADMISSION, request=request)


def enrolled(state: Path) -> tuple[ChannelKey, Admission]:
    key, digest = requested(state)
    admission = answered(digest)
    install(state, sign(admission, [GRANT_KEY]), admission)
    return key, admission


def files(state: Path) -> list[str]:
    return sorted(str(one.relative_to(state)) for one in state.rglob("*") if one.is_file())


async def test_a_hub_is_enrolled_and_has_what_its_source_has(tmp_path: Path) -> None:
    key, admission = enrolled(tmp_path)
    for protected in (None, True):
        end = installed(tmp_path, "hub-1", protected=protected)
        assert end is not None
        there = agree(SOURCE_CHANNEL, "hub-1", key.public, SOURCE_CHANNEL.public, admission.request)
        assert end.agreement == there
    assert end is not None
    assert await end.numbers.take() == 0
    name = f"{FOLDER}/{admission.request.hex()[:NAMED_BY]}.pem"
    assert files(tmp_path) == [ANSWER, name, f"{name}.numbers"]
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700
    assert {stat.S_IMODE((tmp_path / one).stat().st_mode) for one in files(tmp_path)} == {0o600}


def test_a_hub_that_was_never_enrolled_has_no_channel(tmp_path: Path) -> None:
    requested(tmp_path)
    assert installed(tmp_path, "hub-1", protected=None) is None
    assert installed(tmp_path, "hub-1", protected=False) is None
    with pytest.raises(StateError, match=r"admission\.cose: .* cannot be read: No such file .*; enrol again"):
        installed(tmp_path, "hub-1", protected=True)


def test_a_hub_that_is_told_to_go_without_goes_without(tmp_path: Path) -> None:
    enrolled(tmp_path)
    assert installed(tmp_path, "hub-1", protected=False) is None


@pytest.mark.parametrize("protected", [None, True])
@pytest.mark.parametrize("content", [b"", b"\0" * 100, sign(GRANTS, [GRANT_KEY]), b"cut"])
def test_an_answer_that_is_damaged_is_not_taken_for_none(
    tmp_path: Path, content: bytes, protected: bool | None
) -> None:
    enrolled(tmp_path)
    (tmp_path / ANSWER).write_bytes(content)
    with pytest.raises(StateError, match="enrol again: `wardhub enrol request`"):
        installed(tmp_path, "hub-1", protected=protected)


def test_an_answer_to_another_hub_is_not_used(tmp_path: Path) -> None:
    enrolled(tmp_path)
    with pytest.raises(StateError, match="not the answer to hub hub-2"):
        installed(tmp_path, "hub-2", protected=None)


@pytest.mark.parametrize("damage", ["key gone", "count gone", "count torn", "key of another", "a key that signs"])
def test_a_key_or_a_count_that_is_not_right_is_not_used(tmp_path: Path, damage: str) -> None:
    _, admission = enrolled(tmp_path)
    key = tmp_path / FOLDER / f"{admission.request.hex()[:NAMED_BY]}.pem"
    count = key.with_name(key.name + ".numbers")
    match damage:
        case "key gone":
            key.unlink()
        case "count gone":
            count.unlink()
        case "count torn":
            count.write_bytes(count.read_bytes()[:-5])
        case "key of another":
            key.unlink()
            count.rename(count.with_suffix(".old"))
            write_key(key, channel_key(9))
            count.with_suffix(".old").rename(count)
        case _:
            key.unlink()
            write_signing_key(key, SIGNER)
    with pytest.raises(StateError, match=r"cannot be read|enrol again"):
        installed(tmp_path, "hub-1", protected=None)


def test_a_key_that_others_could_read_is_not_used(tmp_path: Path) -> None:
    _, admission = enrolled(tmp_path)
    (tmp_path / FOLDER / f"{admission.request.hex()[:NAMED_BY]}.pem").chmod(0o640)
    with pytest.raises(StateError, match="others could read this channel's key"):
        installed(tmp_path, "hub-1", protected=None)


def test_an_answer_without_its_key_changes_nothing(tmp_path: Path) -> None:
    key, admission = enrolled(tmp_path)
    before = files(tmp_path)
    other = answered(bytes(32))
    with pytest.raises(StateError, match="cannot be read"):
        install(tmp_path, sign(other, [GRANT_KEY]), other)
    assert files(tmp_path) == before
    assert hub_end(tmp_path, admission).agreement == agree(
        key, "hub-1", key.public, SOURCE_CHANNEL.public, admission.request
    )


async def test_the_same_again_does_not_begin_to_count_again(tmp_path: Path) -> None:
    _, admission = enrolled(tmp_path)
    assert await hub_end(tmp_path, admission).numbers.take() == 0
    install(tmp_path, sign(admission, [GRANT_KEY]), admission)
    assert await hub_end(tmp_path, admission).numbers.take() > 0


async def test_enrolled_again_it_has_another_channel_and_the_old_key_is_gone(tmp_path: Path) -> None:
    old, first = enrolled(tmp_path)
    requested(tmp_path)  # one that is never answered
    assert hub_end(tmp_path, first).agreement.context  # and goes on with the old until the answer is there
    new, second = enrolled(tmp_path)
    assert old.public != new.public
    end = installed(tmp_path, "hub-1", protected=None)
    assert end is not None
    assert await end.numbers.take() == 0
    assert len(list((tmp_path / FOLDER).iterdir())) == 2
    with pytest.raises(StateError):
        hub_end(tmp_path, first)
    assert hub_end(tmp_path, second).agreement == end.agreement


def test_a_source_whose_key_is_the_hubs_own_is_refused(tmp_path: Path) -> None:
    key, digest = requested(tmp_path)
    with pytest.raises(StateError, match="between two other keys"):
        hub_end(tmp_path, replace(ADMISSION, request=digest, channel=key.public))


def test_a_key_is_never_overwritten_and_neither_is_its_count(tmp_path: Path) -> None:
    write_key(tmp_path / "key", channel_key(1))
    with pytest.raises(NotWritten, match="never overwritten"):
        write_key(tmp_path / "key", channel_key(2))
    assert read_key(tmp_path / "key") == channel_key(1)
    (tmp_path / "key").unlink()
    with pytest.raises(NotWritten, match=r"key\.numbers: cannot be written: File exists"):
        write_key(tmp_path / "key", channel_key(2))


def test_a_state_directory_that_is_no_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("x")
    with pytest.raises(NotWritten, match="cannot be made"):
        requested(tmp_path / "state")
