"""What can go wrong with attached hardware, split by who is at fault.

Every message names the device, the operation, the attempt where there were several, what happened, and what
to do.
"""

from __future__ import annotations


class HardwareError(Exception):
    """Base of everything this package raises on purpose.

    ``device`` is the configured name, ``operation`` the verb that failed, ``problem`` what was seen,
    ``remedy`` what a technician can do about it.
    """

    def __init__(self, device: str, operation: str, problem: str, *, remedy: str, attempt: int | None = None) -> None:
        self.device = device
        self.operation = operation
        self.problem = problem
        self.remedy = remedy
        self.attempt = attempt
        tried = "" if attempt is None else f" (attempt {attempt})"
        super().__init__(f"{device}: {operation}{tried}: {problem}; {remedy}")


class MisuseError(HardwareError):
    """We asked for something that cannot be: a relay that is not there, a profile with an unknown key."""


class PeerError(HardwareError):
    """The device answered, and the answer is an exception or nonsense.

    ``code`` is the device's own status or exception code, where there was one.
    """

    def __init__(
        self,
        device: str,
        operation: str,
        problem: str,
        *,
        remedy: str,
        attempt: int | None = None,
        code: int | None = None,
    ) -> None:
        super().__init__(device, operation, problem, remedy=remedy, attempt=attempt)
        self.code = code


class WrongController(PeerError):
    """A controller answered that is not the one which has that number: its relays are others."""


class LinkError(HardwareError):
    """The line between us is silent, damaged or unplugged; the state of the device is unknown."""


class LinkTimeout(LinkError, TimeoutError):
    """No whole answer came before the deadline."""


class Unconfirmed(HardwareError):
    """An order was given, its effect could not be read back: outputs are unknown and count as unsafe."""


class Superseded(HardwareError):
    """A newer order for the same device took over before this one was complete; the newer one stands."""
