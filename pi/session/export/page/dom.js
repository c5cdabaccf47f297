// Elements and texts. Nothing here, or anywhere in the page, makes markup from a string.

const MARKS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** An element. attributes: `class`, `data-…` and the like as they are, `on` a map of listeners. */
function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    if (typeof child === "string") addText(element, child);
    else element.append(child);
  }
  return element;
}

/** Add text, with characters that would change or hide what one sees shown by their code. */
function addText(parent, text) {
  MARKS.lastIndex = 0;
  let from = 0;
  for (let match; (match = MARKS.exec(text)); ) {
    if (match.index > from) parent.append(text.slice(from, match.index));
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.title = `Character U+${code}`;
    mark.textContent = `U+${code}`;
    parent.append(mark);
    from = match.index + match[0].length;
  }
  if (from < text.length) parent.append(from ? text.slice(from) : text);
}

/** The same in a string, for places that take no elements. */
function plain(text) {
  return text.replace(MARKS, "\ufffd");
}

const byId = (id) => document.getElementById(id);

/** What is not of the type one expects becomes an empty one: sessions may hold anything. */
const str = (value) => (typeof value === "string" ? value : "");
const list = (value) => (Array.isArray(value) ? value : []);
const record = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : 0);

const count = (value) => value.toLocaleString("en-US");
const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

function tokens(value) {
  if (value < 1000) return String(value);
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)}k`;
  return `${(value / 1e6).toFixed(value < 1e7 ? 2 : 1)}M`;
}

function dollars(value) {
  if (value === 0) return "$0";
  return value < 0.01 ? `$${value.toFixed(4)}` : `$${value.toFixed(2)}`;
}

/** A point in time, in the reader's zone; null for none. */
function time(value, options = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" }) {
  const date = new Date(typeof value === "number" || typeof value === "string" ? value : NaN);
  if (Number.isNaN(date.getTime())) return null;
  const iso = date.toISOString();
  return h("time", { datetime: iso, title: iso }, date.toLocaleString(undefined, options));
}

/** The beginning of a text on one line. */
function oneLine(text, length = 120) {
  const line = text.slice(0, length * 4).replace(/\s+/g, " ").trim();
  return plain(line.length > length ? `${line.slice(0, length - 1)}…` : line);
}

/** Without the marks of Markdown that say nothing in a preview. */
const unmarked = (text) => text.slice(0, 2000).replace(/^[#>\s]{1,20}|\*\*|`/gm, "");

/** The text of a message's content: a string, or blocks. */
function textOf(content) {
  if (typeof content === "string") return content;
  return list(content)
    .map((block) => (record(block).type === "text" ? str(block.text) : ""))
    .filter(Boolean)
    .join("\n\n");
}
