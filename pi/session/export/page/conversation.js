// The branch that is shown: entries in groups, of which only those near the window are drawn.

const GROUP = 24; // entries
const NEAR = 1800; // pixels above and below the window in which groups are drawn
const GUESS = 170; // pixels of an entry not seen yet
const PRINTED = 4000; // entries that are drawn all at once for paper

const SHOWN = new Set("uatfr!scbxym?");
const MINOR = new Set("hlngdk$");
const ASSISTANT = new Set("atf");

const view = {
  leaf: NONE,
  path: [],
  items: [], // rows that have an article
  results: [], // for each item the rows of its tools' results
  forks: [], // for each item the rows at which the path had a choice
  place: new Map(), // row on the path -> item
  groups: [],
  current: NONE, // item
  minor: false, // whether what the conversation does without is shown
};

let observer = null;
const listeners = { branch: [], moved: [], drawn: [] }; // what tree and search do when something changes
const tell = (event) => listeners[event].forEach((listener) => listener());

/** Show the branch that ends at a row. */
function showBranch(leaf) {
  view.leaf = leaf;
  view.path = leaf === null ? [] : pathTo(leaf);
  arrange();
  tell("branch");
}

function arrange() {
  const items = [];
  const results = [];
  const forks = [];
  const place = new Map();
  let answering = NONE; // the item whose calls the next results belong to
  let choices = [];
  for (const row of view.path) {
    const kind = kinds[row];
    const above = parents[row];
    const siblings = above === NONE ? childrenOf(NONE).length : childCount[above];
    if (siblings > 1) choices.push(row);
    place.set(row, Math.max(0, items.length - 1));
    if (kind === "r" && answering !== NONE) {
      results[answering].push(row);
      place.set(row, answering);
      if (choices.length) forks[answering].push(...choices.splice(0));
      continue;
    }
    if (!SHOWN.has(kind) && !(view.minor && MINOR.has(kind))) continue;
    if (ASSISTANT.has(kind)) answering = items.length;
    else if ("ucb!xy".includes(kind)) answering = NONE;
    place.set(row, items.length);
    items.push(row);
    results.push([]);
    forks.push(choices);
    choices = [];
  }
  Object.assign(view, { items, results, forks, place });
  makeGroups();
}

function makeGroups() {
  observer?.disconnect();
  const holder = byId("entries");
  view.groups = [];
  for (let first = 0; first < view.items.length; first += GROUP) {
    const last = Math.min(first + GROUP, view.items.length);
    const element = h("div", { class: "group", "data-group": String(view.groups.length) });
    element.style.height = `${(last - first) * GUESS}px`;
    view.groups.push({ element, first, last, drawn: false, height: 0 });
  }
  holder.replaceChildren(...view.groups.map((group) => group.element));
  observer = new IntersectionObserver(
    (changes) => {
      for (const change of changes) {
        const group = view.groups[change.target.dataset.group];
        if (group === undefined || group.element !== change.target) continue;
        if (change.isIntersecting) draw(group);
        else if (!printing) erase(group);
      }
      tell("drawn");
    },
    { rootMargin: `${NEAR}px 0px` },
  );
  for (const group of view.groups) observer.observe(group.element);
  if (view.groups.length) draw(view.groups[0]); // there at once; the observer tells only later
  if (view.items.length === 0) holder.append(h("p", { class: "notice" }, "This session has no entries to show."));
}

function draw(group) {
  if (group.drawn) return;
  group.drawn = true;
  const parts = [];
  for (let item = group.first; item < group.last; item++) {
    const row = view.items[item];
    for (const choice of view.forks[item]) parts.push(forkBar(choice));
    const element = article(row, view.results[item]);
    if (item === view.current) element.classList.add("current");
    parts.push(element);
  }
  group.element.replaceChildren(...parts);
  group.element.style.height = "";
}

function erase(group) {
  if (!group.drawn || group.element.contains(document.activeElement)) return;
  const { height } = group.element.getBoundingClientRect();
  group.drawn = false;
  group.element.style.height = `${height}px`;
  group.element.replaceChildren();
}

/** Draw everything in sight again, where it is. */
function redraw() {
  const item = topItem();
  const before = articleOf(item)?.getBoundingClientRect().top ?? 0;
  for (const group of view.groups) {
    if (!group.drawn) continue;
    group.drawn = false;
    draw(group);
  }
  const after = articleOf(item)?.getBoundingClientRect().top ?? 0;
  scrollBy({ top: after - before, behavior: "instant" });
  tell("drawn");
}

