// Markdown inside a line: code, emphasis, links. A flat list of pieces is made in one pass; pairs of
// delimiters mark where elements begin and end; then the elements are built. Linear, as far as
// nesting is bounded: what is nested deeper stays text.

const MAX_NESTING = 24;
const MAX_TARGET = 2000; // characters of a link's target
const SPECIAL = /[\\`*_~[\]!<&\n]|https?:\/\//g;
const PUNCTUATION = /[!-/:-@[-`{-~\u2010-\u2027\u2030-\u205e\u00a1-\u00bf]/;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", hellip: "…", mdash: "—", ndash: "–", rarr: "→", larr: "←", times: "×", deg: "°", middot: "·", bull: "•" };

/** Where a link may lead; null for anywhere else. Browsers skip controls and blanks in a scheme. */
function safeTarget(target) {
  const cleaned = target.replace(/[\u0000-\u0020\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "");
  let url;
  try {
    url = new URL(cleaned);
  } catch {
    return null;
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
}

/** definitions: targets of [text][name], by lower-case name. */
function addInline(parent, text, definitions) {
  const pieces = [];
  const delimiters = []; // places of delimiter runs in pieces
  const brackets = [];
  let spentBrackets = 0; // so many of them stand before a link and cannot begin another around it
  const ticks = tickRuns(text);
  let from = 0;
  let at = 0;
  const flush = (end) => {
    if (end > from) pieces.push({ text: text.slice(from, end) });
  };
  const advance = (end) => {
    at = from = end;
  };
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const match = SPECIAL.exec(text);
    if (match === null) break;
    at = match.index;
    const char = text[at];
    if (char === "\\") {
      const next = text[at + 1];
      if (next === "\n") {
        flush(at);
        pieces.push({ element: h("br") });
        advance(at + 2);
      } else if (next !== undefined && /[!-/:-@[-`{-~]/.test(next)) {
        flush(at);
        pieces.push({ text: next });
        advance(at + 2);
      } else at++;
    } else if (char === "`") {
      let end = at;
      while (text[end] === "`") end++;
      const close = ticks.next(end - at, end);
      if (close === null) {
        at = end;
      } else {
        flush(at);
        let code = text.slice(end, close).replaceAll("\n", " ");
        if (code.length > 2 && code[0] === " " && code.at(-1) === " " && code.trim()) code = code.slice(1, -1);
        pieces.push({ element: h("code", { dir: "ltr" }, code) });
        advance(close + end - at);
      }
    } else if (char === "*" || char === "_" || char === "~") {
      let end = at;
      while (text[end] === char) end++;
      const run = delimiterRun(text, at, end, char);
      if (run === null) {
        at = end;
      } else {
        flush(at);
        delimiters.push(pieces.length);
        pieces.push(run);
        advance(end);
      }
    } else if (char === "!" && text[at + 1] === "[") {
      flush(at);
      brackets.push({ place: pieces.length, delimiters: delimiters.length, start: at + 2, image: true });
      pieces.push({ text: "![" });
      advance(at + 2);
    } else if (char === "[") {
      flush(at);
      brackets.push({ place: pieces.length, delimiters: delimiters.length, start: at + 1, image: false });
      pieces.push({ text: "[" });
      advance(at + 1);
    } else if (char === "]") {
      const opener = brackets.pop();
      const usable = opener !== undefined && (opener.image || brackets.length >= spentBrackets);
      const link = usable ? linkBehind(text, at, text.slice(opener.start, Math.min(at, opener.start + 200)), definitions) : null;
      spentBrackets = Math.min(spentBrackets, brackets.length);
      if (link === null) {
        at++;
        continue;
      }
      flush(at);
      pair(pieces, delimiters.splice(opener.delimiters));
      pieces[opener.place] = { text: "", opens: [linkElement(link.target, opener.image)], closes: [] };
      pieces.push({ text: "", opens: [], closes: [1] });
      if (!opener.image) spentBrackets = brackets.length;
      advance(link.end);
    } else if (char === "<") {
      const close = text.slice(at, at + MAX_TARGET).search(/[>\s]/);
      const target = close > 1 && text[at + close] === ">" ? text.slice(at + 1, at + close) : "";
      const link = /^(?:https?:\/\/|mailto:)/i.test(target) ? safeTarget(target) : null;
      if (link === null) at++;
      else {
        flush(at);
        pieces.push({ element: anchor(link, target) });
        advance(at + close + 1);
      }
    } else if (char === "&") {
      const entity = /^&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-z]{2,6}));/.exec(text.slice(at, at + 12));
      const value = entity && entityValue(entity);
      if (!value) at++;
      else {
        flush(at);
        pieces.push({ text: value });
        advance(at + entity[0].length);
      }
    } else if (char === "\n") {
      const hard = text.slice(from, at).endsWith("  ");
      flush(at);
      pieces.push(hard ? { element: h("br") } : { text: "\n" });
      advance(at + 1);
    } else if (char === "!") {
      at++;
    } else {
      // A bare address: to the next blank, without the punctuation of the sentence around it.
      const found = /^https?:\/\/[^\s<>"'`|\\^{}\u0000-\u0020]+/.exec(text.slice(at, at + MAX_TARGET))?.[0] ?? "";
      let target = found.replace(/[.,:;!?*_~]{1,20}$/, "");
      if (target.endsWith(")") && !target.includes("(")) target = target.slice(0, -1);
      if (target.includes("]")) target = target.slice(0, target.indexOf("]"));
      const link = target.length > 10 ? safeTarget(target) : null;
      if (link === null) at += match[0].length;
      else {
        flush(at);
        pieces.push({ element: anchor(link, target) });
        advance(at + target.length);
      }
    }
  }
  flush(text.length);
  pair(pieces, delimiters);
  build(parent, pieces);
}

function entityValue([, decimal, hex, name]) {
  if (name) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : null;
  const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : null;
}

function anchor(target, text) {
  return h("a", { href: target, title: plain(target), rel: "noopener noreferrer nofollow", target: "_blank", referrerpolicy: "no-referrer" }, text);
}

/** The element around a link's text. Images of the web are not fetched: they are links as well. */
function linkElement(target, image) {
  const safe = safeTarget(target);
  if (safe !== null) {
    const element = anchor(safe, "");
    if (image) element.append("🖼 ");
    return element;
  }
  // A file, a place in a page, or something that must not be followed: shown, not linked.
  return h("span", { class: "no-link", title: plain(target) });
}

/** Runs of backticks: `next(length, from)` is where the next run of exactly that length begins. */
function tickRuns(text) {
  const places = new Map();
  for (const match of text.matchAll(/`+/g)) {
    const { length } = match[0];
    if (!places.has(length)) places.set(length, { at: 0, list: [] });
    places.get(length).list.push(match.index);
  }
  return {
    next(length, from) {
      const known = places.get(length);
      if (known === undefined) return null;
      while (known.at < known.list.length && known.list[known.at] < from) known.at++;
      return known.list[known.at] ?? null;
    },
  };
}

/** A run of * _ or ~ as it may open and close; null where it is text. */
function delimiterRun(text, start, end, char) {
  const before = start === 0 ? "\n" : text[start - 1];
  const after = end === text.length ? "\n" : text[end];
  const spaceBefore = /\s/.test(before);
  const spaceAfter = /\s/.test(after);
  const markBefore = PUNCTUATION.test(before);
  const markAfter = PUNCTUATION.test(after);
  const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
  const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
  let opens = left;
  let closes = right;
  if (char === "_") {
    opens = left && (!right || markBefore);
    closes = right && (!left || markAfter);
  }
  const length = end - start;
  if ((!opens && !closes) || (char === "~" && length !== 2)) return null;
  return { char, left: length, length, canOpen: opens, canClose: closes, opens: [], closes: [] };
}

/** Find the pairs among delimiter runs; `places` are theirs in `pieces`. */
function pair(pieces, places) {
  const runs = places.map((place) => pieces[place]);
  const stack = []; // runs that may still be closed
  const bottom = new Map(); // below which there is no opener for a kind of closer
  for (const run of runs) {
    while (run.canClose && run.left > 0) {
      const kind = `${run.char}${run.canOpen}${run.length % 3}`;
      const floor = Math.min(bottom.get(kind) ?? 0, stack.length);
      let found = stack.length - 1;
      for (; found >= floor; found--) {
        const opener = stack[found];
        const odd = (opener.canClose || run.canOpen) && (opener.length + run.length) % 3 === 0 && (opener.length % 3 !== 0 || run.length % 3 !== 0);
        if (opener.char === run.char && !(odd && run.char !== "~")) break;
      }
      if (found < floor) {
        bottom.set(kind, stack.length);
        break;
      }
      const opener = stack[found];
      const width = run.char === "~" ? 2 : opener.left >= 2 && run.left >= 2 ? 2 : 1;
      opener.opens.push(run.char === "~" ? "del" : width === 2 ? "strong" : "em");
      run.closes.push(1);
      opener.left -= width;
      run.left -= width;
      stack.length = opener.left > 0 ? found + 1 : found;
      for (const [key, value] of bottom) if (value > stack.length) bottom.set(key, stack.length);
    }
    if (run.canOpen && run.left > 0) stack.push(run);
  }
}

/** Pieces to nodes. Of a run: what it closes, what is left of it as text, what it opens. */
function build(parent, pieces) {
  const open = [parent];
  let deeper = 0; // elements that were not opened because they are nested too deep
  for (const piece of pieces) {
    if (piece.element) {
      open.at(-1).append(notInLink(open, piece.element));
      continue;
    }
    for (let left = piece.closes?.length ?? 0; left > 0; left--) {
      if (deeper > 0) deeper--;
      else if (open.length > 1) open.pop();
    }
    addText(open.at(-1), piece.text ?? piece.char.repeat(piece.left));
    for (const element of (piece.opens ?? []).toReversed()) {
      if (open.length >= MAX_NESTING) {
        deeper++;
        continue;
      }
      const node = typeof element === "string" ? h(element) : notInLink(open, element);
      open.at(-1).append(node);
      open.push(node);
    }
  }
}

/** A link inside a link is none: a picture's, or an address that is the text of another link. */
function notInLink(open, element) {
  if (element.tagName !== "A" || !open.some((outer) => outer.tagName === "A")) return element;
  const span = h("span", { title: element.title });
  span.append(...element.childNodes);
  return span;
}

/** The target behind a closing bracket: (target "title"), [name], or the text as a name. */
function linkBehind(text, at, label, definitions) {
  if (text[at + 1] === "(") {
    const rest = text.slice(at + 2, at + 2 + MAX_TARGET);
    const start = rest.search(/[^\s]/);
    if (start < 0) return null;
    let end = start;
    if (rest[start] === "<") {
      end = rest.indexOf(">", start);
      if (end < 0) return null;
      const close = rest.indexOf(")", end);
      return close < 0 ? null : { target: rest.slice(start + 1, end), end: at + 3 + close };
    }
    for (let depth = 0; end < rest.length; end++) {
      const char = rest[end];
      if (char === "\\") end++;
      else if (char === "(") depth++;
      else if (char === ")" && depth-- === 0) break;
      else if (/\s/.test(char)) break;
    }
    const target = rest.slice(start, end);
    const title = /^\s*(?:"[^"]*"|'[^']*'|\([^)]*\))?\s*\)/.exec(rest.slice(end));
    return title === null ? null : { target, end: at + 2 + end + title[0].length };
  }
  let name = label;
  let end = at + 1;
  if (text[at + 1] === "[") {
    const close = text.slice(at + 2, at + 202).indexOf("]");
    if (close >= 0) {
      name = text.slice(at + 2, at + 2 + close) || label;
      end = at + 3 + close;
    }
  }
  const target = definitions.get(name.toLowerCase());
  return target === undefined ? null : { target, end };
}
