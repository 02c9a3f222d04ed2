"""The picture of the ward that the page and the terminal draw: one JSON object, typed key by key.

Times named `t`, `from` and `to` are seconds since the simulation started. Nothing here is measured or
decided: the world fills it in, the viewers only show it.
"""

from __future__ import annotations

from typing import Literal, TypedDict

Severity = Literal["info", "good", "warn", "alarm"]


class HubState(TypedDict):
    """The hub's process: whether it runs, as which process, how often it was started again."""

    up: bool
    pid: int
    restarts: int


class LinkState(TypedDict):
    """The network between the source and the hub: one-way delay, and loss as a fraction of 0..1."""

    up: bool
    delay_ms: int
    loss: float


class BoardState(TypedDict):
    """One LED board; `frame` is base64 of rows from the top, width / 8 bytes each, MSB leftmost, 1 = lit."""

    id: str
    name: str
    width: int
    height: int
    frame: str
    alive: bool


class AmplifierState(TypedDict):
    """One amplifier controller: its eight relays (true = closed), what each switches, and its inputs."""

    id: str
    name: str
    unit: int
    relays: list[bool]
    labels: list[str]
    line_mv: int
    supply_mv: int
    temperature_c: float
    alive: bool


class ZoneState(TypedDict):
    """One group of horns; `level_db` is dB below full scale (<= 0), None when it carries no sound."""

    id: str
    name: str
    amplifier: str
    relay: int
    on: bool
    level_db: float | None


class TimelineEntry(TypedDict):
    """One thing that happened, said in both languages."""

    t: float
    kind: str
    vi: str
    en: str
    severity: Severity


# The functional form, because `from` is a keyword.
Airing = TypedDict("Airing", {"outlet": str, "from": float, "to": float | None})
"""One outlet (zone or board name) that carried a bulletin; `to` is None while it still does."""


class BulletinState(TypedDict):
    """One bulletin as the hub judged and carried it.

    `digest` is the hex SHA-256 of its envelope, `status` the CAP word: Actual, Exercise or Test.
    """

    digest: str
    title: str
    status: str
    priority: str
    decision: Literal["accepted", "refused", "pending"]
    reason: str | None
    aired: list[Airing]
    outcome: Literal["aired", "partly", "not aired", "refused"] | None
    receipt: bool


class StoryStep(TypedDict):
    """One step that the story must pass; `ok` is None until it has been judged."""

    t: float
    vi: str
    en: str
    done: bool
    ok: bool | None


class StoryState(TypedDict):
    """The story being played: its length in seconds and its steps in order."""

    length_s: float
    steps: list[StoryStep]


class Snapshot(TypedDict):
    """The whole ward at one moment; `clock` is the simulated wall clock (ISO 8601)."""

    t: float
    clock: str
    phase: str
    hub: HubState
    link: LinkState
    boards: list[BoardState]
    amplifiers: list[AmplifierState]
    zones: list[ZoneState]
    timeline: list[TimelineEntry]
    bulletins: list[BulletinState]
    story: StoryState