/** "Branch 2 of 3" with a way to the others. */
function forkBar(row) {
  const siblings = childrenOf(parents[row]);
  const at = siblings.indexOf(row);
  const to = (step) => siblings[(at + step + siblings.length) % siblings.length];
  const button = (step, label, sign) =>
    h("button", { type: "button", "aria-label": label, title: label, on: { click: () => switchTo(to(step)) } }, sign);
  return h("div", { class: "fork", "data-fork": String(row) },
    button(-1, "Previous branch", "‹"),
    h("span", null, `Branch ${at + 1} of ${siblings.length}`),
    button(1, "Next branch", "›"));
}

/** Show the newest branch through a row, and the place where it leaves the others. */
function switchTo(row) {
  showBranch(leafBelow(row));
  goToRow(row);
  byId("announce").textContent = "Another branch is shown";
}

const articleOf = (item) => (item === NONE || view.items[item] === undefined ? null : byId(`e${view.items[item]}`));

/** Go to an entry; on another branch, to that branch first. */
function goToRow(row, options) {
  if (!view.place.has(row)) showBranch(leafBelow(row));
  if (!view.place.has(row)) showBranch(row);
  goToItem(view.place.get(row), options);
}

function goToItem(item, { focus = true } = {}) {
  if (view.items[item] === undefined) return;
  const number = Math.floor(item / GROUP);
  for (const near of [number - 1, number, number + 1]) if (view.groups[near]) draw(view.groups[near]);
  setCurrent(item);
  const element = articleOf(item);
  const target = element.previousElementSibling?.classList.contains("fork") ? element.previousElementSibling : element;
  target.scrollIntoView({ block: "start", behavior: "instant" });
  if (focus) element.focus({ preventScroll: true });
  tell("drawn");
  tell("moved");
}

function setCurrent(item) {
  articleOf(view.current)?.classList.remove("current");
  view.current = item;
  articleOf(item)?.classList.add("current");
}

/** The entry at the top of the window. */
function topItem() {
  const bar = document.querySelector(".bar").offsetHeight + 8;
  for (const group of view.groups) {
    if (!group.drawn || group.element.getBoundingClientRect().bottom < bar) continue;
    for (let item = group.first; item < group.last; item++) {
      if (articleOf(item)?.getBoundingClientRect().bottom > bar) return item;
    }
  }
  return view.items.length ? 0 : NONE;
}

/** The current entry while one sees it, else the one at the top. */
function hereItem() {
  const box = articleOf(view.current)?.getBoundingClientRect();
  return box && box.bottom > 0 && box.top < innerHeight ? view.current : topItem();
}

/** Next or previous entry; from an entry that is only partly in sight, its own beginning counts. */
function step(by) {
  const here = hereItem();
  const top = articleOf(here)?.getBoundingClientRect().top ?? 0;
  const below = top >= document.querySelector(".bar").offsetHeight - 1;
  let to = here + by;
  if (here !== view.current && below === by > 0) to = here;
  goToItem(Math.max(0, Math.min(view.items.length - 1, to)));
}

function stepPrompt(by) {
  for (let item = hereItem() + by; view.items[item] !== undefined; item += by) {
    if (kinds[view.items[item]] === "u") return goToItem(item);
  }
}

/** Previous or next branch at the fork nearest above the current entry. */
function stepBranch(by) {
  for (let item = hereItem(); item >= 0; item--) {
    const choices = view.forks[item];
    if (!choices?.length) continue;
    const row = choices.at(-1);
    const siblings = childrenOf(parents[row]);
    return switchTo(siblings[(siblings.indexOf(row) + by + siblings.length) % siblings.length]);
  }
}

/** Something in the page was folded or unfolded by hand. */
function changed() {
  tell("drawn");
}

function foldAll(kind) {
  folds.all[kind] = !folds.all[kind];
  for (const element of document.querySelectorAll("[data-fold]")) {
    if (kind === "thinking" ? element.classList.contains("thinking") : element.classList.contains("output")) folds.open.delete(element.dataset.fold);
  }
  redraw();
}

/** Unfold everything in an entry, or fold it again. */
function foldEntry(item, open) {
  const element = articleOf(item);
  if (!element) return;
  const keys = [...element.querySelectorAll("[data-fold]")].map((one) => one.dataset.fold);
  const next = open ?? !keys.some((key) => folds.open.get(key));
  for (const key of keys) folds.open.set(key, next);
  const fresh = article(view.items[item], view.results[item]);
  if (item === view.current) fresh.classList.add("current");
  const focused = element.contains(document.activeElement);
  element.replaceWith(fresh);
  if (focused) fresh.focus({ preventScroll: true });
  tell("drawn");
}

let printing = false;
addEventListener("beforeprint", () => {
  printing = true;
  const all = view.items.length <= PRINTED;
  if (all) view.groups.forEach(draw);
  const note = byId("print-note");
  note.hidden = all;
  note.textContent = all ? "" : `Only the part around the place that was open is printed: this branch has ${count(view.items.length)} entries.`;
});
addEventListener("afterprint", () => {
  printing = false;
});
