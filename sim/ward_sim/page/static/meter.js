// A level meter with a dB scale: rises at once, falls slowly, and holds its peak, as sound engineers are used to.

import { element, setAttribute, setText } from "./dom.js";
import { number, say } from "./words.js";

export const FLOOR_DB = -60;
const SCALE = [-48, -36, -24, -18, -12, -6, 0];
const FALL_DB_PER_S = 24; // between the 11.8 dB/s of a DIN PPM and a digital meter: shows syllables
const HOLD_MS = 1500;
const PEAK_FALL_DB_PER_S = 12;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const meters = new Set();
let running = false;

function share(db) {
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / -FLOOR_DB));
}

function step(now) {
  let moving = false;
  for (const meter of meters) {
    if (!meter.root.isConnected) meters.delete(meter);
    else moving = meter.advance(now) || moving;
  }
  running = moving;
  if (moving) requestAnimationFrame(step);
}

/** The row of figures that belongs above a column of meters. */
export function meterScale() {
  const scale = element("div");
  for (const db of SCALE) {
    const mark = element("span", {}, String(db).replace("-", "\u2212"));
    mark.style.left = `${share(db) * 100}%`;
    scale.append(mark);
  }
  return element("div", { class: "meter-scale", "aria-hidden": "true" }, scale, element("b", {}, "dB"));
}

export class Meter {
  constructor(testId) {
    this.bar = element("div", { class: "meter-bar" });
    this.mark = element("div", { class: "meter-peak" });
    this.root = element(
      "div",
      { class: "meter", role: "meter", "aria-valuemin": FLOOR_DB, "aria-valuemax": 0, "data-testid": testId },
      this.bar,
      this.mark,
    );
    Object.assign(this, { target: FLOOR_DB, level: FLOOR_DB, peak: FLOOR_DB, heldUntil: 0, before: 0 });
  }

  /** Show a level in dB below full scale, null for no sound at all. */
  set(db, name) {
    this.target = db === null ? FLOOR_DB : Math.max(FLOOR_DB, Math.min(0, db));
    setAttribute(this.root, "aria-valuenow", this.target.toFixed(1));
    setAttribute(this.root, "aria-valuetext", db === null ? say("zone.silent") : `${number(db, 0)} dB`);
    setAttribute(this.root, "aria-label", say("zone.level", { name }));
    meters.add(this);
    if (!running) {
      running = true;
      requestAnimationFrame(step);
    }
  }

  // Move on to `now` (ms); false once everything rests.
  advance(now) {
    const seconds = Math.min(0.25, Math.max(0, (now - this.before) / 1000));
    this.before = now;
    const fallen = still.matches ? FLOOR_DB : this.level - FALL_DB_PER_S * seconds;
    this.level = Math.max(this.target, fallen);
    if (this.target >= this.peak) {
      this.peak = this.target;
      this.heldUntil = now + HOLD_MS;
    } else if (now > this.heldUntil) {
      this.peak = Math.max(this.level, still.matches ? FLOOR_DB : this.peak - PEAK_FALL_DB_PER_S * seconds);
    }
    this.bar.style.setProperty("--level", share(this.level).toFixed(4));
    this.mark.style.left = `${(share(this.peak) * 100).toFixed(2)}%`;
    this.mark.style.opacity = this.peak > FLOOR_DB ? "1" : "0";
    return this.level > this.target || this.peak > this.target;
  }
}

/** The figure beside a meter. */
export function showFigure(node, db) {
  setText(node, db === null ? "\u2013" : number(db, 0));
}
