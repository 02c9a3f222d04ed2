"""docs/protocol.md has every answer of a hub's own server, every bound, and the form of a bundle, as in the code."""

from __future__ import annotations

from tests.unit.project.tables import table_after, text

from ward_hub.config import LanSection
from ward_hub.lan import answers, echo, gathering, limits, server, spool
from ward_hub.lan.message import MOST_OPTIONS, Code
from ward_hub.tally import BURST, PER_HOUR, PERIOD_S
from ward_hub.usb.container import MOST, MOST_ITEMS, NAME, Kind

DOC = "docs/protocol.md"
KIB, MIB = 2**10, 2**20


def rate(one: limits.Rate, *, octets: bool = False) -> str:
    if octets:
        return f"{one.burst / MIB:g} MiB at once, {one.each_second / KIB:g} KiB a second"
    return f"{one.burst:g} at once, {one.each_second:g} a second"


def test_every_answer_stands_there_and_no_other() -> None:
    documented = {word.strip() for row in table_after(DOC, "lan") for word in row[0].split(",")}
    answered = {f"{code >> 5}.{code & 31:02}" for code in Code if code >= Code.CREATED}
    assert documented == answered - {"2.05"}, "2.05 is that of the list of resources"


def test_bounds() -> None:
    uploads = spool.Bounds()
    held = f"{uploads.peer.uploads}, of {uploads.peer.octets / MIB:g} MiB"
    assert table_after(DOC, "bounds") == [
        ("datagrams that are read", "", f"{server.READ.each_second:,} a second"),
        (
            "datagrams of peers that are known",
            f"{limits.DATAGRAMS.peer.each_second} a second",
            f"{limits.DATAGRAMS.total.each_second} a second",
        ),
        ("datagrams of strangers", "", f"{limits.STRANGERS.each_second} a second"),
        ("options in a datagram", f"{MOST_OPTIONS}", ""),
        (
            "statements and recordings judged that are not free",
            rate(limits.DECISIONS.peer),
            rate(limits.DECISIONS.total),
        ),
        (
            "bytes written that are not free",
            rate(limits.OCTETS.peer, octets=True),
            rate(limits.OCTETS.total, octets=True),
        ),
        (
            "uploads on their way (`[lan]`)",
            held,
            f"{uploads.total.uploads}, of {uploads.total.octets / MIB:g} MiB",
        ),
        ("judged at the same time", "", str(gathering.AT_ONCE)),
        ("peers that are remembered", f"{limits.HOSTS} addresses", f"{limits.PEERS:,}"),
        ("answers that are remembered", "", str(answers.MOST)),
    ]


def test_the_configurations_defaults_are_the_bounds() -> None:
    section, uploads = LanSection(listen="127.0.0.1:5683"), spool.Bounds()
    assert (section.max_uploads, section.max_mib * MIB) == uploads.total
    assert (section.max_uploads_per_peer, section.max_mib_per_peer * MIB) == uploads.peer


def test_times_and_rates_in_the_text() -> None:
    told = " ".join(text(DOC).split())
    assert (echo.LIFE_S, limits.KNOWN_S, server.AMPLIFICATION) == (60, 600, 3)
    assert "it is good for a minute. The proof then lasts ten minutes." in told
    assert "more than three times as large as its request" in told
    assert (spool.IDLE_S, spool.OLD_S, answers.LIFE_S) == (30, 900, 120)
    assert "dropped after 30 s of silence, or 15 minutes" in told
    assert spool.STALLED_S == 5
    assert "silent for 5 s, or is too slow to be whole in those 15 minutes" in told
    assert "gets the same answer for two minutes" in told
    assert (BURST, PER_HOUR, PERIOD_S) == (60, 60, 300)
    assert "60 entries for each way at once, and 60 an hour" in told
    assert "at most every five minutes" in told


def test_the_form_of_a_bundle() -> None:
    sizes = {64 * KIB: "64 KiB", 8 * MIB: "8 MiB"}
    assert table_after(DOC, "bundle") == [(str(int(one)), one.name.lower(), sizes[one.limit]) for one in Kind]
    assert f"always named `{NAME}`, of at most {MOST // MIB} MiB and {MOST_ITEMS} items" in text(DOC)
