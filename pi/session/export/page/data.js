// The session: rows, their entries, the tree. A row is an entry's place in the file.

const index = JSON.parse(byId("index").textContent);
const blocks = document.getElementsByClassName("entries");
const rowCount = index.sizes.length;
const kinds = index.kinds;
const labels = new Map(index.labels);
const omitted = new Set(index.omitted);
const NONE = -1;

const starts = new Float64Array(rowCount); // of a row's line in its block
const blockOf = new Uint32Array(rowCount);
for (let row = 0, block = -1, at = 0; row < rowCount; row++) {
  if (block + 1 < index.firsts.length && index.firsts[block + 1] === row) {
    block++;
    at = 0;
  }
  blockOf[row] = block;
  starts[row] = at;
  at += index.sizes[row];
}

const parents = new Int32Array(rowCount);
const childCount = new Int32Array(rowCount);
const newest = new Int32Array(rowCount); // the latest row below each, itself if there is none
for (let row = 0; row < rowCount; row++) {
  const back = index.parents[row];
  parents[row] = back ? row - back : NONE;
  newest[row] = row;
  if (back) childCount[row - back]++;
}
for (let row = rowCount - 1; row >= 0; row--) {
  const parent = parents[row];
  if (parent !== NONE && newest[row] > newest[parent]) newest[parent] = newest[row];
}

const spent = new Map(); // row -> place in index.spent
for (let at = 0; at < index.spent.length; at += 6) spent.set(index.spent[at], at + 1);

/** Rows by parent, roots under NONE, in the order of the file; made when first asked for. */
let childLists = null;
function childrenOf(parent) {
  if (childLists === null) {
    childLists = new Map();
    for (let row = 0; row < rowCount; row++) {
      const above = parents[row];
      if (above !== NONE && childCount[above] < 2) continue;
      if (childLists.has(above)) childLists.get(above).push(row);
      else childLists.set(above, [row]);
    }
  }
  return childLists.get(parent) ?? [];
}

/** The line of a row, undecoded. */
function lineOf(row) {
  const start = starts[row];
  return blocks[blockOf[row]].firstChild.data.slice(start, start + index.sizes[row]);
}

const decoded = new Map(); // a few hundred entries, the latest asked for last
function entryOf(row) {
  let entry = decoded.get(row);
  if (entry !== undefined) {
    decoded.delete(row);
  } else {
    entry = record(JSON.parse(lineOf(row)));
    if (decoded.size >= 400) decoded.delete(decoded.keys().next().value);
  }
  decoded.set(row, entry);
  return entry;
}

/** The message of a row, also where the entry itself is one (custom messages, summaries). */
function messageOf(row) {
  const entry = entryOf(row);
  return entry.type === "message" ? record(entry.message) : entry;
}

/** Rows from the root to a row. A cycle ends where it closes. */
function pathTo(leaf) {
  const rows = [];
  const seen = new Uint8Array(rowCount);
  for (let row = leaf ?? NONE; row !== NONE && !seen[row]; row = parents[row]) {
    seen[row] = 1;
    rows.push(row);
  }
  return rows.reverse();
}

/** The end of the newest branch through a row. */
function leafBelow(row) {
  let leaf = newest[row];
  for (let steps = 0; childCount[leaf] > 0 && newest[leaf] !== leaf && steps < rowCount; steps++) leaf = newest[leaf];
  return leaf;
}

/** [input, output, cacheRead, cacheWrite, dollars] of some rows, or of all. */
function total(rows = spent.keys()) {
  const sum = [0, 0, 0, 0, 0];
  for (const row of rows) {
    const at = spent.get(row);
    if (at === undefined) continue;
    for (let part = 0; part < 5; part++) sum[part] += index.spent[at + part];
  }
  return sum;
}

/** What a reader can find in a row: everything shown of it, as one text. */
function searchTextOf(row) {
  const message = messageOf(row);
  const parts = [labels.get(row) ?? ""];
  for (const block of typeof message.content === "string" ? [{ text: message.content }] : list(message.content)) {
    const { text, thinking, name, arguments: given, drawn } = record(block);
    parts.push(str(text), str(thinking), str(name), drawnText(drawn));
    if (given) collectStrings(given, parts);
  }
  for (const key of ["summary", "command", "output", "errorMessage", "customType", "modelId", "thinkingLevel", "name"]) {
    parts.push(str(message[key]));
  }
  if (message.sections) collectStrings(message.sections, parts);
  if (message.data) collectStrings(message.data, parts);
  parts.push(str(record(message.details).diff), drawnText(message.drawn));
  return parts.filter(Boolean).join("\n");
}

/** What an extension drew, without its colours. */
function drawnText(drawn) {
  return list(record(drawn).rows).map((row) => withoutSequences(str(row)).trim()).join("\n");
}

function collectStrings(value, into) {
  const waiting = [value];
  while (waiting.length) {
    const item = waiting.pop();
    if (typeof item === "string") into.push(item);
    else if (typeof item === "number") into.push(String(item));
    else if (item && typeof item === "object") waiting.push(...Object.values(item).reverse());
  }
}
