"""Too hot, too much current, too little supply: when a measured value opens the relays, and when it lets them be.

A limit of 0 switches that trip off. A value must be beyond its limit in every reading for HOLD_MS, so that
neither the inrush of a supply nor one wrong reading trips; afterwards it must come back by a margin, else a
value at the limit would open and close relays all day.
"""

HOLD_MS = 300
TEMPERATURE_BACK_DC = 100
"""How far below its limit the temperature must be before relays may close again: 10.0 degC."""


class Limit:
    """One watched value: `active` from when it has been beyond its limit for HOLD_MS until it is back."""

    def __init__(self) -> None:
        self.active = False
        self._beyond = False
        self._since_ms = 0

    def judge(self, beyond: bool, back: bool, ms: int) -> bool:
        """Take a reading; True at the moment when it trips."""
        if self.active:
            self.active = not back
            self._beyond = False
            return False
        if not beyond or not self._beyond:
            self._since_ms = ms
        self._beyond = beyond
        self.active = beyond and ms - self._since_ms >= HOLD_MS
        return self.active


class Guard:
    """The three limits of an amplifier; `readings` are the ones last taken."""

    def __init__(self) -> None:
        self.over_temperature = Limit()
        self.over_current = Limit()
        self.under_voltage = Limit()

    @property
    def active(self) -> bool:
        """Whether any cause lasts: no relay may close."""
        return self.over_temperature.active or self.over_current.active or self.under_voltage.active

    def temperature(self, value_dc: int, limit_dc: int, ms: int) -> bool:
        """True at the moment when it is too hot."""
        back = not limit_dc or value_dc <= limit_dc - TEMPERATURE_BACK_DC
        return self.over_temperature.judge(limit_dc > 0 and value_dc >= limit_dc, back, ms)

    def current(self, value_ma: int, limit_ma: int, ms: int) -> bool:
        """True at the moment when too much flows."""
        back = not limit_ma or value_ma < limit_ma - limit_ma // 8
        return self.over_current.judge(limit_ma > 0 and value_ma >= limit_ma, back, ms)

    def voltage(self, value_cv: int, least_cv: int, expected: bool, ms: int) -> bool:
        """True at the moment when the supply is too low, while it is `expected` to be there at all."""
        low = expected and value_cv < least_cv
        return self.under_voltage.judge(low, not low, ms)
