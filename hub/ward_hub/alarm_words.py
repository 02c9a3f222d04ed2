"""How an alarm shows: a code with its values, kept and handed on as such, and a sentence only for whoever reads it.

The journal keeps the codes; log, audit trail and receipts hold the sentence in English, people at the hub get theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ward_hub.i18n import SOURCE_LANGUAGE, translator
from ward_protocol.cbor import is_array, is_map


class Code(StrEnum):
    """What an alarm's detail says; the values of each are those that its sentence names."""

    NO_BEAT = "no-beat"
    OLD_BEAT = "old-beat"
    NO_BEAT_COUNTS = "no-beat-counts"
    NO_NONCE = "no-nonce"
    VERSIONS_BEHIND = "versions-behind"
    HEAD_BEHIND = "head-behind"
    AHEAD_PROVEN = "ahead-proven"
    AHEAD_UNPROVEN = "ahead-unproven"
    CLOCK_FORWARD = "clock-forward"
    CLOCK_BACK = "clock-back"
    NTP_OFF = "ntp-off"
    CHANGED_AT_START = "changed-at-start"
    SET_BY_ORDER = "set-by-order"
    SEALED_KEY_USED = "sealed-key-used"
    ROOT_ENDS = "root-ends"
    ROOT_ENDED = "root-ended"
    GRANTS_ENDS = "grants-ends"
    GRANTS_ENDED = "grants-ended"
    AUTHORITY_ENDS = "authority-ends"
    AUTHORITY_ENDED = "authority-ended"
    MORE_END = "more-end"
    REFUSED = "refused"
    RELAYS_CLOSED = "relays-closed"
    RELAYS_FELL_OPEN = "relays-fell-open"
    ANOTHER_ANSWERS = "another-answers"
    BOARD_NOT_DARK = "board-not-dark"
    BOARD_SHOWS_OTHER = "board-shows-other"
    TOO_HOT = "too-hot"
    TOO_MUCH_CURRENT = "too-much-current"
    SUPPLY_TOO_LOW = "supply-too-low"
    ON_TOO_LONG = "on-too-long"
    SUPPLY_STAYS = "supply-stays"
    NO_SUPPLY = "no-supply"
    TEXT = "text"
    """`text` as an earlier version of the hub kept it: English."""


Value = str | int | list[int] | list[str]


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that an alarm shows: a code, and the values by their names, with units in them (`_s`, `_days`)."""

    code: Code
    values: Mapping[str, Value]

    def __str__(self) -> str:
        """Return it as an English sentence, for log, audit trail and receipts."""
        return detail_in_words(self.as_json(), SOURCE_LANGUAGE)

    def as_json(self) -> dict[str, Value]:
        """Return it as the control socket has it."""
        return {"code": self.code.value, **self.values}


def detail(code: Code, **values: Value) -> Detail:
    """Return a detail with its values."""
    return Detail(code, values)


def joined(details: Iterable[Detail]) -> str:
    """Return details as one English text."""
    return "; ".join(map(str, details))


def written(details: Iterable[Detail]) -> str:
    """Return details as the journal keeps them."""
    return json.dumps([one.as_json() for one in details], ensure_ascii=False)


def restored(text: str) -> tuple[Detail, ...]:
    """Return what `written` made; any other text, such as an earlier version's sentence, as a detail of itself."""
    try:
        read = json.loads(text)
        return tuple(_detail(one) for one in read)
    except (ValueError, TypeError, KeyError):
        return (detail(Code.TEXT, text=text),)


def detail_in_words(one: Mapping[str, Any], language: str) -> str:
    """Return a detail, as JSON has it, as a sentence; one that a later version knows, with its code and values."""
    _ = translator(language)
    sentence = _sentences(_).get(one["code"])
    values = {name: ", ".join(map(str, value)) if is_array(value) else value for name, value in one.items()}
    if sentence is None:
        return ", ".join(f"{name} {value}" for name, value in values.items())
    return sentence % values


def _detail(read: object) -> Detail:
    if not is_map(read):
        raise TypeError(read)
    values = {str(name): value for name, value in read.items()}
    return Detail(Code(values.pop("code")), values)


