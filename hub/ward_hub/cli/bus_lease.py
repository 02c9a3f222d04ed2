"""`wardhub bus lease`: tries whether a relay board opens a relay by itself, before anything loud hangs on it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence

from ward_hub.errors import UsageError
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES, translator
from ward_hub.printed import plain_json
from ward_hw.bus import ModbusBus
from ward_hw.lease_proof import AGAIN_S, TIME_S, LeaseProof, prove_lease
from ward_hw.profile import AmplifierProfile, load_profile
from ward_hw.scan import claim

TIMEOUT_S = 0.3
LAST_UNIT = 247


def arguments(one: argparse.ArgumentParser, baudrates: Sequence[int]) -> None:
    """Declare the arguments."""
    one.add_argument("--port", metavar="PATH", required=True, help="the serial device; the agent must be stopped")
    one.add_argument("--baud", type=int, choices=baudrates, metavar="N", help="default: as the product is delivered")
    one.add_argument("--unit", type=int, required=True, metavar="N")
    one.add_argument("--profile", required=True, metavar="VENDOR/MODEL")
    one.add_argument(
        "--relay", type=int, required=True, metavar="N", help="0 is the first; disconnect what it switches"
    )
    one.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    one.add_argument("--json", action="store_true", help="print what was measured as JSON")


def act(chosen: argparse.Namespace) -> int:
    """Try it, print, and return 69 where the relay does not open when it should."""
    if not 1 <= chosen.unit <= LAST_UNIT:
        raise UsageError(f"--unit {chosen.unit}: units are 1 to {LAST_UNIT}")
    profile = load_profile(chosen.profile)
    proof = asyncio.run(_prove(chosen, profile))
    if chosen.json:
        told = {"ordered_s": TIME_S, "once_s": proof.once, "again_s": proof.again, "proven": proof.holds}
        sys.stdout.write(plain_json(told) + "\n")
    else:
        sys.stdout.writelines(one + "\n" for one in lines(proof, chosen.lang))
    return os.EX_OK if proof.holds else os.EX_UNAVAILABLE


async def _prove(chosen: argparse.Namespace, profile: AmplifierProfile) -> LeaseProof:
    baudrate = chosen.baud or profile.serial.baudrate
    claim(chosen.port, baudrate)
    async with ModbusBus(chosen.port, baudrate, timeout=TIMEOUT_S) as bus:
        return await prove_lease(bus, chosen.unit, profile, chosen.relay)


def lines(proof: LeaseProof, language: str) -> Iterator[str]:
    """Return what was measured, and what follows from it."""
    _ = translator(language)
    never = _("it did not open")
    opened = [never if one is None else _("it opened after %.1f s") % one for one in (proof.once, proof.again)]
    yield _("Closed for %(time)g s: %(seen)s") % {"time": TIME_S, "seen": opened[0]}
    yield _("The same, ordered again after %(again)g s: %(seen)s") % {"again": AGAIN_S, "seen": opened[1]}
    if proof.holds:
        yield _("Proven: this board opens its relays by itself. Write lease_proven = true for its amplifier.")
    else:
        yield _("Not proven: never let this board switch an amplifier. Nothing would open it when the hub is dead.")
