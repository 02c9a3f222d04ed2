"""What whoever stands at the hub reads: silence, blank, resume, queue and status in both languages."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import clock
from tests.statements import MINIMAL, NOW
from tests.unit.hub.test_config import GOOD
from tests.unit.hub.test_status import Parts, answered

from ward_hub.cli.main import main
from ward_hub.control import NAME, Act, Control
from ward_hub.errors import HubError
from ward_hub.holds import Hold, What
from ward_hub.programme import Candidate
from ward_hub.waiting import held, waiting
from ward_protocol.statements import Priority, Status

HERE = held(Hold.at_the_hub(What.SILENCE, ("zone-1",), NOW))
ORDER = held(Hold(b"\x07" * 32, What.BLANK, 1, Priority.PRIORITY, issuer="province", sequence=7, since=NOW))
ENDING = held(
    Hold(b"\x08" * 32, What.SILENCE, 1, Priority.PRIORITY, until=NOW + 60, issuer="province", sequence=8, since=NOW)
)


def act(answer: object, asked: list[Mapping[str, Any]]) -> Act:
    async def answers(question: Mapping[str, Any]) -> object:
        asked.append(question)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return answers


class Hub:
    """The ear of an agent that gives set answers, and commands against it."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.config = folder / "hub.toml"
        self.config.write_text(GOOD.replace("/var/lib/wardhub", str(folder)), encoding="utf-8")
        self.folder = folder
        self.asked: list[Mapping[str, Any]] = []
        self._capture = capture

    async def run(self, answers: Mapping[str, object], *words: str) -> list[str]:
        """Run one command; return the lines that it printed."""
        acts = {name: act(answer, self.asked) for name, answer in answers.items()}
        task = asyncio.create_task(Control(self.folder / NAME, acts).run())
        async with asyncio.timeout(20):
            while not (self.folder / NAME).is_socket():
                await asyncio.sleep(0.01)
        try:
            self.status = await asyncio.to_thread(main, [*words, "--config", str(self.config)])
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        out, self.error = self._capture.readouterr()
        return out.splitlines()


@pytest.fixture
def hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Hub:
    return Hub(tmp_path, capsys)


async def test_silence_and_blank_say_what_is_closed_and_how_it_ends(hub: Hub) -> None:
    said = await hub.run({"silence": ["zone-1", "zone-2"]}, "silence", "--zone", "zone-2", "--lang", "en")
    assert said == ["Silenced: zone-1, zone-2", "Only `wardhub resume` at this hub ends it."]
    said = await hub.run({"blank": []}, "blank", "--lang", "en")
    assert said == ["Blanked: all", "Only `wardhub resume` at this hub ends it."]
    assert hub.asked == [{"do": "silence", "only": ["zone-2"]}, {"do": "blank", "only": []}]
    said = await hub.run({"silence": []}, "silence")
    assert said == ["Đã tắt tiếng loa: tất cả", "Chỉ lệnh `wardhub resume` tại thiết bị này mới bật lại được."]
    said = await hub.run({"blank": ["board-1"]}, "blank", "--json")
    assert json.loads(said[0]) == ["board-1"]


async def test_what_the_hub_will_not_do_is_one_line_and_a_status(hub: Hub) -> None:
    assert await hub.run({"silence": HubError("there is no zone zone-9 here")}, "silence", "--zone", "zone-9") == []
    assert (hub.status, hub.error) == (65, "wardhub: there is no zone zone-9 here\n")


async def test_resume_says_what_is_over_and_what_is_not(hub: Hub) -> None:
    said = await hub.run({"resume": {"ended": [HERE], "standing": [ORDER]}}, "resume", "--lang", "en")
    assert said == [
        "What was silenced or blanked at this hub is over.",
        f"Blanked: all, by order 7 of province, since {AT}, until an order to resume",
    ]
    said = await hub.run({"resume": {"ended": [], "standing": []}}, "resume")
    assert said == ["Không có gì bị tắt tại thiết bị này."]


def entry(*holds: Hold, on_air: bool = False, shut_out: bool = False, **changes: object) -> dict[str, object]:
    """An entry of the queue as the agent gives it."""
    bulletin = replace(MINIMAL, **changes)  # type: ignore[arg-type]
    why = waiting(Candidate(bytes(32), bulletin), holds, clock(lambda: NOW).known(), shut_out=shut_out, on_air=on_air)
    return {
        "id": "ab" * 32, "title": bulletin.title, "issuer": bulletin.issuer, "ready": True, "on_air": on_air,
        "priority": bulletin.priority.name.lower(), "status": bulletin.status.value,
        "not_before": LATER, "since": AT, **why,
    }  # fmt: skip


