// Builds the page's elements. Text becomes text nodes and nothing else, so the content of a message stays text.

/** Find an element of index.html by its id. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element. A property that is a function becomes the listener of the event with that name. The values `false`
 * and `undefined` leave an attribute out. The value `true` makes it empty. Children are nodes or text.
 */
export function make(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}

export function button(text, click, properties = {}) {
  return make("button", { type: "button", click, ...properties }, text);
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Format a time that is given in seconds since 1970. */
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.valueOf()) ? String(seconds) : moments.format(date);
}

export function time(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.valueOf())
    ? String(seconds)
    : make("time", { datetime: date.toISOString(), title: date.toISOString() }, moment(seconds));
}

/** Return a list of the names and values of metadata, or undefined if there is none. */
export function pairs(map) {
  const entries = Object.entries(map ?? {});
  if (entries.length === 0) return undefined;
  const rows = entries.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", { dir: "auto" }, value)),
  );
  return make("dl", { class: "pairs" }, ...rows);
}

/** Tell a screen reader what has changed. */
export function announce(text) {
  byId("announcer").replaceChildren(make("p", {}, text)); // a new element, because the same text may come twice
}
