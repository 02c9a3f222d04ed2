"""The live page in a real Chromium: what it shows is what the snapshot says, to the last LED."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.e2e import page_story
from tests.e2e.browser import chromium, chromium_path

from ward_sim.page import PageServer
from ward_sim.page.viewer import Pace

pytestmark = pytest.mark.skipif(
    chromium_path() is None and not os.environ.get("WARD_REQUIRE_CAPABILITIES"),
    reason="no Chromium on this machine: apt-get install chromium",
)

GUARD_MS = 20_000
expect.set_options(timeout=GUARD_MS)

# The lit LEDs of a board as the canvas shows them: the pixel at each lamp's centre, told apart by its light.
READ_CANVAS = """canvas => {
  const {columns, rows, pitch} = canvas.dataset, step = Number(pitch), middle = (step - 1) >> 1;
  const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const lit = [];
  for (let y = 0; y < rows; y += 1) for (let x = 0; x < columns; x += 1) {
    const at = 4 * ((y * step + middle) * canvas.width + x * step + middle);
    lit.push(image[at] + image[at + 1] > 250 ? "1" : "0");
  }
  return lit.join("");
}"""


class Stage:
    """A page open on a ward whose snapshot the test sets."""

    def __init__(self, page: Page, ward: dict[str, Any]) -> None:
        self.page = page
        self.ward = ward
        self.poke: Callable[[], None] = lambda: None
        self.url = ""

    def at(self, t: float, **changes: object) -> None:
        """Go to a moment of the story, some of it changed."""
        self.ward.clear()
        self.ward.update(page_story.snapshot(t) | changes)
        self.poke()

    async def open(self, query: str = "") -> None:
        await self.page.goto(self.url + query)
        await self.page.wait_for_selector("body[data-drawn]", state="attached")


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page at a usual size; whatever its console complains of fails the test."""
    complaints: list[str] = []
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(GUARD_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        yield page
    # A browser that cannot reach the server says so itself; tests that stop the server mean it.
    assert [text for text in complaints if "WebSocket connection" not in text] == []


@pytest.fixture
async def stage(page: Page) -> AsyncIterator[Stage]:
    stage = Stage(page, page_story.snapshot(0.0))
    async with PageServer(lambda: dict(stage.ward), pace=Pace(interval=0.02)) as server:
        stage.poke, stage.url = server.poke, server.url
        yield stage


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until the page has animated; the deadline only guards against a hang."""
    async with asyncio.timeout(GUARD_MS / 1000):
        while not await check():
            pass


def bits(frame: str) -> str:
    return "".join(f"{byte:08b}" for byte in base64.b64decode(frame))


@pytest.mark.parametrize("size", [(96, 32), (320, 64)])
@pytest.mark.parametrize("ratio", [1, 2])
async def test_boards_are_drawn_led_by_led(size: tuple[int, int], ratio: int) -> None:
    rows = page_story.frame(5.0, *size, "Khẩn cấp: Đường ngập, ưu tiên xe cứu hộ")
    board = {"id": "b", "name": "Bảng", "width": size[0], "height": size[1], "alive": True}
    ward = page_story.snapshot(40.0) | {"boards": [board | {"frame": base64.b64encode(rows).decode()}]}
    async with PageServer(lambda: ward) as server, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=ratio)
        await page.goto(server.url)
        canvas = page.get_by_test_id("board-canvas-b")
        await expect(page.get_by_test_id("board-b")).to_have_attribute("data-lit", str(rows_lit(rows)))
        shown = await canvas.evaluate(READ_CANVAS)
        assert shown == "".join(f"{byte:08b}" for byte in rows)
        pitch = int(await canvas.get_attribute("data-pitch") or 0)
        box = await canvas.bounding_box()
    assert pitch >= 2
    assert box is not None
    assert (box["width"] * ratio, box["height"] * ratio) == (size[0] * pitch, size[1] * pitch)


def rows_lit(rows: bytes) -> int:
    return sum(byte.bit_count() for byte in rows)


async def test_boards_follow_the_frames(stage: Stage) -> None:
    stage.at(40.0)
    await stage.open()
    gate, market = (stage.page.get_by_test_id(f"board-canvas-{name}") for name in ("gate", "market"))
    for t in (40.0, 41.5):
        stage.at(t)
        for canvas, board in zip((gate, market), stage.ward["boards"], strict=True):
            lit = str(bits(board["frame"]).count("1"))
            await expect(stage.page.get_by_test_id(f"board-{board['id']}")).to_have_attribute("data-lit", lit)
            assert await canvas.evaluate(READ_CANVAS) == bits(board["frame"])
    stage.at(56.5)
    await expect(gate).to_have_accessible_name("Bảng Cổng Uỷ ban phường: tắt")
    assert "1" not in await gate.evaluate(READ_CANVAS)


async def test_a_board_without_power_says_so(stage: Stage) -> None:
    board = page_story.snapshot(40.0)["boards"][0]
    stage.at(40.0, boards=[board | {"alive": False}])
    await stage.open()
    await expect(stage.page.get_by_test_id("board-gate").get_by_text("Không có điện").first).to_be_visible()
    await expect(stage.page.get_by_test_id("path-devices")).to_contain_text("2/3 hoạt động")


async def test_relays_and_zones_show_their_state(stage: Stage) -> None:
    stage.at(12.0)
    await stage.open()
    for amplifier in stage.ward["amplifiers"]:
        for index, closed in enumerate(amplifier["relays"]):
            relay = stage.page.get_by_test_id(f"relay-{amplifier['id']}-{index}")
            await expect(relay).to_have_attribute("data-on", str(closed).lower())
            state = "đóng" if closed else "mở"
            await expect(relay).to_have_accessible_name(f"Rơ-le {index}, {amplifier['labels'][index]}: {state}")
    for zone in stage.ward["zones"]:
        shown = stage.page.get_by_test_id(f"zone-{zone['id']}")
        await expect(shown).to_have_attribute("data-on", str(zone["on"]).lower())
        await expect(shown).to_contain_text(zone["name"])
    stage.at(40.0)
    await expect(stage.page.locator(".relay[data-on=true]")).to_have_count(10)


async def test_an_amplifier_shows_its_inputs_and_its_death(stage: Stage) -> None:
    first, second = page_story.snapshot(40.0)["amplifiers"]
    values = {"supply_mv": 23940, "line_mv": 812, "temperature_c": -4.5}
    stage.at(40.0, amplifiers=[first | values, second | {"alive": False}])
    await stage.open()
    card = stage.page.get_by_test_id("amplifier-amp1")
    for text in ("23,9 V", "812 mV", "−4,5 °C", "địa chỉ 1", "hoạt động"):
        await expect(card.get_by_text(text, exact=True)).to_be_visible()
    dead = stage.page.get_by_test_id("amplifier-amp2")
    await expect(dead.get_by_text("không trả lời")).to_be_visible()
    await expect(dead.locator("[data-input=supply] dd")).to_have_text("–")


async def test_meters_show_the_level_and_hold_its_peak(stage: Stage) -> None:
    zone = page_story.snapshot(40.0)["zones"][0]
    stage.at(40.0, zones=[zone | {"level_db": -12.0}])
    await stage.open()
    meter = stage.page.get_by_test_id(f"meter-{zone['id']}")

    async def bar() -> float:
        return float(await meter.locator(".meter-bar").evaluate("bar => bar.style.getPropertyValue('--level') || 0"))

    async def peak() -> float:
        return float(await meter.locator(".meter-peak").evaluate("mark => parseFloat(mark.style.left) || 0"))

    async def at_80() -> bool:
        return await bar() == pytest.approx(0.8, abs=0.001)  # -12 dB on a scale of -60 to 0

    async def at_40() -> bool:
        return await bar() == pytest.approx(0.4, abs=0.001)

    async def peak_gone() -> bool:
        return await peak() == 0

    await expect(meter).to_have_attribute("aria-valuenow", "-12.0")
    await until(at_80)
    highest = await peak()
    stage.at(40.1, zones=[zone | {"level_db": -36.0}])
    await until(at_40)
    assert highest == pytest.approx(80, abs=0.1)
    assert await peak() > 40  # it stays a while, and falls slower than the bar
    stage.at(40.2, zones=[zone | {"level_db": None, "on": False}])
    await expect(meter).to_have_attribute("aria-valuetext", "im")
    await until(peak_gone)


async def test_the_timeline_has_the_newest_on_top(stage: Stage) -> None:
    stage.at(35.0)
    await stage.open()
    entries = stage.page.locator("#timeline-list .entry")
    newest_first = [entry["vi"] for entry in reversed(stage.ward["timeline"])]
    await expect(entries.locator(".entry-text")).to_have_text(newest_first)
    await expect(entries.first).to_have_attribute("data-severity", "alarm")
    stage.at(41.5)
    await expect(entries).to_have_count(len(newest_first) + 1)
    await expect(entries.first).to_contain_text("0:41Từ chối lệnh giả")
    await expect(entries.first).to_be_in_viewport()


async def test_two_hundred_entries_keep_the_newest_in_sight(stage: Stage) -> None:
    entries = [
        {"t": float(n), "kind": "air", "vi": f"việc {n}", "en": f"event {n}", "severity": "info"} for n in range(500)
    ]
    await stage.open()
    for end in (200, 201, 350, 500):
        stage.at(100.0, timeline=entries[end - 200 : end])
        first = stage.page.locator("#timeline-list .entry").first
        await expect(first).to_contain_text(f"việc {end - 1}")
        await expect(first).to_be_in_viewport()
    await expect(stage.page.locator("#timeline-list .entry")).to_have_count(200)


async def test_the_story_ticks_its_steps(stage: Stage) -> None:
    steps = page_story.snapshot(50.0)["story"]["steps"]
    steps[3]["ok"] = False
    stage.at(50.0, story={"length_s": 120, "steps": steps})
    await stage.open()
    states = ["ok", "ok", "ok", "failed", "ok", "now", "next", "next", "next"]
    for index, state in enumerate(states):
        await expect(stage.page.get_by_test_id(f"step-{index}")).to_have_attribute("data-state", state)
    await expect(stage.page.locator("#story-count")).to_have_text("4/9 bước đạt")
    await expect(stage.page.get_by_role("progressbar")).to_have_attribute("aria-valuetext", "0:50 / 2:00")


async def test_bulletins_show_decision_airing_and_receipt(stage: Stage) -> None:
    stage.at(64.0)
    await stage.open()
    rows = stage.page.locator("#bulletin-rows tr")
    titles = [bulletin["title"] for bulletin in reversed(stage.ward["bulletins"])]
    await expect(rows.locator(".title")).to_have_text(titles)
    forged = rows.filter(has_text="Lệnh giả")
    await expect(forged).to_contain_text("chữ ký không khớp khoá của cơ quan phát hành")
    await expect(forged).to_have_attribute("data-decision", "refused")
    normal = rows.filter(has_text="Lịch tiêm phòng")
    await expect(normal.locator(".aired")).to_contain_text("0:08–0:31 · 5 nơi: Chợ Hà Đông")
    await expect(normal.locator(".aired")).to_contain_text("từ 0:58 · 5 nơi")
    await expect(normal.locator(".outcome")).to_have_text("đang phát")
    await expect(normal).to_have_attribute("data-receipt", "false")
    await expect(stage.page.locator("#receipt-count")).to_have_text("3/4 biên nhận")
    stage.at(71.0)
    await expect(normal).to_have_attribute("data-receipt", "true")
    await expect(normal.locator(".outcome")).to_have_text("đã phát")


@pytest.mark.parametrize(
    ("status", "words"),
    [("Actual", ("", "")), ("Test", ("THỬ NGHIỆM", "TEST")), ("Exercise", ("DIỄN TẬP", "EXERCISE"))],
)
async def test_a_drill_is_called_one_wherever_it_stands(stage: Stage, status: str, words: tuple[str, str]) -> None:
    await stage.open()
    told = [one | {"status": status} for one in page_story.snapshot(80.0)["bulletins"]]
    stage.at(80.0, bulletins=told)
    rows = stage.page.locator("#bulletin-rows tr")
    await expect(rows.first).to_have_attribute("data-status", status)
    for language, word in zip(("vi", "en"), words, strict=True):
        await stage.page.click(f"#language-{language}")
        marks = rows.locator(".status")
        assert await marks.count() == len(told)
        for number, one in enumerate(reversed(told)):
            await expect(marks.nth(number)).to_have_text(word)
            await expect(marks.nth(number)).to_be_visible(visible=bool(word))
            tip = await rows.nth(number).locator("th").get_attribute("title") or ""
            assert tip.splitlines() == [*([word] if word else []), one["title"], one["digest"]]


async def test_phase_link_and_hub_are_told(stage: Stage) -> None:
    stage.at(40.0)
    await stage.open()
    await expect(stage.page.locator("#phase")).to_have_text("Khẩn cấp")
    await expect(stage.page.get_by_test_id("path-link")).to_contain_text("320 ms · mất gói 8 %")
    await expect(stage.page.get_by_test_id("path-hub")).to_contain_text("PID 4711 · khởi động lại 0")
    stage.at(80.0, hub={"up": False, "pid": 0, "restarts": 2})
    await expect(stage.page.locator("#phase")).to_have_text("Mất mạng")
    await expect(stage.page.get_by_test_id("path-link")).to_have_attribute("data-up", "false")
    await expect(stage.page.get_by_test_id("path-hub")).to_contain_text("dừng · khởi động lại 2")
    await expect(stage.page.locator("#elapsed")).to_have_text("1:20")
    await expect(stage.page.locator("#clock")).to_have_text("07:31:20")
    stage.at(80.0, phase="rehearsal")
    await expect(stage.page.locator("#phase")).to_have_text("rehearsal")


async def test_the_language_is_chosen_and_remembered(stage: Stage) -> None:
    page = stage.page
    stage.at(35.0)
    await stage.open()
    heading = page.locator("#boards-title")
    await expect(heading).to_have_text("Bảng tin điện tử")
    await page.click("#language-en")
    await expect(heading).to_have_text("LED boards")
    await expect(page.locator("#timeline-list .entry-text").first).to_contain_text("pre-empted")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.endswith("?lang=en")
    await page.reload()
    await expect(heading).to_have_text("LED boards")
    await expect(page.locator("#language-en")).to_have_attribute("aria-pressed", "true")
    await page.click("#language-vi")
    await expect(page.locator("#phase")).to_have_text("Khẩn cấp")


async def test_a_lost_server_is_said_and_found_again(page: Page) -> None:
    stage = Stage(page, page_story.snapshot(20.0))
    async with PageServer(lambda: dict(stage.ward)) as server:
        stage.url = server.url
        await stage.open()
        await expect(page.locator("#feed-state")).to_be_hidden()
    notice = page.locator("#feed-state")
    await expect(notice).to_contain_text("Mất kết nối với trình mô phỏng")
    await expect(page.get_by_test_id("board-gate")).to_be_visible()  # the last state stays
    stage.at(100.0)
    port = int(stage.url.rstrip("/").rpartition(":")[2])
    async with PageServer(lambda: dict(stage.ward), port=port):
        await expect(notice).to_have_text("Đã nối lại với trình mô phỏng.")
        await expect(page.locator("#elapsed")).to_have_text("1:40")
        await expect(notice).to_be_hidden()


async def test_a_server_that_falls_silent_is_said(page: Page) -> None:
    stage = Stage(page, page_story.snapshot(20.0))
    async with PageServer(lambda: dict(stage.ward), pace=Pace(idle=3600.0)) as server:
        stage.url = server.url
        await stage.open()
        await expect(page.locator("#feed-state")).to_contain_text("Mất kết nối")
        await expect(page.locator("#feed-state")).to_contain_text("Đã nối lại")


@pytest.mark.parametrize("size", [(1280, 800), (1440, 900), (1920, 1080)])
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_all_of_it_is_on_the_first_screen(stage: Stage, size: tuple[int, int], language: str) -> None:
    width, height = size
    await stage.page.set_viewport_size({"width": width, "height": height})
    stage.at(119.0)
    await stage.open(f"?lang={language}")
    assert await stage.page.evaluate(
        "document.fonts.load('14px \"Be Vietnam Pro\"', 'ệ').then(fonts => fonts.length > 0)"
    )
    for panel in ("header", "boards", "amplifiers", "bulletins", "story", "timeline"):
        box = await stage.page.locator(f"#{panel}").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    for last in ("#bulletin-rows tr:last-child", "#story-steps li:last-child", "#timeline-list li:first-child"):
        await expect(stage.page.locator(last)).to_be_in_viewport(ratio=1)
    assert await stage.page.evaluate("[document.body, ...document.querySelectorAll('#header, .amplifier > header')]"
                                     ".every(box => box.scrollWidth <= box.clientWidth)")  # fmt: skip


async def test_nothing_is_asked_of_other_servers(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    stage.at(40.0)
    await stage.open()
    await expect(stage.page.locator("#phase")).to_have_text("Khẩn cấp")
    assert asked
    assert all(url.startswith((stage.url, stage.url.replace("http", "ws"), "data:")) for url in asked)


async def test_stillness_is_respected(stage: Stage) -> None:
    await stage.page.emulate_media(reduced_motion="reduce")
    stage.at(40.0)
    await stage.open()
    await expect(stage.page.locator("#phase")).to_have_text("Khẩn cấp")
    assert await stage.page.evaluate("document.getAnimations().length") == 0