AT, LATER = "2027-01-15T08:00:00+00:00", "2027-01-15T08:30:00+00:00"
HEAD = "ab" * 8
TITLE = f"ward: {MINIMAL.title}"


@pytest.mark.parametrize(
    ("line", "english", "vietnamese"),
    [
        (
            entry(on_air=True, priority=Priority.EMERGENCY),
            f"{HEAD}  emergency  Actual  since {AT}  on air  {TITLE}",
            f"{HEAD}  khẩn cấp  Thật  từ {AT}  đang phát  {TITLE}",
        ),
        (
            entry(status=Status.TEST),
            f"{HEAD}  normal  Test  since {AT}  waits for its turn  ward: [TEST] {MINIMAL.title}",
            f"{HEAD}  thường  Thử nghiệm  từ {AT}  chờ đến lượt  ward: [THỬ NGHIỆM] {MINIMAL.title}",
        ),
        (
            entry(not_before=NOW + 1800, priority=Priority.PRIORITY),
            f"{HEAD}  priority  Actual  since {AT}  waits for its time, {LATER}  {TITLE}",
            f"{HEAD}  ưu tiên  Thật  từ {AT}  chờ đến giờ phát, {LATER}  {TITLE}",
        ),
    ],
)
async def test_the_queue_says_since_when_and_why_each_waits(
    hub: Hub, line: dict[str, object], english: str, vietnamese: str
) -> None:
    assert await hub.run({"queue": [line]}, "queue", "list", "--lang", "en") == [english]
    assert await hub.run({"queue": [line]}, "queue", "list") == [vietnamese]


async def test_what_strangers_wrote_is_obeyed_by_no_terminal(hub: Hub) -> None:
    line = {**entry(), "title": "Tin\x1b[2J\x9b1A\nđỏ\u202e"}
    (said,) = await hub.run({"queue": [line]}, "queue", "list", "--lang", "en")
    assert said.endswith("  ward: Tin?[2J?1A?đỏ?")
    (said,) = await hub.run({"queue": [line]}, "queue", "list", "--json")
    assert said.isprintable()
    assert "Tin\\u001b[2J\\u009b1A\\nđỏ\\u202e" in said
    assert json.loads(said) == [line]
    items = {"items": [], "trouble": "torn at \x9b2J"}
    (hub.folder / "wardhub.bundle").touch()
    await hub.run({"import": items}, "bundle", "import", str(hub.folder))
    assert hub.error == "wardhub: torn at ?2J\n"


async def test_the_queue_says_who_holds_what_waits(hub: Hub) -> None:
    here = Hold.at_the_hub(What.SILENCE, (), NOW)
    order = Hold(b"\x07" * 32, What.BLANK, 1, Priority.PRIORITY, issuer="province", sequence=7, since=NOW)
    (said,) = await hub.run({"queue": [entry(here, order, shut_out=True)]}, "queue", "list", "--lang", "en")
    assert said.split("  ")[4].split("; ") == [
        "all that it could use is closed",
        f"Silenced: all, by a command at the hub, since {AT}, until `wardhub resume` at this hub",
        f"Blanked: all, by order 7 of province, since {AT}, until an order to resume",
    ]


async def test_status_says_what_is_held(hub: Hub) -> None:
    status = await answered(hub.folder, clock(lambda: NOW), Parts())
    assert not [line for line in await hub.run({"status": status}, "status") if "Đã tắt" in line]
    status |= {"held": [HERE, ENDING]}
    said = await hub.run({"status": status}, "status")
    here = f"do người trực tại thiết bị, từ {AT}, cho đến khi chạy `wardhub resume` tại thiết bị này"
    order = f"do lệnh số 8 của province, từ {AT}, đến 2027-01-15T08:01:00+00:00"
    first = said.index(f"Đã tắt tiếng loa: zone-1, {here}")
    assert said[first + 1] == f"Đã tắt tiếng loa: tất cả, {order}"
    assert said[0].startswith("Giờ: 2027-01-15 08:00:00 UTC. Độ tin cậy: tốt")
    assert json.loads((await hub.run({"status": status}, "status", "--json"))[0]) == status


async def test_a_fault_of_the_agent_is_told_and_logged(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    assert await hub.run({"resume": ZeroDivisionError("a bug of ours")}, "resume") == []
    assert hub.error == "wardhub: it failed inside the agent (a bug of ours); see its log\n"
    assert "control: resume failed" in caplog.text
    assert "Traceback" in caplog.text
