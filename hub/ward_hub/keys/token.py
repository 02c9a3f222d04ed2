"""A key on a PKCS#11 token as whatever signs: it never leaves the token, and the token may be slow, gone or locked.

All calls are made in one thread, as the token's library must not be called from two, and nobody waits for it longer
than a deadline: a call into a library cannot be stopped. After a failure the next signature begins anew: library,
token, PIN from its file, key; and it must be the same key. A PIN that was refused is not tried again, as tokens lock
after a few wrong ones.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from ward_hub.errors import ConfigError, HubError, PinRefused, TokenError
from ward_hub.keys.uri import TokenUri
from ward_protocol.keys import PublicKey

if TYPE_CHECKING:
    from ward_hub.keys.cryptoki import Cryptoki

T = TypeVar("T")
log = logging.getLogger(__name__)
SLOW_S = 1.0


def reach(uri: TokenUri) -> Cryptoki:
    """Return the key of `uri` as its library gives it; raises ConfigError without the extra `token`, or the library."""
    try:
        from ward_hub.keys.cryptoki import Cryptoki  # noqa: PLC0415 - the extra `token`: most hubs do without
    except ImportError as error:
        raise ConfigError(f"{uri}: this installation knows no tokens: pip install 'wardhub[token]'") from error
    return Cryptoki(uri)


class Device(Protocol):
    """One key on a token, used by one thread at a time; `cryptoki` says what each does, and raises."""

    @property
    def uri(self) -> TokenUri:
        """Where it is."""
        ...

    def log_in(self, pin: str) -> PublicKey:
        """Have the key ready to sign."""
        ...

    def sign(self, message: bytes, public: PublicKey) -> bytes:
        """Return the signature, which is that of `public`."""
        ...

    def close(self) -> None:
        """Log out."""
        ...

    def forget(self) -> None:
        """Begin anew with the library."""
        ...


class Token:
    """Signs with the key of a device; `pin` is asked at each log-in, and each answer must come within `deadline_s`.

    Raises TokenError, PinRefused or ConfigError where the key cannot be used now.
    """

    def __init__(self, device: Device, pin: Callable[[], str], deadline_s: float) -> None:
        self._device = device
        self._uri = device.uri
        self._pin = pin
        self._deadline_s = deadline_s
        self._refused: str | None = None
        self._ready = False
        self._thread = OneThread(f"token {self._uri.token or self._uri.serial}")
        try:
            self._public = self._do(self._log_in)
        except BaseException:
            self._thread.close()
            raise

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes; raises TokenError, and is good for another try."""
        began = time.monotonic()
        signature = self._do(lambda: self._sign(message))
        took = time.monotonic() - began
        if took > SLOW_S:
            log.warning("%s: it took %.1f s to sign, and everything waits for that", self._uri, took)
        return signature

    def close(self) -> None:
        """Log out, unless the token does not answer."""
        try:
            self._thread.do(self._device.close, self._deadline_s)
        except TimeoutError:
            log.warning("%s: it does not answer, and was not logged out", self._uri)
        self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, call: Callable[[], T]) -> T:
        try:
            return self._thread.do(call, self._deadline_s)
        except TimeoutError as error:
            raise TokenError(
                f"{self._uri}: no answer within {self._deadline_s:g} s: look at the token, plug it in anew"
            ) from error

    def _sign(self, message: bytes) -> bytes:
        if not self._ready:
            self._device.forget()
            if self._log_in() != self._public:
                self._fail()
                raise TokenError(f"{self._uri}: another key is in its place: bring back the token that was there")
        try:
            return self._device.sign(message, self._public)
        except HubError:
            self._fail()
            raise

    def _log_in(self) -> PublicKey:
        pin = self._pin()
        if pin == self._refused:
            raise PinRefused(f"{self._uri}: it refused the PIN that still stands in {self._uri.pin_source}: correct it")
        try:
            public = self._device.log_in(pin)
        except PinRefused:
            self._refused = pin
            self._fail()
            raise
        except HubError:
            self._fail()
            raise
        self._ready = True
        return public

    def _fail(self) -> None:
        self._ready = False
        self._device.close()


class OneThread:
    """Runs calls one after another in a thread of its own, and waits for each only so long.

    The thread may outlive the process's other work, and never keeps it from ending.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._last: Future[Any] | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, call: Callable[[], T], deadline_s: float) -> T:
        """Return what `call` returns; raises TimeoutError where it, or one before it, has not come back in time."""
        if self._last is not None and not self._last.done():
            raise TimeoutError
        future: Future[T] = Future()
        self._last = future
        self._calls.put(lambda: _settle(future, call))
        return future.result(deadline_s)

    def close(self) -> None:
        """Let the thread end as soon as it has nothing to do."""
        self._calls.put(None)
        if self._last is None or self._last.done():
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - whoever waits is told, whatever it is
        future.set_exception(error)
    else:
        future.set_result(result)
