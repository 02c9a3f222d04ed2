"""`wardhub check-config`: says whether a configuration can be used, before the agent has to."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from ward_hub.cli.run import DEFAULT_CONFIG
from ward_hub.config import Config, load
from ward_hub.errors import ConfigError
from ward_hub.keys.token import reach
from ward_hub.printed import plain_json
from ward_hub.trust import Trust
from ward_hw.errors import HardwareError
from ward_hw.meter_profile import load_meter
from ward_hw.profile import load_profile
from ward_protocol.errors import StatementError

SUMMARY = "check a configuration, the root and the profiles it names"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    one.add_argument("--json", action="store_true", help="print what was found as JSON")


def act(chosen: argparse.Namespace) -> int:
    """Check and say what the hub would drive."""
    config = load(chosen.config)
    facts = check(config)
    if chosen.json:
        sys.stdout.write(plain_json(facts) + "\n")
    else:
        sys.stdout.write(
            f"{chosen.config}: good. Hub {facts['hub']}, root {facts['root_version']}, {facts['zones']} zones on "
            f"{facts['amplifiers']} amplifiers, {facts['boards']} boards"
            f"{', key {} on its token'.format(facts['key']) if 'key' in facts else ''}.\n"
        )
    return os.EX_OK


def check(config: Config) -> dict[str, Any]:
    """Return what the configuration amounts to; raises ConfigError naming what cannot be used, TokenError."""
    try:
        trust = Trust.from_first_root(Path(config.trust.root).read_bytes())
        for amplifier in config.amplifier:
            profile = load_profile(amplifier.profile)
            count = profile.relays.count
            if profile.timed_lease and not (profile.timed_lease.attested or amplifier.lease_proven):
                raise ConfigError(
                    f"amplifier {amplifier.name}: nobody attests that {amplifier.profile} opens its relays by itself; "
                    "try this board with `wardhub bus lease`, and where it does, write lease_proven = true"
                )
            if amplifier.serial is not None and profile.nonce is None:
                raise ConfigError(
                    f"amplifier {amplifier.name}: {amplifier.profile} tells no serial number; leave it out"
                )
            relays = [zone.relay for zone in amplifier.zones] + [amplifier.supply_relay or 0]
            if max(relays) >= count:
                raise ConfigError(f"amplifier {amplifier.name}: {amplifier.profile} has relays 0 to {count - 1}")
        for meter in config.meter:
            load_meter(meter.profile).reading(meter.reading)
    except OSError as error:
        raise ConfigError(f"trust.root {config.trust.root}: cannot be read: {error.strerror}") from error
    except StatementError as error:
        raise ConfigError(f"trust.root {config.trust.root}: {error}") from error
    except HardwareError as error:
        raise ConfigError(str(error)) from error
    return {
        "hub": config.hub.id,
        "root_version": trust.root.version,
        "amplifiers": len(config.amplifier),
        "zones": sum(len(one.zones) for one in config.amplifier),
        "boards": len(config.board),
        **({"key": reach(config.key).public().kid.hex()} if config.key else {}),
    }
