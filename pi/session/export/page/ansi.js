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

function addTerminalText(parent, text) {
  if (!text.includes("\x1b") && !text.includes("\x9b")) return addText(parent, text);
  let style = { fg: null, bold: false, dim: false, italic: false, underline: false };
  let from = 0;
  const add = (piece) => {
    if (!piece) return;
    const names = [];
    if (style.fg !== null) names.push(`fg${style.fg}`);
    for (const name of ["bold", "dim", "italic", "underline"]) if (style[name]) names.push(name);
    parent.append(names.length ? h("span", { class: names.join(" ") }, piece) : h("span", null, piece));
  };
  SEQUENCE.lastIndex = 0;
  for (let match; (match = SEQUENCE.exec(text)); ) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") style = restyled(style, match[1]);
  }
  add(text.slice(from));
}

function restyled(style, codes) {
  let next = { ...style };
  const numbers = codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at];
    if (code === 0) next = { fg: null, bold: false, dim: false, italic: false, underline: false };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code >= 90 && code <= 97) next.fg = code - 82;
    else if (code === 39) next.fg = null;
    else if (code === 38 || code === 48) {
      if (code === 38 && numbers[at + 1] === 5 && numbers[at + 2] < 16) next.fg = numbers[at + 2];
      at += numbers[at + 1] === 5 ? 2 : 4;
    }
  }
  return next;
}
