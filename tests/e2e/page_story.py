"""A ward that exists only as snapshots: two minutes of a story, for the page and the terminal to draw.

`snapshot(t)` is a pure function of the time, so a test can stop at any moment and knows what must be shown.
What happens is written in page_story.json.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ward_sim.page.server import font_file

SCRIPT: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
SCROLL_PX_S = 40


def on_air(t: float) -> dict[str, Any] | None:
    """The bulletin that is on the air at `t`."""
    for told in SCRIPT["bulletins"]:
        if any(start <= t < end for start, end in told.get("aired", ())):
            return dict(told)
    return None


@functools.cache
def strip(text: str, height: int) -> Image.Image:
    """A bulletin's text as a 1-bit strip, in the font of the boards."""
    path = font_file("Medium")
    assert path is not None
    font = ImageFont.truetype(str(path), round(height * 0.66))
    image = Image.new("1", (int(font.getlength(text)) + 1, height))
    drawing = ImageDraw.Draw(image)
    drawing.fontmode = "1"
    drawing.text((0, height / 2), text, fill=1, font=font, anchor="lm")
    return image


def frame(t: float, width: int, height: int, text: str) -> bytes:
    """What a board shows of a text that scrolls in from the right."""
    source = strip(text, height)
    offset = int(t * SCROLL_PX_S) % (source.width + width)
    window = Image.new("1", (width, height))
    window.paste(source, (width - offset, 0))
    return window.tobytes()


def level(t: float, zone: int) -> float:
    """A speech-like level in dB: syllables, pauses, and a different distance for each zone."""
    syllables = 0.5 + 0.5 * math.sin(t * 9.0 + zone * 0.15)
    pause = -30.0 if math.sin(t * 0.9) < -0.93 else 0.0
    return round(-26.0 + 18.0 * math.sqrt(syllables) + pause - zone * 0.6, 1)


def board(t: float, name: str, told: dict[str, Any] | None) -> dict[str, Any]:
    size = SCRIPT["boards"][name]
    rows = bytes(size["width"] * size["height"] // 8)
    if told is not None and name in told["outlets"]:
        rows = frame(t, size["width"], size["height"], told["text"])
    return {"id": name, **size, "alive": True, "frame": base64.b64encode(rows).decode()}


def amplifier(t: float, name: str, told: dict[str, Any] | None) -> dict[str, Any]:
    zones = [told is not None and f"{name}-{number}" in told["outlets"] for number in range(1, 5)]
    relays = [any(zones), *zones, False, False, False]
    return {
        "id": name,
        "name": SCRIPT["amplifiers"][name]["name"],
        "unit": int(name[-1]),
        "relays": relays,
        "labels": SCRIPT["labels"],
        "line_mv": int(700 + 300 * math.sin(t * 5)) if relays[0] else 3,
        "supply_mv": 24100 - 400 * sum(relays),
        "temperature_c": round(31.5 + t / 40, 1),
        "alive": True,
    }


def zone(t: float, amplifier_name: str, relay: int, told: dict[str, Any] | None) -> dict[str, Any]:
    name = f"{amplifier_name}-{relay}"
    on = told is not None and name in told["outlets"]
    return {
        "id": name,
        "name": SCRIPT["amplifiers"][amplifier_name]["zones"][relay - 1],
        "amplifier": amplifier_name,
        "relay": relay,
        "on": on,
        "level_db": level(t, relay) if on else None,
    }


def bulletin(t: float, told: dict[str, Any]) -> dict[str, Any]:
    spans = told.get("aired", ())
    aired = [
        {"outlet": outlet, "from": start, "to": end if t >= end else None}
        for start, end in spans
        if t >= start
        for outlet in told["outlets"]
    ]
    refused = "reason" in told
    finished = bool(spans) and t >= spans[-1][1]
    return {
        "digest": hashlib.sha256(told["title"].encode()).hexdigest(),
        "title": told["title"],
        "status": told.get("status", "Actual"),
        "priority": told["priority"],
        "decision": "refused" if refused else "accepted",
        "reason": told.get("reason"),
        "aired": aired,
        "outcome": "refused" if refused else "aired" if finished else None,
        "receipt": t >= told["receipt"],
    }


def phase(t: float) -> str:
    told = on_air(t)
    if t >= 118:
        return "end"
    if 72 <= t < 90:
        return "offline"
    return str(told["priority"]) if told else "normal" if t >= 2 else "start"


def snapshot(t: float) -> dict[str, Any]:
    """The whole ward at `t` seconds."""
    told = on_air(t)
    steps = [{**step, "done": t >= step["t"], "ok": True if t >= step["t"] else None} for step in SCRIPT["steps"]]
    return {
        "t": round(t, 2),
        "clock": f"2025-08-09T07:{30 + int(t) // 60:02d}:{int(t) % 60:02d}+07:00",
        "phase": phase(t),
        "hub": {"up": True, "pid": 4711, "restarts": 0},
        "link": {"up": not 72 <= t < 90, "delay_ms": 320, "loss": 0.08},
        "boards": [board(t, name, told) for name in SCRIPT["boards"]],
        "amplifiers": [amplifier(t, name, told) for name in SCRIPT["amplifiers"]],
        "zones": [zone(t, name, relay, told) for name in SCRIPT["amplifiers"] for relay in range(1, 5)],
        "timeline": [entry for entry in SCRIPT["timeline"] if entry["t"] <= t],
        "bulletins": [bulletin(t, told) for told in SCRIPT["bulletins"] if told["arrives"] <= t],
        "story": {"length_s": SCRIPT["length_s"], "steps": steps},
    }
