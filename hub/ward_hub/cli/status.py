"""`wardhub status`: what the running agent knows."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ward_hub.alarm_words import detail_in_words
from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.drills import mark
from ward_hub.cli.held import line
from ward_hub.control import ask
from ward_hub.device_words import amplifier_in_words, board_in_words
from ward_hub.i18n import translator
from ward_hub.line_words import bus_in_lines

SUMMARY = (
    "say what the running agent knows: the time and why, alarms, the source, what is on air and held, outputs and buses"
)
Words = Callable[[str], str]


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """Print the agent's status, a line for each thing known."""
    known = ask(state_of(chosen), "status")
    return tell(chosen, known, lines(known, chosen.lang))


def lines(known: Mapping[str, Any], language: str) -> Iterator[str]:
    """Give the status as lines for a person."""
    _ = translator(language)
    yield _("Time: %(time)s UTC. Trust: %(trust)s") % {
        "time": _time(known["time"]),
        "trust": _trust(known["time_trust"], _),
    }
    for one in why(known["clock"], _):
        yield f"  - {one}"
    yield _("Alarms: %d") % len(known["alarms"])
    for one in known["alarms"]:
        what, since = alarm(one["alarm"], _), _time(one["since"])
        yield "  - " + _("%(what)s, since %(since)s UTC (%(word)s: %(detail)s)") % {
            "what": what,
            "since": since,
            "word": one["alarm"],
            "detail": "; ".join(detail_in_words(each, language) for each in one["details"]),
        }
    yield _("Source: %s") % _source(known["source"], _)
    yield _("Root: %(root)s. Grants: %(grants)s") % {"root": known["root"], "grants": known["grants"] or "-"}
    on_air = known["on_air"]
    title = "-" if on_air is None else f"{on_air['id'][:16]} {mark(on_air['status'], language)}{on_air['title']}"
    yield _("On air: %s") % title
    for one in known["held"]:
        yield line(one, language)
    yield _("To air or on air: %d. Receipts that wait: %d") % (known["queued"], known["receipts_waiting"])
    yield _("Receipts: %s") % _receipts(known["receipts"], _)
    lan, bundle = known["lan"], known["bundle"]
    yield _("Local network: %s") % (_("listening at %(host)s, port %(port)d") % lan if lan else "-")
    yield _("Last bundle from a stick: %s") % (_bundle(bundle, _) if bundle else "-")
    yield from _devices(_("Amplifiers:"), [amplifier_in_words(one, language) for one in known["amplifiers"]])
    yield from _devices(_("Boards:"), [board_in_words(one, language) for one in known["boards"]])
    for bus in known["buses"]:
        yield from bus_in_lines(bus, language)


def why(clock: Mapping[str, Any], _: Words) -> Iterator[str]:
    """Give what the time stands on, a sentence for each."""
    proven, beat = clock["proven_ago_s"], clock["beat_ago_s"]
    if proven is None:
        yield _("The source has not proven its time since the start, or since this machine slept.")
    else:
        yield _("The source proved its time with this hub's nonce, %s ago.") % age(proven, _)
    if beat is None:
        yield _("No beat that counts has come since the start.")
    else:
        yield _("The last beat came %(ago)s ago; the newest is %(behind)s behind this time.") % {
            "ago": age(beat, _),
            "behind": age(max(0, clock["beat_behind_s"]), _),
        }
    yield _ntp(clock, _)
    if clock["rtc"]:
        counted = clock["rtc_counted_ago_s"]
        if counted is None:
            yield _("The clock with a battery does not count.")
        else:
            yield _("The clock with a battery was taken %s ago.") % age(counted, _)
    floor = _("It is certainly later than %(floor)s UTC: %(why)s.")
    yield floor % {"floor": _time(clock["floor"]), "why": _floor(clock["floor_from"], _)}
    if clock["stands_for_s"] > 0:
        yield _("It stands still for %s, until the proven time has reached it.") % age(clock["stands_for_s"], _)
    if clock["not_believed_s"] is not None:
        yield _("The last beat was %s ahead and was not believed.") % age(clock["not_believed_s"], _)


def alarm(word: str, _: Words) -> str:
    """Return what an alarm means, the bare word where nobody wrote more."""
    return {
        "beat-frozen": _("The source's beat is not of now"),
        "beat-rolled-back": _("The source shows an older state than before"),
        "source-silent": _("The source is silent"),
        "clock-stepped": _("This machine's clock was moved, or NTP contradicts the source"),
        "time-step-refused": _("The source shows a time that is not believed"),
        "configuration-changed": _("The configuration was changed"),
        "break-glass-used": _("The sealed key was used"),
        "expiring": _("Documents of trust end soon, or have ended"),
        "lan-abused": _("Somebody on the local network abuses this hub"),
        "output-tampered": _("Somebody else switched an output of this hub"),
        "output-tripped": _("An amplifier's controller opened its relays to protect it"),
        "output-stuck": _("An amplifier's supply does not follow its relay"),
    }.get(word, word)


def age(seconds: int, _: Words) -> str:
    """Return a span in the unit that a person would choose."""
    if seconds < 120:
        return _("%d s") % seconds
    if seconds < 7200:
        return _("%d min") % (seconds // 60)
    if seconds < 172_800:
        return _("%d h") % (seconds // 3600)
    return _("%d days") % (seconds // 86_400)


def _ntp(clock: Mapping[str, Any], _: Words) -> str:
    if clock["ntp"] == "unknown":
        return _("Nobody says whether NTP keeps this machine's clock, so that does not count.")
    if clock["ntp"] == "unsynchronised":
        return _("NTP does not keep this machine's clock, so that does not count.")
    counted = clock["ntp_counted_ago_s"]
    if counted is None or counted > 60:
        off = int(clock["system_off_s"])
        return _("NTP keeps this machine's clock, but that is %+d s from what is known, so it does not count.") % off
    return _("NTP keeps this machine's clock, and it agrees.")


def _trust(word: str, _: Words) -> str:
    return {
        "none": _("none: nothing since the start says what time it is; only emergencies air, each once"),
        "coarse": _("coarse: it is at least so late"),
        "good": _("good"),
    }[word]


def _floor(word: str, _: Words) -> str:
    return {
        "release": _("this software was made then"),
        "kept": _("the journal kept it from the last run"),
        "beat": _("the newest beat shows it"),
        "root": _("the root that took a beat key away was issued then"),
    }[word]


def _source(word: str, _: Words) -> str:
    return {"down": _("does not answer"), "observing": _("answers"), "polling": _("answers when asked")}[word]


def _receipts(words: str, _: Words) -> str:
    word, between, why_not = words.partition(": ")
    said = {"protected": _("protected"), "open": _("open"), "kept here": _("kept here")}.get(word, word)
    return f"{said}{between}{why_not}"


def _bundle(bundle: Mapping[str, Any], _: Words) -> str:
    told = _("%(path)s, %(accepted)d accepted, %(refused)d refused, %(recordings)d recordings") % bundle
    return told + (f" ({bundle['trouble']})" if bundle["trouble"] else "")


def _devices(title: str, told: Sequence[str]) -> Iterator[str]:
    yield title if told else f"{title} -"
    yield from (f"  {one}" for one in told)


def _time(iso: str) -> str:
    return iso.removesuffix("+00:00").replace("T", " ")
