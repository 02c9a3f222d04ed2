// Small tools to write the document with: make an element, change it only when it differs, keep a list in step.

/**
 * Make an element. Attributes whose value is null or undefined are left out.
 * @param {string} tag
 * @param {Record<string, string | number | null | undefined>} attributes
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** Make an SVG drawing from markup that we wrote ourselves (never from data). */
export function drawing(markup) {
  const holder = document.createElement("template");
  holder.innerHTML = markup.trim();
  return holder.content.firstElementChild;
}

/** Set the text of a node, without touching the document when it is the same already. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set an attribute likewise; null removes it. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/**
 * Keep the children of `parent` in step with `items`, re-using the element of each key.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf  keys may repeat: the n-th of a kind keeps the n-th element
 * @param {(item: T) => Element} make
 * @param {(made: Element, item: T, index: number) => void} update
 */
export function keepList(parent, items, keyOf, make, update) {
  const known = parent.keptByKey ?? new Map();
  const kept = new Map();
  const repeats = new Map();
  let after = null;
  items.forEach((item, index) => {
    const plain = keyOf(item);
    const count = repeats.get(plain) ?? 0;
    repeats.set(plain, count + 1);
    const key = `${plain}\u0000${count}`;
    const made = known.get(key) ?? make(item);
    kept.set(key, made);
    const place = after === null ? parent.firstElementChild : after.nextElementSibling;
    if (place !== made) parent.insertBefore(made, place);
    update(made, item, index);
    after = made;
  });
  for (const [key, made] of known) if (kept.get(key) !== made) made.remove();
  parent.keptByKey = kept;
}
