// Calls of tools with their results, and long output that is folded until somebody wants it.

const FOLD_LINES = 12;
const FOLD_SLACK = 4; // so many more lines are shown rather than hidden behind a button
const FOLD_CHARACTERS = 4000;
const OPEN_CHARACTERS = 400000; // of one text at a time; more on request

/** What is folded and what is open, remembered while an entry is out of sight. */
const folds = {
  open: new Map(), // key -> true, false, or how many characters are shown
  all: { output: false, thinking: false },
  get(key, kind) {
    return this.open.get(key) ?? this.all[kind] ?? false;
  },
};

/** A long text: its first lines, or its last ones, or `folded`, and a button for the rest. */
function output(key, text, { tail = false, family, terminal = false, diff = false, folded } = {}) {
  const clean = terminal ? settle(text) : text;
  const holder = h("div", { class: "output", "data-fold": key });
  const less = () => (folded === undefined ? cut(clean, tail) : { shown: folded, hidden: "more" });
  const draw = () => {
    const open = folds.get(key, "output");
    const { shown, hidden } = open ? upTo(clean, typeof open === "number" ? open : OPEN_CHARACTERS) : less();
    const pre = h("pre", { dir: "ltr", tabindex: shown.length > 80 ? "0" : null });
    if (diff) addDiffLines(pre, shown.split("\n"));
    else if (terminal) addTerminalText(pre, shown);
    else addCode(pre, shown, family);
    const parts = [pre];
    if (hidden || (open && less().hidden)) {
      const more = h("button", { type: "button", class: "more", "aria-expanded": String(Boolean(open)) },
        hidden ? (open ? `Show more (${hidden})` : `… ${hidden}`) : "Show less");
      more.addEventListener("click", () => {
        const next = !open ? true : hidden ? (typeof open === "number" ? open : OPEN_CHARACTERS) * 4 : false;
        folds.open.set(key, next);
        draw();
        holder.querySelector("button.more")?.focus({ preventScroll: true });
        changed(holder);
      });
      if (tail && !open) parts.unshift(more);
      else parts.push(more);
    }
    holder.replaceChildren(...parts);
  };
  draw();
  return holder;
}

/** The part of a text that is shown while it is folded, and what is missing, in words or null. */
function cut(text, tail) {
  const ends = [];
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    lines++;
    ends.push(at);
  }
  if (text.endsWith("\n")) {
    lines--;
    ends.pop();
  }
  let shown = text;
  if (lines > FOLD_LINES + FOLD_SLACK) {
    shown = tail ? text.slice(ends[lines - FOLD_LINES - 1] + 1) : text.slice(0, ends[FOLD_LINES - 1]);
  }
  const missing = shown === text ? 0 : lines - FOLD_LINES;
  if (shown.length > FOLD_CHARACTERS + 400) {
    shown = tail ? shown.slice(-FOLD_CHARACTERS) : shown.slice(0, FOLD_CHARACTERS);
    return { shown, hidden: missing ? plural(missing, "more line") : `${count(text.length - shown.length)} more characters` };
  }
  return { shown, hidden: missing ? plural(missing, "more line") : null };
}

function upTo(text, limit) {
  if (text.length <= limit) return { shown: text, hidden: null };
  return { shown: text.slice(0, limit), hidden: `${count(text.length - limit)} more characters` };
}

function addDiffLines(parent, lines) {
  for (const line of lines) {
    const name = line[0] === "+" ? "add" : line[0] === "-" ? "del" : line.startsWith("@@") || line.trim() === "..." ? "gap" : null;
    parent.append(h("span", { class: name ? `line ${name}` : "line" }, line));
  }
}

/** What an extension drew, as for a terminal; the element has its rows, or nothing where it is none. */
function drawing(key, drawn) {
  const { rows, folded } = record(drawn);
  if (!Array.isArray(rows)) return null;
  const text = (lines) => lines.map(str).join("\n");
  const element = rows.length ? output(key, text(rows), { terminal: true, folded: Array.isArray(folded) ? text(folded) : undefined }) : h("div");
  element.classList.add("drawn");
  return element;
}

const asJson = (value) => JSON.stringify(value, null, 2) ?? "";

/** What a call is about, in a line: element of the head, and the arguments that are left to show. */
function callHead(name, given) {
  const { path, command, pattern, ...rest } = given;
  const extra = (fields) => {
    const words = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
    return words.length && words.every(([, value]) => typeof value !== "object")
      ? h("span", { class: "extra" }, words.map(([key, value]) => `${key} ${value}`).join(", "))
      : null;
  };
  const where = str(path ?? given.file_path);
  const file = where ? h("span", { class: "path", dir: "ltr" }, where) : null;
  switch (name) {
    case "bash":
      return [extra({ timeout: given.timeout })];
    case "read": {
      const first = Number(given.offset ?? 1);
      const range = given.offset || given.limit ? `:${first}${given.limit ? `-${first + Number(given.limit) - 1}` : ""}` : "";
      return [file, range ? h("span", { class: "extra" }, range) : null];
    }
    case "write":
    case "edit":
      return [file];
    case "grep":
    case "find":
      return [h("code", { dir: "ltr" }, str(pattern)), where ? h("span", { class: "extra" }, "in ") : null, file, extra(rest)];
    case "ls":
      return [file ?? h("span", { class: "path" }, "."), extra(rest)];
    default:
      return null;
  }
}

