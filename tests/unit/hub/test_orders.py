"""Orders: what each action does to what waits and what is on air, whom it reaches, and that it survives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.intakes import TRUST
from tests.journals import receipts, story
from tests.sim.hw.virtual import run
from tests.srtp_peer import MASTER
from tests.statements import (
    AREA,
    AUTHORITY,
    GRANTS,
    HUB_CHANNEL,
    MINIMAL,
    NOW,
    ORDER,
    SEALED_KEY,
    SIGNER,
    STRANGER,
    STREAM,
    channel_key,
)
from tests.unit.hub.test_config import GOOD
from tests.unit.hub.test_director import EMERGENCY, NORMAL, PRIORITY, Studio, on_air

from ward_hub.alarms import Alarms
from ward_hub.config import Config, parse
from ward_hub.errors import ConfigError, StateError
from ward_hub.holds import OPEN, Closed, Hold, What, closed
from ward_hub.journal import Bounds, JournalFailure, State
from ward_hub.keeper import Keeper
from ward_hub.orders import Orders
from ward_hub.programme import Candidate
from ward_hub.settings import Settings, applied, passed_over, usable
from ward_hub.streams import unlocked
from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import sign
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.statements import (
    Action,
    Audience,
    BreakGlass,
    Event,
    Order,
    Priority,
    Receipt,
    Status,
    Stream,
    Verdict,
    lock_master,
)

CONFIG: Config = parse(GOOD, "hub.toml")
# The ward stands at level 3, above it the province at 1, below it a hamlet at 4.
PROVINCE = replace(AUTHORITY, id="province", level=1)
HAMLET = replace(AUTHORITY, id="hamlet", level=4)
BOTH = replace(TRUST, grants=replace(GRANTS, authorities=(AUTHORITY, PROVINCE, HAMLET)))


class Office:
    """A director at work, and orders that were accepted for it."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.keeper = Keeper(BOTH, studio.journal, studio.clock)
        self.settings = Settings(CONFIG, studio.journal)
        self.alarms = Alarms(studio.journal, studio.clock)
        self.own: ChannelKey | StateError = HUB_CHANNEL
        self.orders = Orders(
            director=studio.director,
            journal=studio.journal,
            keeper=self.keeper,
            settings=self.settings,
            alarms=self.alarms,
            air=self.air,
            unlocked=lambda digest, order: unlocked(digest, order, "hub-1", self.key),
            language="vi",
        )
        self.number = 100

    async def air(self, candidate: Candidate) -> None:
        self.studio.director.hold(candidate)

    def key(self) -> ChannelKey:
        if isinstance(self.own, StateError):
            raise self.own
        return self.own

    def accept(self, action: Action, **changes: object) -> tuple[bytes, Order]:
        """Accept an order; it is for the caller to have it carried out."""
        self.number += 1
        fields: dict[str, object] = {"targets": (), "action": action, **changes}
        order: Order = replace(ORDER, sequence=self.number, **fields)  # type: ignore[arg-type]
        digest = bytes([self.number]) * 32
        data = sign(order, [SIGNER])
        assert self.studio.journal.ledger.accept(order.issuer, self.number, digest, data, bulletin=False) is None
        return digest, order

    def stream(self, **changes: object) -> tuple[bytes, Order]:
        """Accept an order to start a stream whose key is locked to this hub."""
        issuer = str(changes.get("issuer", "ward"))
        box = lock_master(MASTER, HUB_CHANNEL.public, issuer=issuer, sequence=self.number + 1, hub="hub-1")
        given = {"stream": replace(STREAM, keys={"hub-1": box}), "status": Status.ACTUAL, **changes}
        return self.accept(Action.STREAM_START, **given)

    async def begin(self, **changes: object) -> bytes:
        """Put a stream on air, as far as nothing else is; return its order's digest."""
        digest, order = self.stream(**changes)
        await self.orders.carry_out(digest, order)
        await asyncio.sleep(1)
        return digest

    def last(self, digest: bytes) -> Receipt:
        return [one for one in receipts(self.studio.folder) if one.statement == digest][-1]

    async def order(self, action: Action, **changes: object) -> Receipt:
        """Accept an order and have it carried out; return its last receipt."""
        digest, order = self.accept(action, **changes)
        await self.orders.carry_out(digest, order)
        last = receipts(self.studio.folder)[-1]
        assert last.statement == digest
        return last

    def ended(self) -> list[tuple[int, Event, Reason | None]]:
        return [one for one in self.studio.endings() if one[0] < 100]


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    async with on_air(folder) as studio:
        yield Office(studio)


