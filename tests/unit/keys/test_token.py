"""What a token's key does with a device that is slow, hangs, fails or locks; the device is a simple object here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from pkcs11 import TokenFlag
from tests.statements import SIGNER, STRANGER

from ward_hub.errors import PinRefused, StateError, TokenError
from ward_hub.keys import token as module
from ward_hub.keys.cryptoki import need_tries_left
from ward_hub.keys.token import OneThread, Token
from ward_hub.keys.uri import TokenUri
from ward_protocol.keys import PublicKey, Signer

URI = TokenUri.parse("pkcs11:token=ward;object=hub?module-path=/lib.so&pin-source=file:/etc/pin")
LONG_S = 60.0  # a hang guard
SHORT_S = 0.05  # a deadline that is to pass


@dataclass
class FakeDevice:
    """A device with the key `signer` and the PIN `right`; `trouble` runs before it signs."""

    signer: Signer = SIGNER
    right: str = "1234"
    trouble: Callable[[], None] = lambda: None
    uri: TokenUri = URI
    done: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def log_in(self, pin: str) -> PublicKey:
        self.threads.add(threading.current_thread().name)
        self.done.append(f"log in {pin}")
        if pin != self.right:
            raise PinRefused("refused")
        return self.signer.public

    def sign(self, message: bytes, public: PublicKey) -> bytes:
        self.threads.add(threading.current_thread().name)
        self.done.append("sign")
        self.trouble()
        return self.signer.sign(message)

    def close(self) -> None:
        self.done.append("close")

    def forget(self) -> None:
        self.done.append("forget")


@dataclass
class Fails:
    """Trouble for as often as `times`."""

    times: int
    error: Exception = field(default_factory=lambda: TokenError("gone"))

    def __call__(self) -> None:
        if self.times:
            self.times -= 1
            raise self.error


@contextmanager
def hung(device: FakeDevice) -> Iterator[threading.Event]:
    """Let the device hang while it signs, until the event is set; it is, at the end."""
    released = threading.Event()
    device.trouble = lambda: None if released.wait(LONG_S) else pytest.fail("nobody released it")
    try:
        yield released
    finally:
        released.set()


def token(device: FakeDevice, pins: list[str] | None = None, deadline_s: float = LONG_S) -> Token:
    """A token whose PIN's file holds each of `pins` once, the last for good."""
    left = pins or ["1234"]
    return Token(device, lambda: left.pop(0) if len(left) > 1 else left[0], deadline_s)


def test_it_signs_as_its_key() -> None:
    device = FakeDevice()
    with token(device) as key:
        assert key.public == SIGNER.public
        assert SIGNER.public.verifies(key.sign(b"message"), b"message")
    assert device.done == ["log in 1234", "sign", "close"]


def test_everything_happens_in_one_thread_of_its_own() -> None:
    device = FakeDevice()
    with token(device) as key:
        key.sign(b"message")
        other = threading.Thread(target=lambda: key.sign(b"message"))
        other.start()
        other.join()
    assert device.threads == {"token ward"}


def test_after_a_failure_it_begins_anew() -> None:
    device = FakeDevice(trouble=Fails(2))
    with token(device) as key:
        for _ in range(2):
            with pytest.raises(TokenError, match="gone"):
                key.sign(b"message")
        assert SIGNER.public.verifies(key.sign(b"message"), b"message")
    begun = ["sign", "close", "forget", "log in 1234"]
    assert device.done == ["log in 1234", *begun, *begun, "sign", "close"]


def test_a_pin_that_cannot_be_read_is_said_and_read_again() -> None:
    device, answers = FakeDevice(trouble=Fails(1)), iter(["1234", None, "1234"])

    def pin() -> str:
        answer = next(answers)
        if answer is None:
            raise StateError("pin: cannot be read")
        return answer

    with Token(device, pin, LONG_S) as key:
        for words in ("gone", "cannot be read"):
            with pytest.raises((TokenError, StateError), match=words):
                key.sign(b"message")
        assert key.sign(b"message")


def test_another_key_in_its_place_signs_nothing() -> None:
    device = FakeDevice(trouble=Fails(1))
    with token(device) as key:
        with pytest.raises(TokenError, match="gone"):
            key.sign(b"message")
        device.signer = STRANGER
        for _ in range(2):
            with pytest.raises(TokenError, match="another key is in its place"):
                key.sign(b"message")
        assert device.done.count("sign") == 1
        device.signer = SIGNER
        assert SIGNER.public.verifies(key.sign(b"message"), b"message")


def test_a_refused_pin_is_not_tried_again() -> None:
    device = FakeDevice()
    with pytest.raises(PinRefused):
        token(device, ["0000"])
    assert device.done == ["log in 0000", "close"]
    device = FakeDevice(trouble=Fails(1))
    with token(device, ["1234", "0000", "0000", "0000", "1234"]) as key:
        for words in ("gone", "refused", "still stands in /etc/pin", "still stands in /etc/pin"):
            with pytest.raises(TokenError, match=words):
                key.sign(b"message")
        assert key.sign(b"message")
    assert device.done.count("log in 0000") == 1


def test_one_that_does_not_answer_keeps_nobody_waiting() -> None:
    device = FakeDevice()
    with hung(device) as released, token(device, deadline_s=SHORT_S) as key:
        for _ in range(3):  # the first is in the device, the others are not even given to it
            with pytest.raises(TokenError, match=r"token ward, key hub: no answer within 0.05 s: look at the token"):
                key.sign(b"message")
        assert device.done == ["log in 1234", "sign"]
        released.set()


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    device = FakeDevice()
    with hung(device) as released:
        key = token(device, deadline_s=SHORT_S)
        with pytest.raises(TokenError):
            key.sign(b"first")
        released.set()
        device.trouble = lambda: None
        key._deadline_s = LONG_S
        assert key._thread._last is not None
        wait([key._thread._last], LONG_S)
        assert SIGNER.public.verifies(key.sign(b"second"), b"second")
        key.close()


def test_one_that_hangs_at_the_end_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    device = FakeDevice()
    with hung(device):
        key = token(device, deadline_s=SHORT_S)
        with pytest.raises(TokenError):
            key.sign(b"message")
        key.close()
        assert "it does not answer, and was not logged out" in caplog.text


def test_a_slow_one_is_told_in_the_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.WARNING)
    with token(FakeDevice()) as key:
        key.sign(b"message")
        assert caplog.text == ""
        monkeypatch.setattr(module, "SLOW_S", -1.0)
        key.sign(b"message")
    assert "token ward, key hub: it took 0.0 s to sign" in caplog.text


def test_a_failed_start_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with pytest.raises(PinRefused):
        token(FakeDevice(), ["0000"])
    assert threading.active_count() == before


# The thread


def test_a_call_s_error_is_its_caller_s() -> None:
    thread = OneThread("test")
    with pytest.raises(ZeroDivisionError):
        thread.do(lambda: 1 // 0, LONG_S)
    assert thread.do(lambda: 5, LONG_S) == 5
    thread.close()


# Locking


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (TokenFlag.USER_PIN_LOCKED, "its PIN is locked: its security officer must set a new one"),
        (TokenFlag.USER_PIN_FINAL_TRY, "one more wrong PIN would lock it, so none is tried"),
        (TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_COUNT_LOW, "one more wrong PIN would lock it"),
    ],
)
def test_the_last_try_is_a_person_s(flags: TokenFlag, words: str) -> None:
    with pytest.raises(PinRefused, match=words):
        need_tries_left(URI, flags)
    need_tries_left(URI, TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_COUNT_LOW)
