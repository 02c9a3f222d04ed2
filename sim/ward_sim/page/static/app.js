// Starts the page: words, then the feed; draws the newest snapshot once per screen refresh at most.

import { showAmplifiers } from "./amplifiers.js";
import { showBoards } from "./boards.js";
import { showBulletins } from "./bulletins.js";
import { setAttribute, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { showHeader } from "./header.js";
import { showStory } from "./story.js";
import { showTimeline } from "./timeline.js";
import { chooseLanguage, dressDocument, loadWords, say } from "./words.js";

const SHOW_BACK_MS = 4000;
const notice = document.getElementById("feed-state");
const feed = { state: "connecting", attempt: 0 };
let newest = null;
let drawing = false;
let backTimer = null;

function draw() {
  drawing = false;
  if (newest === null) return;
  showHeader(newest);
  showBoards(newest.boards);
  showAmplifiers(newest.amplifiers, newest.zones);
  showBulletins(newest);
  showStory(newest.story, newest.t);
  showTimeline(newest.timeline);
  document.body.dataset.drawn = "true";
}

function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function showFeed() {
  const { state, attempt } = feed;
  const text = { connecting: say("feed.connecting"), lost: say("feed.lost", { n: attempt }), back: say("feed.back"), live: "" };
  setText(notice, text[state]);
  setAttribute(document.body, "data-feed", state === "back" ? "live" : state);
  setAttribute(notice, "data-state", state);
}

function onFeed(state, attempt) {
  clearTimeout(backTimer);
  Object.assign(feed, { state: state === "live" && attempt > 0 ? "back" : state, attempt });
  if (feed.state === "back") {
    backTimer = setTimeout(() => {
      feed.state = "live";
      showFeed();
    }, SHOW_BACK_MS);
  }
  showFeed();
}

function onSnapshot(snapshot) {
  newest = snapshot;
  drawSoon();
}

function onLanguage(event) {
  chooseLanguage(event.currentTarget.dataset.language);
  dressDocument();
  showFeed();
  drawSoon();
}

await loadWords();
dressDocument();
for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", onLanguage);
new Feed(onSnapshot, onFeed);
