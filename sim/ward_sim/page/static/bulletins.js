// Every bulletin: what was decided and why, where and when it was carried, and whether its receipt went home.

import { element, keepList, setAttribute, setText } from "./dom.js";
import { minutes, say, sayOne } from "./words.js";

const rows = document.getElementById("bulletin-rows");
const empty = document.getElementById("bulletins-empty");
const receiptCount = document.getElementById("receipt-count");

function makeRow(bulletin) {
  return element(
    "tr",
    { "data-testid": `bulletin-${bulletin.digest}`, "data-priority": bulletin.priority, "data-status": bulletin.status },
    element(
      "th",
      { scope: "row" },
      element("span", { class: "status" }),
      element("span", { class: "priority" }),
      element("span", { class: "title" }),
      element("code", { class: "quiet" }, bulletin.digest.slice(0, 8)),
    ),
    element("td", { class: "decision" }, element("b"), element("span", { class: "reason" })),
    element("td", { class: "aired" }, element("div", { class: "lanes", "aria-hidden": "true" }), element("span")),
    element("td", { class: "outcome" }, element("b")),
    element("td", { class: "receipt" }, element("b")),
  );
}

// Outlets that were on the air over the same seconds are said together.
function spans(aired, now) {
  const grouped = new Map();
  for (const { outlet, from, to } of aired) {
    const key = `${minutes(from)}\u2013${to === null ? "" : minutes(to)}`;
    const span = grouped.get(key) ?? { from, to: to ?? now, ended: to !== null, outlets: [] };
    span.from = Math.min(span.from, from);
    span.to = Math.max(span.to, to ?? now);
    span.outlets.push(outlet);
    grouped.set(key, span);
  }
  return [...grouped.values()].sort((one, other) => one.from - other.from);
}

function spanText(span, names) {
  const from = minutes(span.from);
  const when = span.ended ? `${from}\u2013${minutes(span.to)}` : say("bulletins.since", { from });
  const outlets = span.outlets.map((outlet) => names.get(outlet) ?? outlet);
  const figure = say("bulletins.outlets", { n: outlets.length });
  return `${when} · ${figure}: ${outlets.join(", ")}`;
}

function showLane(bar, { airing, kind }, now, length) {
  const to = airing.to ?? now;
  bar.style.left = `${(100 * airing.from) / length}%`;
  bar.style.width = `${Math.max(0.6, (100 * (to - airing.from)) / length)}%`;
  setAttribute(bar, "data-kind", kind);
  setAttribute(bar, "data-live", airing.to === null);
}

// One lane for sound, one for boards: they overlap within a kind, so one bar stands for what is on together.
function showAired(cell, bulletin, scene) {
  const [lanes, text] = cell.children;
  const bars = bulletin.aired.map((airing) => ({ airing, kind: scene.boards.has(airing.outlet) ? "board" : "zone" }));
  keepList(lanes, bars, ({ airing }) => `${airing.outlet} ${airing.from}`, () => element("i"), (bar, one) =>
    showLane(bar, one, scene.t, scene.length),
  );
  const said = spans(bulletin.aired, scene.t).map((span) => spanText(span, scene.names));
  setText(text, said.join("; ") || "\u2013");
  setAttribute(cell, "title", said.join("\n") || null);
}

function showRow(row, bulletin, scene) {
  const [name, decision, aired, outcome, receipt] = row.children;
  // What is real needs no word; a drill is called one wherever it stands.
  const drill = bulletin.status === "Actual" ? "" : sayOne("status", bulletin.status);
  setText(name.querySelector(".status"), drill);
  setText(name.querySelector(".priority"), sayOne("priority", bulletin.priority));
  setText(name.querySelector(".title"), bulletin.title);
  setAttribute(name, "title", [drill, bulletin.title, bulletin.digest].filter(Boolean).join("\n"));
  setAttribute(row, "data-decision", bulletin.decision);
  setAttribute(row, "data-outcome", bulletin.outcome);
  setAttribute(row, "data-receipt", bulletin.receipt);
  setText(decision.firstElementChild, sayOne("decision", bulletin.decision));
  setText(decision.lastElementChild, bulletin.reason ?? "");
  setAttribute(decision, "title", bulletin.reason);
  showAired(aired, bulletin, scene);
  const onAir = bulletin.outcome === null && bulletin.aired.some((airing) => airing.to === null);
  setAttribute(row, "data-onair", onAir);
  setText(outcome.firstElementChild, onAir ? say("bulletins.now") : bulletin.outcome ? sayOne("outcome", bulletin.outcome) : "\u2026");
  setText(receipt.firstElementChild, bulletin.receipt ? `\u2713 ${say("receipt.yes")}` : say("receipt.no"));
}

function sceneOf({ t, boards, zones, story }) {
  const names = new Map([...zones, ...boards].map((outlet) => [outlet.id, outlet.name]));
  const boardNames = new Set(boards.flatMap((board) => [board.id, board.name]));
  return { t, names, boards: boardNames, length: Math.max(story.length_s, t, 1) };
}

/** Show the bulletins of this snapshot, the newest at the top. */
export function showBulletins(snapshot) {
  const { bulletins } = snapshot;
  const scene = sceneOf(snapshot);
  keepList(rows, [...bulletins].reverse(), (bulletin) => bulletin.digest, makeRow, (row, bulletin) =>
    showRow(row, bulletin, scene),
  );
  const delivered = bulletins.filter((bulletin) => bulletin.receipt).length;
  setText(receiptCount, bulletins.length ? say("bulletins.receipts", { n: delivered, all: bulletins.length }) : "");
  empty.hidden = bulletins.length > 0;
}