# Stop and purge


def test_a_stop_ends_what_is_on_air_within_a_second(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a")
            at.studio.hold("b", begins=100)
            await asyncio.sleep(3)
            done = await at.order(Action.STOP)
            assert (done.event, done.detail) == (Event.CARRIED_OUT, f"stopped: {'01' * 8}")
            await asyncio.sleep(0.9)
            assert at.studio.player.told[-2:] == [(3.0, "cut a"), (3.0, "release")]
            assert at.ended() == [(1, Event.PARTLY, Reason.STOPPED)]
            await asyncio.sleep(200)
            assert at.ended()[-1] == (2, Event.AIRED, None)  # only what was on air

    run(play())


def test_a_stop_with_nothing_on_air_says_so(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            assert (await at.order(Action.STOP)).detail == "stopped: nothing"

    run(play())


def test_a_stop_that_names_another_leaves_this_one(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a")
            await asyncio.sleep(3)
            await at.order(Action.STOP, targets=(b"\x02" * 32,))
            await asyncio.sleep(20)
            assert at.ended() == [(1, Event.AIRED, None)]

    run(play())


@pytest.mark.parametrize(("named", "gone"), [((), [1, 2, 3]), ((b"\x02" * 32,), [2])])
def test_a_purge_ends_what_waits_and_what_is_on_air(tmp_path: Path, named: tuple[bytes, ...], gone: list[int]) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            for title in "abc":
                at.studio.hold(title)
            await asyncio.sleep(3)
            await at.order(Action.PURGE, targets=named)
            await asyncio.sleep(60)
            purged = sorted(number for number, _, reason in at.ended() if reason is Reason.PURGED)
            assert purged == gone
            assert len(at.ended()) == 3

    run(play())


@pytest.mark.parametrize(("action", "reason"), [(Action.STOP, Reason.STOPPED), (Action.PURGE, Reason.PURGED)])
@pytest.mark.parametrize(("sequence", "ends"), [(1, True), (500, False)])
def test_what_its_own_issuer_issued_after_an_order_is_not_meant(
    tmp_path: Path, action: Action, reason: Reason, sequence: int, ends: bool
) -> None:
    """After an outage the newest is fetched first: an old order must not end what is to take the place."""

    async def play() -> None:
        async with office(tmp_path) as at:
            one = at.studio.bulletin("a", NORMAL)
            at.studio.director.hold(replace(one, bulletin=replace(one.bulletin, sequence=sequence)))
            await asyncio.sleep(3)
            await at.order(action)
            await asyncio.sleep(20)
            assert at.ended() == [(1, Event.PARTLY, reason) if ends else (1, Event.AIRED, None)]

    run(play())


# Whom an order reaches


@pytest.mark.parametrize(
    ("issuer", "priority", "reached"),
    [
        ("ward", PRIORITY, True),
        ("ward", NORMAL, False),  # below what it would stop
        ("province", PRIORITY, True),
        ("hamlet", PRIORITY, False),  # stands below the issuer of what it would stop
        ("hamlet", EMERGENCY, False),
    ],
)
@pytest.mark.parametrize("action", [Action.STOP, Action.PURGE, Action.SILENCE])
def test_an_order_reaches_its_own_priority_and_level_and_below(
    tmp_path: Path, issuer: str, priority: Priority, reached: bool, action: Action
) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a", PRIORITY)
            await asyncio.sleep(3)
            await at.order(action, issuer=issuer, priority=priority)
            if action is Action.SILENCE:
                await at.order(Action.BLANK, issuer=issuer, priority=priority)
            await asyncio.sleep(1)
            assert ("cut a" in at.studio.said()) is reached

    run(play())


def test_nobody_below_it_silences_an_emergency(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            for action in (Action.SILENCE, Action.BLANK):
                await at.order(action, priority=PRIORITY)
            at.studio.hold("e", EMERGENCY)
            at.studio.hold("p", PRIORITY)
            await asyncio.sleep(60)
            assert at.studio.said() == ["air e", "end e"]

    run(play())


def test_an_order_of_who_is_granted_nothing_any_more_is_not_carried_out(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.keeper.trust = replace(BOTH, grants=replace(GRANTS, authorities=(PROVINCE,)))
            at.studio.hold("a")
            await asyncio.sleep(3)
            last = await at.order(Action.STOP)
            assert (last.event, last.reason) == (Event.REFUSED, Reason.UNKNOWN_AUTHORITY)
            await asyncio.sleep(20)
            assert at.ended() == [(1, Event.AIRED, None)]
            # what such an issuer still has on air, others may end
            at.studio.hold("b")
            await asyncio.sleep(3)
            await at.order(Action.STOP, issuer="province")
            await asyncio.sleep(1)
            assert at.ended()[-1] == (2, Event.PARTLY, Reason.STOPPED)

    run(play())


# Silence, blank, resume


def test_silence_cuts_the_sound_and_the_boards_go_on(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a")
            await asyncio.sleep(3)
            await at.order(Action.SILENCE)
            await asyncio.sleep(0.5)
            assert at.studio.said() == ["air a", "cut a", "air a"]
            assert at.studio.player.shut == [OPEN, Closed(zones=None)]

    run(play())


def test_what_is_silenced_and_blanked_waits_until_somebody_resumes(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await at.order(Action.SILENCE)
            await at.order(Action.BLANK)
            at.studio.hold("a")
            await asyncio.sleep(100)
            assert at.studio.said() == []
            assert (await at.order(Action.RESUME, issuer="hamlet")).detail == "resumed: 0 of 2"
            assert (await at.order(Action.RESUME, priority=NORMAL)).detail == "resumed: 0 of 2"
            await asyncio.sleep(10)
            assert at.studio.said() == []
            assert (await at.order(Action.RESUME, issuer="province")).detail == "resumed: 2 of 2"
            await asyncio.sleep(20)
            assert at.studio.said() == ["air a", "end a"]

    run(play())


def test_what_waits_in_silence_ends_with_the_reason(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await at.order(Action.SILENCE)
            await at.order(Action.BLANK)
            at.studio.hold("a", life=60)
            await asyncio.sleep(70)
            assert at.ended() == [(1, Event.NOT_AIRED, Reason.SILENCED)]

    run(play())


def test_a_silence_ends_by_itself_when_it_says_so(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await at.order(Action.SILENCE, until=NOW + 60)
            await at.order(Action.BLANK, until=NOW + 90)
            at.studio.hold("a")
            await asyncio.sleep(59)
            assert at.studio.said() == []
            await asyncio.sleep(29)
            assert [one for one in at.studio.player.told if one[1] == "air a"] == [(60.0, "air a")]
            assert at.studio.player.shut == [Closed(boards=None)]

    run(play())


def test_silence_stands_after_a_restart(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await at.order(Action.SILENCE, audience=Audience((AREA,), zones=("zone-1",)))
        async with office(tmp_path) as again:
            await again.orders.restore()
            again.studio.number = 10
            again.studio.hold("a")
            await asyncio.sleep(1)
            assert again.studio.player.shut == [Closed(zones=frozenset({"zone-1"}))]

    run(play())


def test_a_silence_that_the_journal_could_not_take_stands_until_it_can(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.journal.broken = frozenset({"hold"})
            digest, order = at.accept(Action.SILENCE)
            with pytest.raises(JournalFailure):
                await at.orders.carry_out(digest, order)
            await at.orders.restore()  # as what takes it up again does first
            assert [one.sequence for one in at.studio.director.standing] == [101]
            at.studio.journal.broken = frozenset()
            await at.order(Action.BLANK)
            assert sorted(one.sequence for one in at.studio.director.standing) == [101, 102]
            await at.orders.carry_out(digest, order)
            assert sorted(one.sequence for one in at.studio.director.standing) == [101, 102]
            await at.order(Action.RESUME)
            assert at.studio.director.standing == []

    run(play())


def test_holds_add_up_and_no_outlets_means_all() -> None:
    def hold(what: What, *outlets: str, until: int = 0) -> Hold:
        return Hold(bytes(32), what, 3, PRIORITY, outlets, until)

    one, two = hold(What.SILENCE, "z1"), hold(What.SILENCE, "z2", until=NOW)
    assert closed([], MINIMAL, 3, NOW) == OPEN
    assert closed([one, two], MINIMAL, 3, NOW - 1) == Closed(zones=frozenset({"z1", "z2"}))
    assert closed([one, two], MINIMAL, 3, NOW) == Closed(zones=frozenset({"z1"}))
    assert closed([one, hold(What.SILENCE)], MINIMAL, 3, NOW) == Closed(zones=None)
    assert closed([hold(What.SILENCE), hold(What.BLANK)], MINIMAL, 3, NOW) == Closed(None, None)
    assert closed([hold(What.SILENCE)], MINIMAL, 2, NOW) == OPEN
    assert closed([hold(What.SILENCE)], MINIMAL, None, NOW) == Closed(zones=None)


# Decisions


def test_the_ward_decides_what_goes_first(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            for title in "abcd":
                at.studio.hold(title)
            await asyncio.sleep(1)
            done = await at.order(Action.DECISION, verdict=Verdict.FIRST, targets=(b"\x03" * 32, b"\x04" * 32))
            assert done.event is Event.CARRIED_OUT
            ranks = {one.digest[0]: one.rank for one in at.studio.journal.ledger.unfinished()}
            assert ranks == {1: 0, 2: 0, 3: 2, 4: 1}
            await asyncio.sleep(60)
            assert at.studio.said()[::2] == ["air a", "air c", "air d", "air b"]

    run(play())


def test_the_ward_declines_a_normal_bulletin(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a", begins=100)
            await at.order(Action.DECISION, verdict=Verdict.DECLINE, targets=(b"\x01" * 32,))
            await asyncio.sleep(1)
            assert at.ended() == [(1, Event.NOT_AIRED, Reason.DECLINED)]

    run(play())


@pytest.mark.parametrize(
    ("priority", "verdict"), [(PRIORITY, Verdict.DECLINE), (EMERGENCY, Verdict.DECLINE), (EMERGENCY, Verdict.FIRST)]
)
def test_what_is_not_the_wards_to_decide(tmp_path: Path, priority: Priority, verdict: Verdict) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a", priority, begins=50)
            last = await at.order(Action.DECISION, verdict=verdict, targets=(b"\x01" * 32,))
            assert (last.event, last.reason) == (Event.REFUSED, Reason.DECISION_NOT_ALLOWED)
            await asyncio.sleep(100)
            assert at.ended() == [(1, Event.AIRED, None)]

    run(play())


def test_a_decision_about_what_does_not_wait(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            last = await at.order(Action.DECISION, verdict=Verdict.DECLINE, targets=(b"\x01" * 32,))
            assert (last.event, last.reason) == (Event.REFUSED, Reason.TARGET_UNKNOWN)

    run(play())


# Configuration


def test_settings_are_taken_kept_and_lie_over_the_file(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            done = await at.order(Action.CONFIGURATION, settings={"hub.language": "en"})
            assert (done.event, done.detail) == (Event.CARRIED_OUT, "set: hub.language = en")
            (alarm,) = at.alarms.standing
            told = "order 101 of ward set: hub.language = en"
            assert (alarm.kind, alarm.detail) == (Reason.CONFIGURATION_CHANGED, told)
            await at.order(Action.CONFIGURATION, settings={"airing.tail_ms": "450"})
            assert at.settings.changed.is_set()
        async with office(tmp_path) as again:
            config = applied(CONFIG, again.studio.journal.ledger.settings())
            assert (config.hub.language, config.airing.tail_ms) == ("en", 450)
            assert replace_back(config) == CONFIG

    run(play())


def replace_back(config: Config) -> Config:
    return applied(config, {"hub.language": CONFIG.hub.language, "airing.tail_ms": str(CONFIG.airing.tail_ms)})


@pytest.mark.parametrize(
    "settings",
    [
        {"trust.root": "/tmp/mine"},
        {"bus.port": "/dev/null"},
        {"hub.id": "another"},
        {"hub.language": "fr"},
        {"source.uri": "http://evil.example"},
        # What no link can use would end the agent at this start and at every other.
        {"source.uri": "coap://"},
        {"source.uri": "coap://[2001:db8::1"},
        {"source.uri": "coap://source.example:568300"},
        {"source.uri": "coap://source..example"},
        {"source.uri": f"coap://{'a' * 64}.example"},
        {"source.uri": "coap://source.example\x00"},
        {"source.uri": "coap://source.example /"},
        {"airing.tail_ms": "soon"},
        {"airing.max_attempts": "0"},
        {"hub": "x"},
        {"hub.language": "en", "nothing": "x"},
    ],
)
def test_what_may_not_be_set_changes_nothing(tmp_path: Path, settings: dict[str, str]) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            last = await at.order(Action.CONFIGURATION, settings=settings)
            assert (last.event, last.reason) == (Event.REFUSED, Reason.SETTING_NOT_ALLOWED)
            assert at.studio.journal.ledger.settings() == {}
            assert not at.settings.changed.is_set()
            assert at.alarms.standing == []

    run(play())


def test_applied_names_what_can_be_set() -> None:
    with pytest.raises(ConfigError, match=r"trust\.root cannot be set by an order; these can: airing\."):
        applied(CONFIG, {"trust.root": "x"})


def test_a_kept_setting_that_cannot_be_used_is_passed_over_and_keeps_no_order_from_setting_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worn = {"hub.language": "en", "source.uri": "coap://", "audio.gone": "1", "airing.tail_ms": "4\x9b0"}

    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.journal.ledger.keep_settings(bytes(32), worn)
            assert usable(CONFIG, worn) == applied(CONFIG, {"hub.language": "en"})
            assert passed_over(CONFIG, worn).keys() == worn.keys() - {"hub.language"}
            assert [one for one in caplog.messages if "source.uri = 'coap://'" in one]
            assert await last_event(at, "hub.name", "Ward 3") is Event.CARRIED_OUT
            assert await last_event(at, "airing.tail_ms", "450") is Event.CARRIED_OUT
            kept = at.studio.journal.ledger.settings()
            assert kept == {**worn, "hub.name": "Ward 3", "airing.tail_ms": "450"}
            assert passed_over(CONFIG, kept).keys() == {"source.uri", "audio.gone"}

    async def last_event(at: Office, name: str, value: str) -> Event:
        return (await at.order(Action.CONFIGURATION, settings={name: value})).event

    run(play())


# Clearing of sealed keys


@pytest.mark.parametrize("sealed", [SEALED_KEY, STRANGER], ids=["the same key", "another by now"])
@pytest.mark.parametrize(("issuer", "cleared"), [("province", True), ("ward", False), ("hamlet", False)])
def test_the_uses_of_sealed_keys_are_cleared_from_above(
    tmp_path: Path, issuer: str, cleared: bool, sealed: Signer
) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            glass = BreakGlass({sealed.kid: sealed.public.raw}, 2)
            ward = replace(AUTHORITY, break_glass=glass)
            at.keeper.trust = replace(BOTH, grants=replace(GRANTS, authorities=(ward, PROVINCE, HAMLET)))
            used = Bounds(break_glass=SEALED_KEY.kid, uses=2)
            assert at.studio.journal.ledger.accept("ward", 1, bytes(32), b"", State.NOTED, bounds=used) is None
            last = await at.order(Action.CLEAR, issuer=issuer)
            if cleared:
                assert (last.event, last.break_glass) == (Event.CARRIED_OUT, 0)
            else:
                assert (last.reason, last.break_glass) == (Reason.DECISION_NOT_ALLOWED, 1)

    run(play())


# The journal


def test_each_order_is_in_the_story_with_what_it_did(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            await at.order(Action.SILENCE)
            await at.order(Action.RESUME)
        lines = [line.event for line in story(tmp_path)]
        assert lines == ["accepted", "silence", "carried-out", "accepted", "released", "carried-out"]

    run(play())


# Streams


def test_a_stream_airs_like_a_bulletin_and_ends_as_its_airing_does(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            digest = await at.begin(status=Status.TEST)
            on_air = at.studio.director.on_air
            assert on_air is not None
            assert on_air.stream is not None
            assert (on_air.stream.order, on_air.stream.master) == (digest, MASTER)
            assert (on_air.bulletin.status, on_air.bulletin.audience) == (Status.TEST, ORDER.audience)
            await asyncio.sleep(20)
            last = at.last(digest)
            assert (last.event, last.reason, last.status) == (Event.AIRED, None, Status.TEST)
            assert at.studio.said() == ["air Phát thanh trực tiếp", "end Phát thanh trực tiếp"]

    run(play())


def test_an_emergency_cuts_a_stream_short_and_it_goes_on(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            digest = await at.begin()
            at.studio.hold("siren", EMERGENCY)
            await asyncio.sleep(30)
            assert at.last(digest).event is Event.AIRED
            live = "Phát thanh trực tiếp"
            assert at.studio.said() == [
                f"air {live}",
                f"cut {live}",
                "air siren",
                "end siren",
                f"air {live}",
                f"end {live}",
            ]

    run(play())


def damaged(stream: Stream) -> Stream:
    *start, last = stream.keys["hub-1"]
    return replace(stream, keys={"hub-1": bytes([*start, last ^ 1])})


@pytest.mark.parametrize(
    ("change", "own", "words"),
    [
        (
            lambda stream: replace(stream, keys={"hub-2": stream.keys["hub-1"]}),
            HUB_CHANNEL,
            "for other hubs than hub-1",
        ),
        (damaged, HUB_CHANNEL, "not locked to the channel's key that hub hub-1 has now"),
        (lambda stream: stream, channel_key(9), "not locked to the channel's key that hub hub-1 has now"),
        (lambda stream: stream, StateError("nothing here"), "this hub has no key of a channel: nothing here"),
    ],
)
def test_a_stream_whose_key_this_hub_cannot_have_is_refused(
    tmp_path: Path, change: Callable[[Stream], Stream], own: ChannelKey | StateError, words: str
) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.own = own
            digest, order = at.stream()
            assert order.stream is not None
            await at.orders.carry_out(digest, replace(order, stream=change(order.stream)))
            last = at.last(digest)
            assert (last.event, last.reason) == (Event.REFUSED, Reason.STREAM_KEY_MISSING)
            assert words in last.detail
            assert at.studio.journal.ledger.unfinished() == []
            await asyncio.sleep(5)
            assert at.studio.said() == []

    run(play())


def test_a_key_of_another_order_opens_nothing(tmp_path: Path) -> None:
    """Whoever may order streams puts what another authority locked into an order of their own."""

    async def play() -> None:
        async with office(tmp_path) as at:
            box = lock_master(MASTER, HUB_CHANNEL.public, issuer="province", sequence=101, hub="hub-1")
            digest, order = at.stream(stream=replace(STREAM, keys={"hub-1": box}))
            await at.orders.carry_out(digest, order)
            assert at.last(digest).reason is Reason.STREAM_KEY_MISSING

    run(play())


def test_what_began_before_a_restart_does_not_go_on(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            digest, order = at.stream()
            ledger = at.studio.journal.ledger
            assert ledger.begin(digest) == 1
            (entry,) = ledger.unfinished()
            await at.orders.carry_out(digest, order, attempts=entry.attempts)
            last = at.last(digest)
            assert (last.event, last.reason, last.status) == (Event.PARTLY, Reason.INTERRUPTED, Status.ACTUAL)
            assert last.detail == "cut short by the agent's end, which forgets how far it was heard"
            await asyncio.sleep(5)
            assert at.studio.said() == []
            assert [line.event for line in story(tmp_path)] == ["accepted", "airing", "partly"]

    run(play())


ZONE_1 = replace(ORDER.audience, zones=("zone-1",))
BOTH_ZONES = replace(ORDER.audience, zones=("zone-1", "zone-2"))


@pytest.mark.parametrize(
    ("stream", "stop", "stops"),
    [
        ({}, {}, True),
        ({}, {"targets": (bytes([101]) * 32,)}, True),
        ({}, {"targets": (bytes([7]) * 32,)}, False),
        ({"issuer": "province"}, {}, False),
        ({"issuer": "hamlet"}, {}, True),
        ({"priority": EMERGENCY}, {}, False),
        ({"audience": ZONE_1}, {"audience": BOTH_ZONES}, True),
        ({"audience": BOTH_ZONES}, {"audience": ZONE_1}, False),
        ({}, {"audience": ZONE_1}, False),
        ({"audience": ZONE_1}, {}, True),
        ({"audience": ZONE_1}, {"audience": replace(ZONE_1, boards=("board-1",))}, False),
    ],
)
def test_whose_streams_a_stop_ends(
    tmp_path: Path, stream: dict[str, object], stop: dict[str, object], stops: bool
) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            digest = await at.begin(**stream)
            told = await at.order(Action.STREAM_STOP, **stop)
            assert told.detail == ("stopped: " + (digest.hex()[:16] if stops else "nothing"))
            await asyncio.sleep(0.5)
            assert (at.studio.director.on_air is None) is stops
            if stops:
                last = at.last(digest)
                assert (last.event, last.reason, last.detail) == (
                    Event.PARTLY,
                    Reason.STOPPED,
                    f"stopped by order {at.number} of ward",
                )
            await asyncio.sleep(30)

    run(play())


def test_a_stop_of_streams_ends_those_that_wait_and_no_bulletin(tmp_path: Path) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            at.studio.hold("a", PRIORITY)
            await asyncio.sleep(1)
            digest = await at.begin()
            await at.order(Action.STREAM_STOP)
            assert (at.last(digest).event, at.last(digest).reason) == (Event.NOT_AIRED, Reason.STOPPED)
            await asyncio.sleep(20)
            assert at.studio.said() == ["air a", "end a"]

    run(play())


@pytest.mark.parametrize("action", [Action.STOP, Action.PURGE, Action.SILENCE])
def test_what_ends_bulletins_ends_streams(tmp_path: Path, action: Action) -> None:
    async def play() -> None:
        async with office(tmp_path) as at:
            digest = await at.begin()
            await at.order(action)
            if action is Action.SILENCE:
                await at.order(Action.BLANK)
            await asyncio.sleep(0.5)
            assert at.studio.director.on_air is None
            if action is not Action.SILENCE:
                assert at.last(digest).event is Event.PARTLY
            await asyncio.sleep(30)
            assert at.studio.player.told[-1][1] == "release"

    run(play())
