// One entry as an article. Whatever is in a session, there is always something to show.

const NAMES = { u: "User", a: "Assistant", t: "Assistant", f: "Assistant", r: "Tool result", "!": "Shell command", s: "System", c: "Compaction", b: "Branch summary", x: "Message", h: "Hidden message", m: "Model", l: "Thinking level", n: "Name", g: "Label", d: "Context edit", $: "Usage", k: "Extension data", y: "Extension", "?": "Entry" };
const STYLES = { u: "user", a: "assistant", t: "assistant", f: "assistant failed", r: "result", "!": "shell", s: "system", c: "summary", b: "summary", x: "custom", h: "custom", y: "custom" };

/** row: of the entry. results: rows of tool results that belong to its calls. */
function article(row, results) {
  const kind = kinds[row];
  const style = STYLES[kind] ?? "minor";
  const element = h("article", { class: `entry ${style}`, id: `e${row}`, "data-row": String(row), tabindex: "-1", "aria-label": NAMES[kind] ?? "Entry" });
  try {
    const message = messageOf(row);
    element.append(heading(row, kind, message));
    (BODIES[kind] ?? unknown)(element, row, message, results);
  } catch (error) {
    element.append(h("p", { class: "notice" }, `This entry cannot be shown as it should be (${error.name}). What it holds:`), output(`${row}!`, lineOf(row)));
  }
  return element;
}

function heading(row, kind, message) {
  const entry = entryOf(row);
  const model = "atf".includes(kind) && str(message.model) ? str(message.model) : null;
  const at = spent.get(row);
  const cost = at === undefined ? null : `${tokens(index.spent[at] + index.spent[at + 2] + index.spent[at + 3])} in, ${tokens(index.spent[at + 1])} out${index.spent[at + 4] ? `, ${dollars(index.spent[at + 4])}` : ""}`;
  return h("header", { class: "entry-head" },
    h("span", { class: "role" }, "xhy".includes(kind) ? str(message.customType) || "Message" : NAMES[kind] ?? "Entry"),
    labels.has(row) ? h("span", { class: "label" }, labels.get(row)) : null,
    omitted.has(row) ? h("span", { class: "badge", title: "A later context edit takes this entry out of what the model sees" }, "left out of the context") : null,
    h("span", { class: "about" }, model, model && cost ? " · " : null, cost),
    h("a", { class: "permalink", href: `#e${row}`, title: "Link to this entry" }, time(entry.timestamp ?? message.timestamp) ?? "#"));
}

const BODIES = {
  u: (element, row, message) => addContent(element, message.content),
  x: (element, row, message) => {
    addContent(element, message.content);
    addDetails(element, row, message.details);
  },
  h: (element, row, message) => BODIES.x(element, row, message),
  a: addAssistant,
  t: addAssistant,
  f: addAssistant,
  r: (element, row, message) => element.append(toolCall(`${row}.`, { name: message.toolName, arguments: {} }, message)),
  "!": (element, row, message) => {
    element.append(h("div", { class: "command" }, output(`${row}c`, str(message.command), { family: "shell" })));
    if (str(message.output).trim()) element.append(output(`${row}r`, message.output, { tail: true, terminal: true }));
    const states = [
      message.cancelled && "cancelled",
      number(message.exitCode) && `exit code ${message.exitCode}`,
      message.truncated && "output truncated",
      message.excludeFromContext && "not shown to the model",
    ].filter(Boolean);
    if (states.length) element.append(h("p", { class: "note" }, states.join(" · ")));
  },
  s: addSystem,
  c: (element, row, message) => {
    const before = number(message.tokensBefore);
    const title = `Summary of what came before${before ? `, ${tokens(before)} tokens` : ""}`;
    element.append(fold(`${row}s`, "summary", title, () => markdown(str(message.summary)), oneLine(unmarked(str(message.summary)), 100)));
    addFiles(element, row, message.details);
  },
  b: (element, row, message) => {
    element.append(fold(`${row}s`, "summary", "Summary of the branch that was left", () => markdown(str(message.summary)), oneLine(unmarked(str(message.summary)), 100)));
    addFiles(element, row, message.details);
  },
  m: (element, row, message) => element.append(h("p", { class: "note" }, `Model: ${str(message.provider)}/${str(message.modelId)}`)),
  l: (element, row, message) => element.append(h("p", { class: "note" }, `Thinking level: ${str(message.thinkingLevel)}`)),
  n: (element, row, message) => element.append(h("p", { class: "note" }, str(message.name) ? `Named: ${message.name}` : "Name removed")),
  g: (element, row, message) => element.append(h("p", { class: "note" }, str(message.label) ? `Labelled an entry: ${message.label}` : "Label removed")),
  d: (element, row, message) => {
    const replacement = message.replacement;
    element.append(h("p", { class: "note" }, replacement ? "An earlier entry has other content for the model:" : "An earlier entry is left out of what the model sees"));
    if (replacement) addContent(element, record(replacement).content ?? replacement);
  },
  $: (element, row, message) => element.append(h("p", { class: "note" }, `${str(message.kind) || "Usage"}: ${str(message.provider)}/${str(message.model)} ${str(message.note)}`)),
  y: (element, row, message) => element.append(drawing(`${row}y`, message.drawn) ?? h("p", { class: "note" }, str(message.customType))),
  k: (element, row, message) => {
    element.append(h("p", { class: "note" }, str(message.customType)));
    addDetails(element, row, message.data, "Data");
  },
};

