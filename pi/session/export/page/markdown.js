// Markdown in blocks: headings, paragraphs, lists, quotes, tables, code. HTML stays text.

const MARKDOWN_LIMIT = 300000; // characters; beyond, a text is shown as it is
const MAX_DEPTH = 12; // of lists and quotes in each other
const LONG_LINE = 20000;

/** A text as elements. */
function markdown(text) {
  const element = h("div", { class: "prose", dir: "auto" });
  if (text.length > MARKDOWN_LIMIT) {
    element.append(h("pre", { class: "plain" }, text));
    return element;
  }
  const lines = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n").split("\n");
  const definitions = new Map();
  for (let at = 0; at < lines.length; at++) {
    const match = lines[at].length < LONG_LINE && /^ {0,3}\[([^\]]{1,200})\]: *(\S+)/.exec(lines[at]);
    if (match && !definitions.has(match[1].toLowerCase())) {
      definitions.set(match[1].toLowerCase(), match[2].replace(/^<|>$/g, ""));
    }
  }
  addBlocks(element, lines, definitions, 0);
  return element;
}

const blank = (line) => line.trim() === "";
const indentOf = (line) => line.length - line.trimStart().length;

function fenceOf(line) {
  const match = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line.slice(0, 400));
  return match && !(match[1][0] === "`" && match[2].includes("`"))
    ? { char: match[1][0], length: match[1].length, indent: indentOf(line), info: match[2].trim() }
    : null;
}

function markerOf(line) {
  const match = /^( {0,3})([-*+]|(\d{1,9})([.)]))( {1,4}(?=\S)| |\t|$)/.exec(line.slice(0, 40));
  if (!match || isRule(line)) return null;
  return {
    kind: match[3] === undefined ? match[2] : match[4],
    start: match[3] === undefined ? null : Number(match[3]),
    width: match[0].length + (match[5] === "" ? 1 : 0),
    empty: blank(line.slice(match[0].length)),
  };
}

const isRule = (line) => line.length < 400 && /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/.test(line);
const isQuote = (line) => /^ {0,3}>/.test(line);
const headingOf = (line) => /^ {0,3}(#{1,6})(?=[ \t]|$)/.exec(line);

function startsBlock(line) {
  const marker = markerOf(line);
  return (
    blank(line) || fenceOf(line) !== null || headingOf(line) !== null || isQuote(line) || isRule(line) ||
    (marker !== null && !marker.empty && (marker.start === null || marker.start === 1))
  );
}

function addBlocks(parent, lines, definitions, depth) {
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    let match;
    if (blank(line)) at++;
    else if ((match = fenceOf(line))) at = addFenced(parent, lines, at, match);
    else if ((match = headingOf(line))) {
      const heading = h(`h${Math.min(match[1].length + 2, 6)}`, { class: `level${match[1].length}` });
      addInline(heading, withoutClosingHashes(line.slice(match[0].length).trim()), definitions);
      parent.append(heading);
      at++;
    } else if (isRule(line)) {
      parent.append(h("hr"));
      at++;
    } else if (isQuote(line) && depth < MAX_DEPTH) at = addQuote(parent, lines, at, definitions, depth);
    else if (markerOf(line) && depth < MAX_DEPTH) at = addList(parent, lines, at, definitions, depth);
    else if (line.startsWith("    ") || line.startsWith("\t")) at = addIndented(parent, lines, at);
    else if (line.includes("|") && (match = alignments(lines[at + 1], line)) !== null) at = addTable(parent, lines, at, match, definitions);
    else if (line.length < LONG_LINE && /^ {0,3}\[[^\]]{1,200}\]: *\S+\s*(?:"[^"]*")?$/.test(line)) at++;
    else at = addParagraph(parent, lines, at, definitions);
  }
}

function withoutClosingHashes(text) {
  let end = text.length;
  while (end > 0 && text[end - 1] === "#") end--;
  return end < text.length && (end === 0 || text[end - 1] === " ") ? text.slice(0, end).trimEnd() : text;
}

function addParagraph(parent, lines, at, definitions) {
  const taken = [];
  let end = at;
  let level = 0;
  do taken.push(lines[end++].trimStart());
  while (end < lines.length && !startsBlock(lines[end]) && !(level = underline(lines[end])));
  if (!level && end < lines.length) level = underline(lines[end]);
  const element = level ? h(`h${level + 2}`, { class: `level${level}` }) : h("p", { dir: "auto" });
  addInline(element, taken.join("\n").trimEnd(), definitions);
  parent.append(element);
  return level ? end + 1 : end;
}

function underline(line) {
  if (line.length > 400) return 0;
  return /^ {0,3}=+\s*$/.test(line) ? 1 : /^ {0,3}-+\s*$/.test(line) ? 2 : 0;
}

