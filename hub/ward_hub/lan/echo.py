"""Echo: makes a peer show that it hears what is sent to its address, without remembering that it was asked.

A value is the time and a code over time and address with a secret of this start, so it proves itself; nothing is kept
for an address that was never heard to answer. It is good for `LIFE_S`. Pure: times are arguments, in seconds.
Ref: RFC 9175 §2.3 (processing), §2.4 (against spoofed addresses), appendix A (a timestamp with integrity protection).
"""

from __future__ import annotations

import hmac

LIFE_S = 60.0
SECRET_SIZE = 32
TIME_SIZE, CODE_SIZE = 4, 8
TIMES = 1 << 8 * TIME_SIZE


class Echo:
    """Makes and checks values with `secret`, 32 random bytes that nobody else knows."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def value(self, address: str, now: float) -> bytes:
        """Return a fresh value for the peer at `address`."""
        moment = (int(now) % TIMES).to_bytes(TIME_SIZE, "big")
        return moment + self._code(moment, address)

    def fresh(self, value: bytes, address: str, now: float) -> bool:
        """Say whether `value` was made for that address not longer ago than `LIFE_S`."""
        moment = value[:TIME_SIZE]
        if not hmac.compare_digest(value[TIME_SIZE:], self._code(moment, address)):
            return False
        age = (int(now) - int.from_bytes(moment, "big")) % TIMES
        return age <= LIFE_S

    def _code(self, moment: bytes, address: str) -> bytes:
        return hmac.digest(self._secret, moment + address.encode(), "sha256")[:CODE_SIZE]
