// Search through all entries, a few milliseconds at a time. A line that does not hold the letters
// at all is passed over undecoded.

const search = { text: "", hits: [], at: -1, running: 0, done: true };
const SLICE = 12; // milliseconds of work before the page gets its turn
const MAX_RANGES = 2000;
const highlights = typeof Highlight === "function" && CSS.highlights ? { all: new Highlight(), now: new Highlight() } : null;

function startSearch() {
  const field = byId("search");
  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => find(field.value), 150);
  });
  byId("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    if (field.value !== search.text) find(field.value);
    else nextHit(1);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      nextHit(-1);
    }
  });
  byId("search-next").addEventListener("click", () => nextHit(1));
  byId("search-previous").addEventListener("click", () => nextHit(-1));
  byId("search-all").addEventListener("change", () => find(field.value));
  listeners.drawn.push(markHits);
  if (highlights) {
    CSS.highlights.set("found", highlights.all);
    CSS.highlights.set("found-now", highlights.now);
  }
}

/** Rows that are searched: of the branch that is shown, or all; without what is not shown. */
function* candidates() {
  const rows = byId("search-all").checked ? Array(rowCount).keys() : [...view.path];
  for (const row of rows) if (SHOWN.has(kinds[row]) || view.minor) yield row;
}

/** A test of undecoded lines that never misses a hit. */
function prefilter(text) {
  if (/[^ -~]|["\\<]/.test(text)) return () => true;
  const pattern = new RegExp(text.replace(/[.*+?^${}()|[\]/-]/g, "\\$&"), "i");
  // What extensions drew may have a colour begin between any two letters.
  return (line) => pattern.test(line) || line.includes('"drawn":');
}

async function find(text) {
  const run = ++search.running;
  Object.assign(search, { text, hits: [], at: -1, done: text.trim() === "" });
  markHits();
  tellCount();
  if (search.done) return;
  const wanted = text.toLowerCase();
  const mayHold = prefilter(text);
  let until = performance.now() + SLICE;
  for (const row of candidates()) {
    if (performance.now() > until) {
      tellCount();
      markHits();
      await new Promise((resume) => setTimeout(resume));
      if (run !== search.running) return;
      until = performance.now() + SLICE;
    }
    const line = lineOf(row);
    if (!mayHold(line)) continue;
    if (!searchTextOf(row).toLowerCase().includes(wanted)) continue;
    search.hits.push(row);
    if (search.at < 0 && isAhead(row)) goToHit(search.hits.length - 1);
  }
  search.done = true;
  if (search.at < 0 && search.hits.length) goToHit(0);
  tellCount();
  markHits();
  byId("announce").textContent = search.hits.length ? `${plural(search.hits.length, "entry", "entries")} with “${plain(text)}”` : `Nothing found for “${plain(text)}”`;
}

/** Whether a row is where the reader is, or behind it: search begins there. */
function isAhead(row) {
  return (view.place.get(row) ?? -1) >= hereItem();
}

function nextHit(by) {
  if (!search.hits.length) return;
  goToHit((search.at + by + search.hits.length) % search.hits.length);
}

function goToHit(at) {
  search.at = at;
  const row = search.hits[at];
  goToRow(row, { focus: false });
  const item = view.place.get(row);
  foldEntry(item, true);
  markHits();
  const range = highlights && [...highlights.now][0];
  const box = range?.getBoundingClientRect();
  if (box && (box.top < 80 || box.bottom > innerHeight - 40)) scrollBy({ top: box.top - innerHeight / 3, behavior: "instant" });
  tellCount();
}

function tellCount() {
  const { text, hits, at, done } = search;
  const total = `${count(hits.length)}${done ? "" : "+"}`;
  byId("search-count").textContent = text.trim() === "" ? "" : hits.length ? `${at + 1} / ${total}` : done ? "none" : "…";
  byId("search-form").classList.toggle("active", text.trim() !== "");
}

/** Mark the text found in what is drawn. */
function markHits() {
  for (const element of document.querySelectorAll(".entry.hit")) element.classList.remove("hit");
  highlights?.all.clear();
  highlights?.now.clear();
  if (!search.hits.length) return;
  const wanted = search.text.toLowerCase();
  const now = view.place.get(search.hits[search.at]);
  const hitItems = new Set(search.hits.map((row) => view.place.get(row)));
  let left = MAX_RANGES;
  for (const group of view.groups) {
    if (!group.drawn) continue;
    for (let item = group.first; item < group.last && left > 0; item++) {
      if (!hitItems.has(item)) continue;
      const element = articleOf(item);
      element.classList.add("hit");
      if (highlights) left = markIn(element, wanted, item === now, left);
    }
  }
}

function markIn(element, wanted, now, left) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node; left > 0 && (node = walker.nextNode()); ) {
    const text = node.data.toLowerCase();
    if (text.length !== node.data.length) continue; // letters whose lower case is longer
    for (let at = text.indexOf(wanted); at >= 0 && left > 0; at = text.indexOf(wanted, at + wanted.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      (now && highlights.now.size === 0 ? highlights.now : highlights.all).add(range);
      left--;
    }
  }
  return left;
}