function unknown(element, row, message) {
  if (message.damaged) element.append(h("p", { class: "notice" }, "This line of the session is damaged."));
  else element.append(fold(`${row}x`, "details", str(message.type) || "Unknown entry", () => h("pre", { dir: "ltr" }, asJson(message))));
}

function addContent(element, content) {
  const text = textOf(content);
  if (text.trim()) element.append(markdown(text));
  addImages(element, content);
}

function addDetails(element, row, details, title = "Details") {
  if (details === null || details === undefined) return;
  element.append(fold(`${row}x`, "details", title, () => h("pre", { dir: "ltr" }, typeof details === "string" ? details : asJson(details))));
}

function addFiles(element, row, details) {
  const { readFiles, modifiedFiles } = record(details);
  const lines = [...list(modifiedFiles).map((path) => `modified  ${path}`), ...list(readFiles).map((path) => `read      ${path}`)];
  if (lines.length) element.append(fold(`${row}f`, "details", plural(lines.length, "file"), () => h("pre", { dir: "ltr" }, lines.join("\n"))));
}

function addAssistant(element, row, message, results) {
  const answers = new Map();
  for (const at of results) answers.set(str(messageOf(at).toolCallId), at);
  const blocks = typeof message.content === "string" ? [{ type: "text", text: message.content }] : list(message.content);
  blocks.map(record).forEach((block, place) => {
    const key = `${row}.${place}`;
    if (block.type === "text" && str(block.text).trim()) element.append(markdown(block.text));
    else if (block.type === "thinking") {
      const text = str(block.thinking);
      if (text.trim()) element.append(fold(`${key}t`, "thinking", "Thinking", () => markdown(text), oneLine(unmarked(text), 90)));
      else if (block.redacted) element.append(h("p", { class: "note" }, "Thinking that the provider keeps to itself"));
    } else if (block.type === "toolCall") {
      const at = answers.get(str(block.id));
      answers.delete(str(block.id));
      element.append(toolCall(`${key}.`, block, at === undefined ? null : messageOf(at)));
    } else if (block.type === "image") addImages(element, [block]);
  });
  for (const at of answers.values()) {
    const stray = messageOf(at);
    element.append(toolCall(`${at}.`, { name: stray.toolName, arguments: {} }, stray));
  }
  if (message.stopReason === "aborted") element.append(h("p", { class: "error" }, "Aborted", str(message.errorMessage) ? `: ${message.errorMessage}` : null));
  else if (message.stopReason === "error") element.append(h("p", { class: "error" }, str(message.errorMessage) || "The model request failed"));
  else if (message.stopReason === "length") element.append(h("p", { class: "error" }, "The answer stops here: it reached the limit of its length"));
}

function addSystem(element, row, message) {
  const sections = Object.entries(record(message.sections));
  const added = list(message.toolsAdded).map(record);
  const removed = list(message.toolsRemoved).map(record);
  const text = textOf(message.content);
  const parts = [
    sections.length ? plural(sections.length, "section") : text.trim() && "text",
    added.length && plural(added.length, "tool"),
    removed.length && `${plural(removed.length, "tool")} removed`,
  ].filter(Boolean);
  element.append(fold(`${row}s`, "details", "Instructions and tools", () => {
    const inside = h("div");
    if (text.trim()) inside.append(h("pre", { class: "plain" }, text));
    for (const [name, value] of sections) {
      inside.append(h("h4", null, name), h("pre", { class: "plain" }, value === null ? "(removed)" : str(value)));
    }
    for (const tool of added) {
      inside.append(h("h4", null, `Tool ${str(tool.name)}`), h("pre", { class: "plain" }, str(tool.description)));
      inside.append(fold(`${row}p${str(tool.name)}`, "details", "Parameters", () => h("pre", { dir: "ltr" }, asJson(tool.parameters))));
    }
    for (const tool of removed) inside.append(h("p", null, `Removed: ${str(tool.name)}`));
    return inside;
  }, parts.join(", ")));
}