function addFenced(parent, lines, at, fence) {
  const code = [];
  let end = at + 1;
  for (; end < lines.length; end++) {
    const line = lines[end];
    const close = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(line.slice(0, 400));
    if (close && close[1][0] === fence.char && close[1].length >= fence.length) break;
    code.push(line.slice(Math.min(indentOf(line), fence.indent)));
  }
  addCodeBlock(parent, code.join("\n"), fence.info.split(/[\s{:,]/)[0]);
  return end + 1;
}

function addIndented(parent, lines, at) {
  const code = [];
  let end = at;
  for (; end < lines.length && (blank(lines[end]) || /^(?: {4}|\t)/.test(lines[end])); end++) {
    code.push(lines[end].replace(/^(?: {1,4}|\t)/, ""));
  }
  addCodeBlock(parent, code.join("\n").replace(/\n{1,99}$/, ""), "");
  return end;
}

function addCodeBlock(parent, code, language) {
  const element = h("code", null);
  if (language.toLowerCase() === "diff" || language.toLowerCase() === "patch") addDiffLines(element, code.split("\n"));
  else addCode(element, code, familyOf(language));
  const label = language ? h("span", { class: "language" }, language.slice(0, 30)) : null;
  parent.append(h("div", { class: "code" }, label, h("pre", { tabindex: "0", dir: "ltr" }, element)));
}

function addQuote(parent, lines, at, definitions, depth) {
  const inner = [];
  let end = at;
  for (; end < lines.length; end++) {
    if (isQuote(lines[end])) inner.push(lines[end].replace(/^ {0,3}> ?/, ""));
    else if (startsBlock(lines[end]) || blank(inner.at(-1) ?? "")) break;
    else inner.push(lines[end]);
  }
  const quote = h("blockquote", null);
  addBlocks(quote, inner, definitions, depth + 1);
  parent.append(quote);
  return end;
}

function addList(parent, lines, at, definitions, depth) {
  const first = markerOf(lines[at]);
  const element = first.start === null ? h("ul") : h("ol", first.start === 1 ? null : { start: String(first.start) });
  let end = at;
  let loose = false;
  const items = [];
  for (let marker = first; marker !== null && marker.kind === first.kind; ) {
    const inner = [lines[end].slice(marker.width)];
    const width = marker.width;
    let gap = false;
    end++;
    for (; end < lines.length; end++) {
      const line = lines[end];
      if (blank(line)) {
        inner.push("");
        gap = true;
      } else if (indentOf(line.slice(0, width + 4)) >= width || line[0] === "\t") {
        if (gap && inner.some((other) => !blank(other))) loose ||= !/^\s*(?:[-*+]|\d+[.)])\s/.test(line.slice(0, 80));
        inner.push(line[0] === "\t" ? line.slice(1) : line.slice(width));
        gap = false;
      } else if (gap || startsBlock(line) || markerOf(line)) break;
      else inner.push(line.trimStart());
    }
    items.push(inner);
    marker = end < lines.length && !isRule(lines[end]) ? markerOf(lines[end]) : null;
    if (marker !== null && marker.kind === first.kind && gap) loose = true;
  }
  for (const inner of items) {
    while (inner.length && blank(inner.at(-1))) inner.pop();
    const item = h("li", null);
    const task = /^\[([ xX])\]\s+/.exec(inner[0] ?? "");
    if (task) {
      item.className = "task";
      item.append(h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": task[1] === " " ? "open" : "done" }));
      inner[0] = inner[0].slice(task[0].length);
    }
    addBlocks(item, inner, definitions, depth + 1);
    if (!loose) for (const child of [...item.children]) if (child.tagName === "P") child.classList.add("tight");
    element.append(item);
  }
  parent.append(element);
  return end;
}

/** The alignment of each column if a line is the one under a table's head, else null. */
function alignments(line, head) {
  if (line === undefined || line.length > 4000 || !line.includes("-") || !/^[\s|:-]+$/.test(line)) return null;
  const found = cellsOf(line).map((cell) => (/^:?-+:?$/.test(cell) ? (cell.at(-1) === ":" ? (cell[0] === ":" ? "center" : "right") : "left") : null));
  return found.includes(null) || found.length !== cellsOf(head).length ? null : found;
}

/** Cells between pipes that are neither escaped nor inside code. */
function cellsOf(line) {
  const cells = [];
  let text = line.trim();
  if (text[0] === "|") text = text.slice(1);
  let cell = "";
  let inCode = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "\\" && text[at + 1] === "|") {
      cell += "|";
      at++;
    } else if (char === "|" && !inCode) {
      cells.push(cell.trim());
      cell = "";
    } else {
      if (char === "`") inCode = !inCode && text.includes("`", at + 1);
      cell += char;
    }
  }
  if (cell.trim() || text.at(-1) !== "|") cells.push(cell.trim());
  return cells;
}

function addTable(parent, lines, at, columns, definitions) {
  const row = (name, cells) =>
    h("tr", null, columns.map((align, column) => {
      const cell = h(name, { class: align === "left" ? null : align, scope: name === "th" ? "col" : null, dir: "auto" });
      addInline(cell, cells[column] ?? "", definitions);
      return cell;
    }));
  const body = h("tbody");
  let end = at + 2;
  for (; end < lines.length && lines[end].includes("|") && !blank(lines[end]); end++) body.append(row("td", cellsOf(lines[end])));
  parent.append(
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" },
      h("table", null, h("thead", null, row("th", cellsOf(lines[at]))), body)),
  );
  return end;
}
