// The top line: phase, the way from the source to the devices, and the clock of the story.

import { drawing, element, keepList, setAttribute, setText } from "./dom.js";
import { minutes, number, say, sayOne } from "./words.js";

const body = document.body;
const path = document.getElementById("path");
const elapsed = document.getElementById("elapsed");
const clock = document.getElementById("clock");

const ICONS = {
  source: '<svg viewBox="0 0 24 24"><path d="M12 10v11M8 21h8M8.5 13.5a5 5 0 1 1 7 0M5.6 16.4a9 9 0 1 1 12.8 0"/></svg>',
  hub: '<svg viewBox="0 0 24 24"><path d="M5 5h14v14H5zM9.5 9.5h5v5h-5zM9 2v3M15 2v3M9 19v3M15 19v3M2 9h3M2 15h3M19 9h3M19 15h3"/></svg>',
  devices: '<svg viewBox="0 0 24 24"><path d="M3 5h18v9H3zM7 18h10M12 14v4M7 9.5h6"/></svg>',
};

function stations({ link, hub, amplifiers, boards }) {
  const devices = [...amplifiers, ...boards];
  const alive = devices.filter((device) => device.alive).length;
  const loss = number(link.loss * 100, link.loss * 100 < 10 && (link.loss * 100) % 1 ? 1 : 0);
  return [
    { id: "source", name: say("path.source"), text: "", up: true },
    {
      id: "link",
      wire: true,
      name: say("path.link"),
      text: link.up ? say("path.link_up", { delay: Math.round(link.delay_ms), loss }) : say("path.link_down"),
      up: link.up,
    },
    {
      id: "hub",
      name: say("path.hub"),
      text: hub.up ? say("path.hub_up", { pid: hub.pid, n: hub.restarts }) : say("path.hub_down", { n: hub.restarts }),
      up: hub.up,
    },
    { id: "line", wire: true, name: say("path.line"), text: "", up: hub.up },
    {
      id: "devices",
      name: say("path.devices"),
      text: say("path.devices_alive", { alive, all: devices.length }),
      up: alive === devices.length,
    },
  ];
}

function makeStation({ id, wire }) {
  const made = element("li", { class: wire ? "wire" : "station", "data-testid": `path-${id}` });
  if (!wire) made.append(drawing(ICONS[id]));
  made.append(element("div", { class: "path-text" }, element("b"), element("span")));
  return made;
}

function showStation(made, { name, text, up }) {
  setAttribute(made, "data-up", up);
  setText(made.querySelector("b"), name);
  setText(made.querySelector("span"), text);
}

// The font's digits differ in width: each gets a cell of its own, so that the running clock does not tremble.
function showElapsed(text) {
  keepList(elapsed, [...text], () => "", () => element("span"), setText);
}

/** Show the header of this snapshot. */
export function showHeader(snapshot) {
  setAttribute(body, "data-phase", snapshot.phase);
  setText(document.getElementById("phase-name"), sayOne("phase", snapshot.phase));
  keepList(path, stations(snapshot), (station) => station.id, makeStation, showStation);
  showElapsed(minutes(snapshot.t));
  setAttribute(clock, "datetime", snapshot.clock);
  // The wall clock of the ward, not of the browser: cut it out of the text, so that no time zone is applied.
  setText(clock, /T(\d\d:\d\d:\d\d)/.exec(snapshot.clock)?.[1] ?? snapshot.clock);
}
