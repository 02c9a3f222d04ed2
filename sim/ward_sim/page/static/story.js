// The story: how far it is, and which of its steps were passed.

import { element, keepList, setAttribute, setText } from "./dom.js";
import { currentLanguage, minutes, say } from "./words.js";

const bar = document.getElementById("story-bar");
const fill = document.getElementById("story-fill");
const marks = document.getElementById("story-marks");
const steps = document.getElementById("story-steps");
const count = document.getElementById("story-count");

const GLYPHS = { ok: "\u2713", failed: "\u2715", done: "\u2713", now: "\u25B6", next: "" };

function stateOf(step, isNext) {
  if (step.ok === true) return "ok";
  if (step.ok === false) return "failed";
  if (step.done) return "done";
  return isNext ? "now" : "next";
}

function makeStep() {
  return element(
    "li",
    { class: "step" },
    element("span", { class: "tick" }),
    element("time"),
    element("span", { class: "step-text" }),
  );
}

function showStep(made, { step, state }, index) {
  const [tick, time, text] = made.children;
  setAttribute(made, "data-state", state);
  setAttribute(made, "data-testid", `step-${index}`);
  setAttribute(made, "aria-current", state === "now" ? "step" : null);
  setText(tick, GLYPHS[state]);
  setAttribute(tick, "role", "img");
  setAttribute(tick, "aria-label", say(state === "now" ? "story.next" : `story.${state}`));
  setText(time, minutes(step.t));
  setText(text, step[currentLanguage()]);
}

function showMark(made, { step, state }, length) {
  made.style.left = `${Math.min(100, (100 * step.t) / length)}%`;
  setAttribute(made, "data-state", state);
}

/** Show the story at `t` seconds. */
export function showStory(story, t) {
  const length = Math.max(story.length_s, 1);
  const next = story.steps.findIndex((step) => !step.done);
  const judged = story.steps.map((step, index) => ({ step, state: stateOf(step, index === next) }));
  const passed = judged.filter(({ state }) => state === "ok").length;
  const failed = judged.some(({ state }) => state === "failed");
  setAttribute(document.body, "data-verdict", failed ? "failed" : passed === judged.length ? "passed" : "open");
  setText(count, say("story.passed", { n: passed, all: story.steps.length }));
  setAttribute(bar, "aria-valuemax", length);
  setAttribute(bar, "aria-valuenow", Math.min(length, Math.round(t)));
  setAttribute(bar, "aria-valuetext", `${minutes(t)} / ${minutes(length)}`);
  fill.style.width = `${Math.min(100, (100 * t) / length)}%`;
  keepList(marks, judged, ({ step }) => String(step.t), () => element("i"), (made, one) => showMark(made, one, length));
  keepList(steps, judged, ({ step }) => `${step.t} ${step.en}`, makeStep, showStep);
  const current = steps.querySelector('[aria-current="step"]');
  if (current && current !== steps.shownStep) {
    steps.shownStep = current;
    steps.scrollTop = current.offsetTop - steps.clientHeight / 2;
  }
}
