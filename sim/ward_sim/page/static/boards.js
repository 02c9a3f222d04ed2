// The wall of LED boards: every board at the same LED pitch (so their sizes compare), as large as the wall allows.

import { element, keepList, setAttribute, setText } from "./dom.js";
import { LedPanel, litLeds } from "./led.js";
import { say } from "./words.js";

// CSS pixels, as in outlets.css: a case around the LEDs, the gaps between cases, the line under a board.
const CASE = 12;
const GAP_ACROSS = 14;
const GAP_DOWN = 6;
const CAPTION = 24;
const SHARE_OF_SCREEN = 0.28; // what the wall may take of the screen's height
const LARGEST_PITCH = 8; // CSS pixels; a tiny board need not fill the screen

const wall = document.getElementById("board-wall");
const panels = new WeakMap();
let shown = [];

// Put boards into rows of at most `perRow`.
function inRows(boards, perRow) {
  const rows = [];
  for (let at = 0; at < boards.length; at += perRow) rows.push(boards.slice(at, at + perRow));
  return rows;
}

// The LED pitch (device pixels) at which these rows fit into width x height (CSS pixels).
function pitchOf(rows, width, height, ratio) {
  const across = rows.map((row) => {
    const leds = row.reduce((sum, board) => sum + board.width, 0);
    return (width + GAP_ACROSS - row.length * (CASE + GAP_ACROSS)) / leds;
  });
  const leds = rows.reduce((sum, row) => sum + Math.max(...row.map((board) => board.height)), 0);
  const down = (height + GAP_DOWN - rows.length * (CASE + CAPTION + GAP_DOWN)) / leds;
  return Math.max(1, Math.floor(Math.min(...across, down, LARGEST_PITCH) * ratio));
}

function bestPitch(boards, width, height, ratio) {
  let best = 1;
  for (let perRow = 1; perRow <= boards.length; perRow += 1) {
    best = Math.max(best, pitchOf(inRows(boards, perRow), width, height, ratio));
  }
  return best;
}

function make(board) {
  const canvas = element("canvas", { role: "img", "data-testid": `board-canvas-${board.id}` });
  const made = element(
    "figure",
    { class: "board", "data-testid": `board-${board.id}` },
    element("div", { class: "board-case" }, canvas, element("span", { class: "board-dead" })),
    element("figcaption", {}, element("b"), element("span", { class: "board-state" }), element("span", { class: "quiet" })),
  );
  panels.set(made, { led: new LedPanel(canvas), frame: null });
  return made;
}

function describe(made, board, lit) {
  const state = !board.alive ? say("boards.dead") : lit === 0 ? say("boards.blank") : say("boards.lit", { n: lit });
  const [name, status, size] = made.querySelectorAll("figcaption > *");
  setText(name, board.name);
  setText(status, state);
  setText(size, say("boards.size", board));
  setText(made.querySelector(".board-dead"), board.alive ? "" : say("boards.dead"));
  setAttribute(made, "data-alive", board.alive);
  setAttribute(made, "data-lit", lit);
  setAttribute(made.querySelector("canvas"), "aria-label", say("boards.describe", { name: board.name, state }));
}

function update(made, board, pitch, ratio) {
  const panel = panels.get(made);
  const resized = panel.led.resize(board.width, board.height, pitch, ratio);
  if (resized || panel.frame !== board.frame) {
    panel.lit = litLeds(board.frame, board.width, board.height);
    panel.frame = board.frame;
    panel.led.draw(panel.lit);
  }
  describe(made, board, panel.lit.length);
}

/** Show these boards. */
export function showBoards(boards) {
  shown = boards;
  const ratio = window.devicePixelRatio || 1;
  const pitch = bestPitch(boards, wall.clientWidth, window.innerHeight * SHARE_OF_SCREEN, ratio);
  keepList(wall, boards, (board) => board.id, make, (made, board) => update(made, board, pitch, ratio));
}

new ResizeObserver(() => showBoards(shown)).observe(wall);
window.addEventListener("resize", () => showBoards(shown)); // also when the zoom changes, and with it the pixel ratio
