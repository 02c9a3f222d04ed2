// The timeline, newest at the top: where the eye is when something happens.

import { element, keepList, setAttribute, setText } from "./dom.js";
import { currentLanguage, minutes, say } from "./words.js";

const list = document.getElementById("timeline-list");
const empty = document.getElementById("timeline-empty");

function makeEntry(entry) {
  return element(
    "li",
    { class: "entry", "data-severity": entry.severity, "data-kind": entry.kind },
    element("time"),
    element("span", { class: "dot", role: "img" }),
    element("span", { class: "entry-text" }),
  );
}

function showEntry(made, entry) {
  const [time, dot, text] = made.children;
  setText(time, minutes(entry.t));
  setAttribute(dot, "aria-label", say(`severity.${entry.severity}`));
  setText(text, entry[currentLanguage()]);
}

/** Show these entries (oldest first, as they come). */
export function showTimeline(entries) {
  const newestFirst = [...entries].reverse();
  const reading = list.scrollTop > 4; // someone scrolled back: keep what they read in place
  const before = list.scrollHeight;
  keepList(list, newestFirst, (entry) => `${entry.t} ${entry.kind} ${entry.en}`, makeEntry, showEntry);
  if (reading) list.scrollTop += list.scrollHeight - before;
  empty.hidden = entries.length > 0;
}
