// All branches as a tree. Rows of equal height, of which only those in the panel are drawn.
//
// The newest branch goes on at the depth of its fork, the older ones are set in, before it: as
// deep as one went astray, not as long as one talked.

const TREE_ROW = 26; // pixels, as in page.css
const tree = {
  filter: "conversation",
  rows: [],
  depths: [],
  onPath: new Set(),
  selected: 0, // place in rows
};

const FILTERS = {
  conversation: (row) => "uaf!cbxy".includes(kinds[row]),
  prompts: (row) => kinds[row] === "u",
  labels: (row) => labels.has(row),
  all: () => true,
};

const SIGNS = { u: "›", a: "•", t: "⚙", f: "✕", r: "↳", "!": "$", c: "≡", b: "⎇", x: "◆", s: "⚙" };

function arrangeTree() {
  const wanted = FILTERS[tree.filter];
  // The nearest listed ancestor of each row; parents nearly always come first in the file.
  const above = new Int32Array(rowCount).fill(NONE);
  const known = new Uint8Array(rowCount);
  const resolve = (row) => {
    const chain = [];
    let at = parents[row];
    const seen = new Set();
    while (at !== NONE && !wanted(at) && !known[at] && !seen.has(at)) {
      seen.add(at);
      chain.push(at);
      at = parents[at];
    }
    const found = at === NONE || wanted(at) ? at : above[at];
    for (const one of chain) {
      above[one] = found;
      known[one] = 1;
    }
    above[row] = found;
    known[row] = 1;
  };
  const below = new Map();
  for (let row = 0; row < rowCount; row++) {
    resolve(row);
    if (!wanted(row)) continue;
    if (below.has(above[row])) below.get(above[row]).push(row);
    else below.set(above[row], [row]);
  }
  const rows = [];
  const depths = [];
  const seen = new Uint8Array(rowCount);
  const waiting = [];
  const push = (parent, depth) => {
    const children = below.get(parent);
    if (children === undefined) return;
    if (children.length > 1) children.sort((one, other) => newest[one] - newest[other]);
    for (let at = children.length - 1; at >= 0; at--) {
      waiting.push([children[at], at === children.length - 1 ? depth : depth + 1]);
    }
  };
  push(NONE, 0);
  while (waiting.length) {
    const [row, depth] = waiting.pop();
    if (seen[row]) continue;
    seen[row] = 1;
    rows.push(row);
    depths.push(depth);
    push(row, depth);
  }
  Object.assign(tree, { rows, depths });
  byId("tree-rows").style.height = `${rows.length * TREE_ROW}px`;
}

function drawTree() {
  const panel = byId("tree");
  const holder = byId("tree-rows");
  const first = Math.max(0, Math.floor(panel.scrollTop / TREE_ROW) - 8);
  const last = Math.min(tree.rows.length, first + Math.ceil(panel.clientHeight / TREE_ROW) + 16);
  const current = view.items[view.current];
  const parts = [];
  for (let at = first; at < last; at++) {
    const row = tree.rows[at];
    const kind = kinds[row];
    const element = h("div",
      {
        class: `node k-${STYLES[kind]?.split(" ")[0] ?? "minor"}${tree.onPath.has(row) ? "" : " off"}${row === current ? " here" : ""}${kind === "f" ? " failed" : ""}`,
        id: `n${row}`, role: "treeitem", "data-at": String(at), "aria-level": String(tree.depths[at] + 1),
        "aria-selected": String(at === tree.selected), title: preview(row, 400),
      },
      h("span", { class: "sign", "aria-hidden": "true" }, SIGNS[kind] ?? "·"),
      labels.has(row) ? h("span", { class: "label" }, labels.get(row)) : null,
      h("span", { class: "words" }, preview(row, 90)));
    element.style.top = `${at * TREE_ROW}px`;
    element.style.paddingInlineStart = `${8 + Math.min(tree.depths[at], 12) * 14}px`;
    parts.push(element);
  }
  if (tree.rows.length === 0) parts.push(h("p", { class: "notice" }, "Nothing to list"));
  holder.replaceChildren(...parts);
  panel.setAttribute("aria-activedescendant", tree.rows.length ? `n${tree.rows[tree.selected]}` : "");
}

/** An entry in a few words. */
function preview(row, length) {
  try {
    const message = messageOf(row);
    const kind = kinds[row];
    let text = textOf(message.content) || str(message.summary) || str(message.command) || str(message.errorMessage) || drawnText(message.drawn);
    if (kind === "r") text = `${str(message.toolName)}: ${text}`;
    else if (kind === "t" || (ASSISTANT.has(kind) && !text.trim())) {
      const calls = list(message.content).map(record).filter((block) => block.type === "toolCall");
      text = calls.map((call) => `${str(call.name)} ${str(record(call.arguments).path ?? record(call.arguments).command)}`).join(", ") || text || "(thinking)";
    } else if (kind === "m") text = `${str(message.provider)}/${str(message.modelId)}`;
    else if (kind === "l") text = str(message.thinkingLevel);
    return oneLine((kind === "r" ? text : unmarked(text)) || NAMES[kind] || str(message.type), length);
  } catch {
    return NAMES[kinds[row]] ?? "Entry";
  }
}

function select(at) {
  tree.selected = Math.max(0, Math.min(tree.rows.length - 1, at));
  const panel = byId("tree");
  const top = tree.selected * TREE_ROW;
  if (top < panel.scrollTop + TREE_ROW) panel.scrollTop = top - TREE_ROW;
  else if (top > panel.scrollTop + panel.clientHeight - 2 * TREE_ROW) panel.scrollTop = top - panel.clientHeight + 2 * TREE_ROW;
  drawTree();
}

/** Mark the branch that is shown, and bring its current entry into the panel. */
function followConversation() {
  const current = view.items[view.current];
  const at = current === undefined ? -1 : tree.rows.indexOf(current);
  if (at >= 0) select(at);
  else drawTree();
}

function choose(at) {
  if (tree.rows[at] === undefined) return;
  tree.selected = at;
  const row = tree.rows[at];
  showTree(narrow() ? false : treeShown());
  goToRow(row);
}

const narrow = () => matchMedia("(max-width: 900px)").matches;
const treeShown = () => document.body.classList.contains(narrow() ? "tree-open" : "tree-shut") === narrow();

function showTree(shown) {
  document.body.classList.toggle("tree-open", narrow() && shown);
  document.body.classList.toggle("tree-shut", !narrow() && !shown);
  byId("toggle-tree").setAttribute("aria-expanded", String(shown));
  if (shown) drawTree();
}

function startTree() {
  const panel = byId("tree");
  arrangeTree();
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawTree();
    });
  };
  panel.addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  panel.addEventListener("click", (event) => {
    const node = event.target.closest(".node");
    if (node) choose(Number(node.dataset.at));
  });
  panel.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(panel.clientHeight / TREE_ROW) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, PageDown: page, PageUp: -page, Home: -rowCount, End: rowCount };
    if (event.key === "Enter" || event.key === " ") choose(tree.selected);
    else if (Object.hasOwn(moves, event.key)) select(tree.selected + moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  byId("tree-filter").addEventListener("change", (event) => {
    tree.filter = event.target.value;
    arrangeTree();
    tree.selected = 0;
    followConversation();
  });
  byId("toggle-tree").addEventListener("click", () => showTree(!treeShown()));
  listeners.branch.push(() => {
    tree.onPath = new Set(view.path);
    followConversation();
  });
  listeners.moved.push(followConversation);
  showTree(!narrow());
}