def _sentences(_: Callable[[str], str]) -> dict[str, str]:
    return {
        Code.NO_BEAT: _("no beat for over %(over_s)d s"),
        Code.OLD_BEAT: _("the source answers, and the newest beat is %(old_s)d s old"),
        Code.NO_BEAT_COUNTS: _("the source answers, and no beat counts"),
        Code.NO_NONCE: _("beats come, and none holds this hub's nonce: they may be recorded"),
        Code.VERSIONS_BEHIND: _(
            "the beat shows root %(root)d and grants %(grants)d, after root %(last_root)d and grants %(last_grants)d"
        ),
        Code.HEAD_BEHIND: _("the beat shows %(issuer)s/%(head)d, after %(issuer)s/%(last_head)d"),
        Code.AHEAD_PROVEN: _("a beat with this hub's nonce shows a time %(ahead_s)d s ahead"),
        Code.AHEAD_UNPROVEN: _("a beat without this hub's nonce shows a time %(ahead_s)d s ahead"),
        Code.CLOCK_FORWARD: _("the system's clock was moved by %(moved_s)+d s, or the machine slept"),
        Code.CLOCK_BACK: _("the system's clock was moved by %(moved_s)+d s"),
        Code.NTP_OFF: _("NTP is %(off_s)+d s from the source's time"),
        Code.CHANGED_AT_START: _("since the last start: %(changed)s"),
        Code.SET_BY_ORDER: _("order %(order)d of %(issuer)s set: %(settings)s"),
        Code.SEALED_KEY_USED: _("key %(key)s %(times)d times, and nobody cleared it"),
        Code.ROOT_ENDS: _("root %(name)s ends in %(days)d days, on %(day)s: its officers must sign the next root"),
        Code.ROOT_ENDED: _("root %(name)s ended on %(day)s: its officers must sign the next root"),
        Code.GRANTS_ENDS: _("grants %(name)s ends in %(days)d days, on %(day)s: the grant office must sign newer ones"),
        Code.GRANTS_ENDED: _("grants %(name)s ended on %(day)s: the grant office must sign newer ones"),
        Code.AUTHORITY_ENDS: _(
            "authority %(name)s ends in %(days)d days, on %(day)s: the grant office must sign newer grants"
        ),
        Code.AUTHORITY_ENDED: _("authority %(name)s ended on %(day)s: the grant office must sign newer grants"),
        Code.MORE_END: _("and %(count)d more"),
        Code.REFUSED: _("%(count)d %(reason)s in %(within_s)d s"),
        Code.RELAYS_CLOSED: _("amplifier %(amplifier)s: relays %(relays)s were closed without an order"),
        Code.RELAYS_FELL_OPEN: _(
            "amplifier %(amplifier)s: relays were closed without an order, and fell open by themselves"
        ),
        Code.ANOTHER_ANSWERS: _(
            "another controller answers as unit %(unit)d, the number of amplifier %(amplifier)s; nothing is ordered "
            "closed there"
        ),
        Code.BOARD_NOT_DARK: _("board %(board)s showed what this hub did not send, while it was to be dark"),
        Code.BOARD_SHOWS_OTHER: _(
            "board %(board)s showed what this hub did not send, while it was to show something else"
        ),
        Code.TOO_HOT: _("amplifier %(amplifier)s was too hot: %(temperature_c)d °C"),
        Code.TOO_MUCH_CURRENT: _("amplifier %(amplifier)s drew too much current: %(current_ma)d mA"),
        Code.SUPPLY_TOO_LOW: _("amplifier %(amplifier)s had too little supply: %(supply_mv)d mV"),
        Code.ON_TOO_LONG: _("amplifier %(amplifier)s was on for longer than its %(max_on_s)d s"),
        Code.SUPPLY_STAYS: _(
            "amplifier %(amplifier)s has supply, %(supply_mv)d mV, although its supply relay is open: the contact is "
            "welded, or it is fed past it"
        ),
        Code.NO_SUPPLY: _(
            "amplifier %(amplifier)s has no supply, %(supply_mv)d mV, although its supply relay is closed: look at the "
            "contact, the fuse and the mains"
        ),
        Code.TEXT: "%(text)s",
    }
