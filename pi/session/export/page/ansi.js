// Output of programs: colours of terminals become classes, other control sequences go.

const SEQUENCE = /\x1b(?:\[([0-9;:<=>?]*)[ -/]*([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\x9b[0-9;?]*[@-~]/g;

/** Carriage returns as a terminal shows them: what a line ends up with. */
function settle(text) {
  if (!text.includes("\r")) return text;
  return text
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => {
      const end = line.endsWith("\r") ? line.length - 1 : line.length;
      return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
    })
    .join("\n");
}

const withoutSequences = (text) => (text.includes("\x1b") || text.includes("\x9b") ? text.replace(SEQUENCE, "") : text);

const PLAIN = { fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, strike: false, inverse: false, link: null };
const ATTRIBUTES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };

function addTerminalText(parent, text) {
  if (!text.includes("\x1b") && !text.includes("\x9b")) return addText(parent, text);
  let style = PLAIN;
  let from = 0;
  const add = (piece) => {
    if (!piece) return;
    const names = Object.values(ATTRIBUTES).filter((name) => style[name]);
    for (const side of ["fg", "bg"]) if (typeof style[side] === "number") names.push(`${side}${style[side]}`);
    const span = style.link ? anchor(style.link, piece) : h("span", null, piece);
    if (names.length) span.className = names.join(" ");
    // Numbers made here, and no text of the session's, become colours.
    if (Array.isArray(style.fg)) span.style.color = `rgb(${style.fg.join(" ")})`;
    if (Array.isArray(style.bg)) span.style.backgroundColor = `rgb(${style.bg.join(" ")})`;
    parent.append(span);
  };
  SEQUENCE.lastIndex = 0;
  for (let match; (match = SEQUENCE.exec(text)); ) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = restyled(style, match[1]);
    else if (match[0].startsWith("\x1b]8;")) style = { ...style, link: safeTarget(match[0].replace(/^\x1b\]8;[^;]*;|[\x07\x1b].*$/g, "")) };
  }
  add(text.slice(from));
}

function restyled(style, codes) {
  const next = { ...style };
  const numbers = codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at];
    if (code === 0) Object.assign(next, PLAIN, { link: style.link });
    else if (ATTRIBUTES[code]) next[ATTRIBUTES[code]] = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (ATTRIBUTES[code - 20]) next[ATTRIBUTES[code - 20]] = false;
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code === 39) next.fg = null;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code >= 100 && code <= 107) next.bg = code - 92;
    else if (code === 49) next.bg = null;
    else if (code === 38 || code === 48) {
      const size = numbers[at + 1] === 5 ? 2 : 4;
      next[code === 38 ? "fg" : "bg"] = colorOf(numbers.slice(at + 1, at + 1 + size));
      at += size;
    }
  }
  return next;
}

/** What follows 38 or 48: one of sixteen as a number, others as [red, green, blue], null for none. */
function colorOf([kind, ...values]) {
  if (!values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)) return null;
  if (kind === 2) return values.length === 3 ? values : null;
  const [index] = values;
  if (kind !== 5 || index === undefined) return null;
  if (index < 16) return index;
  if (index >= 232) return Array(3).fill(8 + (index - 232) * 10);
  return [36, 6, 1].map((step) => Math.floor((index - 16) / step) % 6).map((level) => (level ? 55 + level * 40 : 0));
}
