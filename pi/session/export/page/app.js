// The page as a whole: facts about the session, keys, theme, addresses.

function showFacts() {
  const { session } = index;
  const tally = (letters) => {
    let found = 0;
    for (const kind of kinds) if (letters.includes(kind)) found++;
    return found;
  };
  const all = total();
  const shown = total(view.path);
  const usage = ([input, out, read, written, cost]) =>
    [`${tokens(input)} in`, `${tokens(out)} out`, read || written ? `${tokens(read)} cache read, ${tokens(written)} written` : null, cost ? dollars(cost) : null].filter(Boolean).join(" · ");
  const pairs = [
    ["Started", time(session.timestamp, { dateStyle: "long", timeStyle: "short" })],
    ["Folder", session.cwd ? h("code", null, session.cwd) : null],
    ["Session", session.id ? h("code", null, session.id) : null],
    ["Forked from", session.parent ? h("code", null, session.parent) : null],
    ["Messages", `${plural(tally("u"), "prompt")}, ${plural(tally("atf"), "answer")}, ${plural(tally("r"), "tool result")}`],
    ["Tokens", all.some(Boolean) ? usage(all) : null],
    ["This branch", all.some(Boolean) && shown.join() !== all.join() ? usage(shown) : null],
    ["Damaged", index.damaged ? `${plural(index.damaged, "line")} of the file could not be read and ${index.damaged === 1 ? "is" : "are"} not here` : null],
  ];
  const facts = byId("facts");
  facts.querySelector("dl")?.remove();
  byId("wait")?.remove();
  facts.append(h("dl", null, pairs.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)])));
}

const THEMES = ["system", "dark", "light"];
function nextTheme() {
  const root = document.documentElement;
  const now = root.dataset.theme ?? "system";
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  if (next === "system") delete root.dataset.theme;
  else root.dataset.theme = next;
  byId("announce").textContent = `Theme: ${next}`;
}

function showMinor() {
  const row = view.items[hereItem()];
  view.minor = !view.minor;
  arrange();
  if (row !== undefined && view.place.has(row)) goToItem(view.place.get(row));
  byId("announce").textContent = view.minor ? "Every entry is shown" : "Hidden messages and settings are left out";
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  J: () => stepPrompt(1),
  K: () => stepPrompt(-1),
  g: () => goToItem(0),
  G: () => goToItem(view.items.length - 1),
  "[": () => stepBranch(-1),
  "]": () => stepBranch(1),
  x: () => {
    const item = hereItem();
    setCurrent(item);
    foldEntry(item);
  },
  e: () => foldAll("output"),
  i: () => foldAll("thinking"),
  h: showMinor,
  "/": () => {
    byId("search").focus();
    byId("search").select();
  },
  n: () => nextHit(1),
  N: () => nextHit(-1),
  t: () => {
    showTree(!treeShown());
    if (treeShown()) byId("tree").focus();
  },
  d: nextTheme,
  "?": () => byId("help").showModal(),
  Escape: () => {
    if (document.activeElement === byId("search")) {
      byId("search").value = "";
      find("");
    }
    document.activeElement?.blur();
    if (narrow()) showTree(false);
  },
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea");
  if (typing && event.key !== "Escape") return;
  if (!Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
}

function goToAddress() {
  const match = /^#e(\d{1,9})$/.exec(location.hash);
  if (match && Number(match[1]) < rowCount) goToRow(Number(match[1]));
}

function start() {
  startTree();
  startSearch();
  listeners.branch.push(showFacts);
  showBranch(index.leaf);
  addEventListener("keydown", onKey);
  addEventListener("hashchange", goToAddress);
  byId("theme").addEventListener("click", nextTheme);
  byId("help-button").addEventListener("click", KEYS["?"]);
  byId("entries").addEventListener("click", (event) => {
    const element = event.target.closest(".entry");
    if (element) setCurrent(view.items.indexOf(Number(element.dataset.row)));
  });
  goToAddress();
}

start();
