// Amplifier controllers: inputs, the eight relays drawn as contacts with a lamp, and the zones they switch.

import { drawing, element, keepList, setAttribute, setText } from "./dom.js";
import { Meter, meterScale, showFigure } from "./meter.js";
import { number, say } from "./words.js";

const list = document.getElementById("amplifier-list");
const meters = new WeakMap();

// A normally open contact; the style sheet lowers the arm when the relay is closed.
const CONTACT = `<svg class="contact" viewBox="0 0 44 18" aria-hidden="true">
  <path class="wire" d="M1 14H11M33 14H43"/><path class="arm" d="M11 14H34"/>
  <circle class="pin" cx="11" cy="14" r="2.4"/><circle class="pin" cx="33" cy="14" r="2.4"/></svg>`;

const HORN = `<svg class="horn" viewBox="0 0 24 24" aria-hidden="true"><path class="body" d="M3 9.5h4L15 5v14l-8-4.5H3z"/>
  <path class="wave" d="M17.5 9.5a4 4 0 0 1 0 5"/><path class="wave" d="M20 7a8 8 0 0 1 0 10"/></svg>`;

const INPUTS = [
  ["supply", "amplifiers.supply", (amplifier) => [amplifier.supply_mv, 1000, 1, "V"]],
  ["line", "amplifiers.line", (amplifier) => [amplifier.line_mv, 1, 0, "mV"]],
  ["temperature", "amplifiers.temperature", (amplifier) => [amplifier.temperature_c, 1, 1, "°C"]],
];

function makeInput(name) {
  return element("div", { class: "input", "data-input": name }, element("dt"), element("dd"));
}

function makeCard(amplifier) {
  return element(
    "article",
    { class: "amplifier", "data-testid": `amplifier-${amplifier.id}` },
    element(
      "header",
      {},
      element("span", { class: "lamp", "aria-hidden": "true" }),
      element("h3"),
      element("span", { class: "quiet unit" }),
      element("span", { class: "life" }),
      element("dl", {}, ...INPUTS.map(([name]) => makeInput(name))),
    ),
    element("ol", { class: "relays" }),
    element("div", { class: "zones" }, meterScale(), element("ul")),
  );
}

function showInputs(card, amplifier) {
  for (const [name, title, read] of INPUTS) {
    const [title_, figure] = card.querySelector(`[data-input="${name}"]`).children;
    const [value, divisor, digits, unit] = read(amplifier);
    const known = amplifier.alive && Number.isFinite(value);
    setText(title_, say(title));
    setText(figure, known ? `${number(value / divisor, digits)} ${unit}` : "\u2013");
  }
}

function makeRelay() {
  return element(
    "li",
    { class: "relay", role: "img" },
    drawing(CONTACT),
    element("span", { class: "relay-label" }),
  );
}

function showRelay(made, amplifier, index, closed) {
  const label = amplifier.labels[index] ?? "";
  const state = say(closed ? "relay.closed" : "relay.open");
  setText(made.querySelector(".relay-label"), label);
  setAttribute(made, "data-testid", `relay-${amplifier.id}-${index}`);
  setAttribute(made, "data-on", closed);
  setAttribute(made, "data-spare", !closed && (label === "" || label === "\u2013" || label === "-"));
  setAttribute(made, "aria-label", say("relay.describe", { n: index, label, state }));
  setAttribute(made, "title", made.getAttribute("aria-label"));
}

function makeZone(zone) {
  const meter = new Meter(`meter-${zone.id}`);
  const made = element(
    "li",
    { class: "zone", "data-testid": `zone-${zone.id}` },
    drawing(HORN),
    element("span", { class: "zone-name" }),
    element("span", { class: "quiet zone-state" }),
    meter.root,
    element("span", { class: "zone-level" }),
  );
  meters.set(made, meter);
  return made;
}

function showZone(made, zone) {
  setAttribute(made, "data-on", zone.on);
  setAttribute(made, "title", zone.name);
  setText(made.querySelector(".zone-name"), zone.name);
  setText(made.querySelector(".zone-state"), say(zone.on ? "zone.on" : "zone.off"));
  showFigure(made.querySelector(".zone-level"), zone.level_db);
  meters.get(made).set(zone.level_db, zone.name);
}

function showCard(card, amplifier, zones) {
  setAttribute(card, "data-alive", amplifier.alive);
  setAttribute(card, "data-powered", amplifier.relays.some(Boolean));
  setText(card.querySelector("h3"), amplifier.name);
  setText(card.querySelector(".unit"), say("amplifiers.unit", amplifier));
  setText(card.querySelector(".life"), say(amplifier.alive ? "amplifiers.alive" : "amplifiers.dead"));
  showInputs(card, amplifier);
  const relays = amplifier.relays.map((closed, index) => ({ closed, index }));
  keepList(
    card.querySelector(".relays"),
    relays,
    (relay) => String(relay.index),
    makeRelay,
    (made, relay) => showRelay(made, amplifier, relay.index, relay.closed),
  );
  keepList(card.querySelector(".zones ul"), zones, (zone) => zone.id, makeZone, showZone);
}

/** Show these amplifiers, each with its zones in the order of their relays. */
export function showAmplifiers(amplifiers, zones) {
  const ordered = [...zones].sort((one, other) => one.relay - other.relay);
  keepList(list, amplifiers, (amplifier) => amplifier.id, makeCard, (card, amplifier) => {
    showCard(card, amplifier, ordered.filter((zone) => zone.amplifier === amplifier.id));
  });
}
