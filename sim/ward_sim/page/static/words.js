// What the page says to people: one dictionary (words.json) in Vietnamese and English, the choice kept in the URL.

const LANGUAGES = ["vi", "en"];
const fromUrl = new URLSearchParams(location.search).get("lang");
let language = LANGUAGES.includes(fromUrl) ? fromUrl : "vi";
let dictionary = {};

/** Read the dictionary; the page says nothing before. */
export async function loadWords() {
  const answer = await fetch("/static/words.json");
  if (!answer.ok) throw new Error(`words.json: HTTP ${answer.status}`);
  dictionary = await answer.json();
}

/** The language shown now, "vi" or "en". */
export function currentLanguage() {
  return language;
}

/** Whether the dictionary has this key. */
export function knows(key) {
  return key in dictionary;
}

/** Say a key, with {name} places filled from `values`. An unknown key is said as it is: it will be seen. */
export function say(key, values = {}) {
  const text = dictionary[key]?.[language] ?? key;
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

/** Say one of a family ("phase", "emergency"), or the bare name when the dictionary does not have it. */
export function sayOne(family, name) {
  const key = `${family}.${name}`;
  return knows(key) ? say(key) : String(name);
}

/** A number in the manner of the language (Vietnamese writes a decimal comma). */
export function number(value, digits) {
  const settings = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString(language, settings).replace("-", "\u2212");
}

/** Seconds as m:ss. */
export function minutes(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Choose a language and keep it in the address, so that a reload or a shared link shows the same. */
export function chooseLanguage(chosen) {
  language = chosen;
  const address = new URL(location.href);
  address.searchParams.set("lang", chosen);
  history.replaceState(null, "", address);
}

/** Put the words into the fixed parts of the document. */
export function dressDocument() {
  document.documentElement.lang = language;
  document.title = say("page.title");
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
  for (const node of document.querySelectorAll("[data-word-label]")) {
    node.setAttribute("aria-label", say(node.dataset.wordLabel));
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
}