/** A call with its result, or without one that was never given. key: row and place in the message. */
function toolCall(key, call, result) {
  const name = str(call.name) || "(no name)";
  const given = record(call.arguments);
  const failed = result?.isError === true;
  const drawn = drawing(`${key}h`, call.drawn);
  const head = drawn ? [] : callHead(name, given);
  const state = result === null ? "no result" : failed ? "failed" : null;
  const seconds = number(result?.durationMs) / 1000;
  const card = h("section", { class: `tool${failed ? " failed" : ""}`, "aria-label": `Tool ${plain(name)}` },
    h("header", null, h("b", null, name), head,
      h("span", { class: "state" }, [seconds >= 1 && `${seconds.toFixed(1)} s`, state].filter(Boolean).join(" · "))));
  if (drawn) card.append(drawn);
  if (call.argumentsError) card.append(h("p", { class: "error" }, `The arguments were not valid: ${str(call.argumentsError)}`));
  const diff = str(record(result?.details).diff);
  if (name === "bash" && typeof given.command === "string") {
    card.append(h("div", { class: "command" }, output(`${key}c`, given.command, { family: "shell" })));
  } else if (name === "write" && typeof given.content === "string") {
    card.append(output(`${key}w`, given.content, { family: familyOfPath(str(given.path)) }));
  } else if (name === "edit") {
    const change = diff || editsAsDiff(given);
    card.append(change ? output(`${key}d`, change, { diff: true }) : output(`${key}j`, asJson(given), { family: "json" }));
  } else if (head === null && Object.keys(given).length) {
    card.append(output(`${key}j`, asJson(given), { family: "json" }));
  }
  if (result !== null) addResult(card, key, name, given, result, diff);
  return card;
}

function editsAsDiff(given) {
  const edits = Array.isArray(given.edits) ? given.edits : [given.edits, given];
  return edits
    .map(record)
    .filter((edit) => typeof edit.oldText === "string" || typeof edit.newText === "string")
    .map((edit) => [...str(edit.oldText).split("\n").map((line) => `-${line}`), ...str(edit.newText).split("\n").map((line) => `+${line}`)].join("\n"))
    .join("\n...\n");
}

function addResult(card, key, name, given, result, diff) {
  const drawn = drawing(`${key}r`, result.drawn);
  if (drawn) {
    card.append(drawn);
    addImages(card, result.content);
    addNested(card, key, result);
    return;
  }
  const text = textOf(result.content);
  const quiet = (name === "edit" || name === "write") && !result.isError;
  if (name === "edit" && diff && result.isError) card.append(output(`${key}d`, diff, { diff: true }));
  if (text.trim() && !quiet) {
    card.append(output(`${key}r`, text, {
      tail: name === "bash",
      terminal: name !== "read",
      family: name === "read" && !result.isError ? familyOfPath(str(given.path)) : undefined,
    }));
  }
  addImages(card, result.content);
  if (name !== "edit" && diff) card.append(output(`${key}d`, diff, { diff: true }));
  addNested(card, key, result);
  const { diff: _, ...details } = record(result.details);
  if (!BUILT_IN.has(name) && Object.keys(details).length) {
    card.append(fold(`${key}x`, "details", "Details", () => h("pre", { dir: "ltr" }, asJson(details))));
  }
}

const STATES = { ok: "✓", error: "✗", unfinished: "…" };

/** Calls that a tool made to others; their results are not in the session. */
function addNested(card, key, result) {
  const { calls, complete } = record(result.nestedCalls);
  const nested = list(calls).map(record);
  if (!nested.length) return;
  const title = `${plural(nested.length, "nested call")}${complete === false ? ", not all of them recorded" : ""}`;
  const words = nested.map((call) => `${STATES[str(call.status)] ?? "?"} ${str(call.name)}`).join(", ");
  const make = () => h("ol", { class: "nested" }, nested.map((call) =>
    h("li", { class: call.status === "error" ? "failed" : null },
      h("b", null, `${STATES[str(call.status)] ?? "?"} ${str(call.name)} `),
      h("code", { dir: "ltr" }, call.arguments ? oneLine(JSON.stringify(call.arguments), 400) : `${count(number(call.argumentsBytes))} bytes of arguments`),
      typeof call.durationMs === "number" ? h("span", { class: "extra" }, ` ${call.durationMs} ms`) : null,
      str(call.error) ? h("pre", { dir: "ltr" }, call.error) : null)));
  card.append(fold(`${key}n`, "output", title, make, oneLine(words, 90)));
}

const BUILT_IN = new Set(["read", "bash", "edit", "write", "grep", "find", "ls"]);
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** Pictures of a message; of kinds that can hold no script, and from the page itself only. */
function addImages(parent, content) {
  for (const block of list(content).map(record)) {
    if (block.type !== "image") continue;
    const kind = str(block.mimeType).toLowerCase();
    const data = str(block.data).replace(/\s+/g, "");
    if (PICTURES.has(kind) && data && /^[A-Za-z0-9+/_-]+={0,2}$/.test(data)) {
      parent.append(h("img", { class: "picture", src: `data:${kind};base64,${data}`, alt: "Picture in the conversation", decoding: "async" }));
    } else parent.append(h("p", { class: "notice" }, `A picture that cannot be shown (${kind || "of unknown kind"})`));
  }
}

/** Something behind its heading. `make` is called when it is first opened. */
function fold(key, kind, title, make, preview = "") {
  const summary = h("summary", null, h("span", { class: "fold-title" }, title), preview ? h("span", { class: "preview", dir: "auto" }, ` ${preview}`) : null);
  const element = h("details", { class: `fold ${kind}`, "data-fold": key }, summary);
  const fill = () => {
    if (element.open && element.children.length === 1) element.append(h("div", { class: "inside" }, make()));
  };
  element.open = Boolean(folds.get(key, kind));
  fill();
  element.addEventListener("toggle", () => {
    if (element.open === Boolean(folds.get(key, kind))) return;
    folds.open.set(key, element.open);
    fill();
    changed(element);
  });
  return element;
}
