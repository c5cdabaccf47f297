// Colours for code: comments, strings, numbers and key words, by families of languages. One pass,
// one regular expression a family, each of its alternatives linear.

const HIGHLIGHT_LIMIT = 200000; // characters; beyond, code stays plain

const SLASH = String.raw`\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)`;
const HASH = String.raw`#[^\n]*`;
const DOUBLE = String.raw`"(?:\\[^]|[^"\\\n])*"?`;
const SINGLE = String.raw`'(?:\\[^]|[^'\\\n])*'?`;
const TICKS = "`(?:\\\\[^]|[^`\\\\])*`?";
const TRIPLE = String.raw`"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)`;
const NUMBER = String.raw`\b(?:0[xXbBoO][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\w*`;
const WORD = String.raw`[A-Za-z_$][\w$]*`;

const words = (text) => new Set(text.split(" "));
const FAMILIES = {
  c: {
    comment: SLASH,
    string: [DOUBLE, SINGLE, TICKS],
    words: words(
      "abstract as assert async await auto bool boolean break byte case catch char class concept const constexpr continue data debugger declare default defer delete do double elif else enum explicit export extends extern false final finally float fn for foreach friend from fun func function get go goto guard if impl implements import in inline instanceof int interface internal is keyof let lock long loop match mod module move mut namespace native new nil not null nullptr object of open operator or out override package pass private protected protocol pub public range readonly record ref register return sealed select self set short signed sizeof static struct super switch synchronized template this throw throws trait transient true try type typealias typedef typeof undefined union unsafe unsigned use using val var virtual void volatile when where while with yield",
    ),
  },
  python: {
    comment: HASH,
    string: [TRIPLE, DOUBLE, SINGLE],
    words: words(
      "False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return self try while with yield",
    ),
  },
  shell: {
    comment: String.raw`(?<![^\s;(])#[^\n]*`,
    string: [String.raw`"(?:\\[^]|[^"\\])*"?`, "'[^']*'?"],
    words: words(
      "if then else elif fi for while until do done case esac in function return local export unset set shift exit break continue cd echo source alias trap test sudo",
    ),
  },
  hash: {
    comment: HASH,
    string: [DOUBLE, SINGLE],
    words: words(
      "true false null yes no on off nil and begin class def do else elsif end ensure for if in module next not or puts raise require rescue return self super then unless until when while yield FROM RUN COPY CMD ENTRYPOINT ENV WORKDIR ARG EXPOSE",
    ),
  },
  json: { comment: SLASH, string: [DOUBLE], words: words("true false null") },
  sql: {
    comment: String.raw`--[^\n]*|\/\*[^]*?(?:\*\/|$)`,
    string: [String.raw`'(?:''|[^'])*'?`, DOUBLE],
    anyCase: true,
    words: words(
      "add all alter and as asc begin between by case check column commit constraint create cross default delete desc distinct drop else end except exists false foreign from full group having if in index inner insert intersect into is join key left like limit not null offset on or order outer primary references returning right rollback select set table then true union unique update using values view when where with",
    ),
  },
  lua: {
    comment: String.raw`--\[\[[^]*?(?:\]\]|$)|--[^\n]*`,
    string: [DOUBLE, SINGLE],
    words: words("and break do else elseif end false for function if in local nil not or repeat return then true until while let where of data type class instance module import deriving case"),
  },
  markup: {
    comment: String.raw`<!--[^]*?(?:-->|$)`,
    string: [String.raw`(?<==)"[^"]*"?`, String.raw`(?<==)'[^']*'?`],
    tags: true,
    words: new Set(),
  },
  css: {
    comment: String.raw`\/\*[^]*?(?:\*\/|$)`,
    string: [DOUBLE, SINGLE],
    word: String.raw`@?[A-Za-z_-][\w-]*(?=\s{0,9}:)|@[\w-]+`,
    words: null,
  },
};

const LANGUAGES = new Map(
  Object.entries({
    c: "c cc cpp cxx h hpp hh java js jsx mjs cjs javascript ts tsx mts typescript go golang rs rust swift kt kts kotlin cs csharp php scala dart groovy proto zig m objc vue svelte",
    python: "py pyi pyx python python3 py3 starlark bzl",
    shell: "sh bash zsh shell fish console shell-session ksh",
    hash: "yaml yml toml ini cfg conf rb ruby pl perl r dockerfile makefile make mk env properties elixir ex exs nix cmake gitignore tf hcl",
    json: "json jsonc json5 jsonl ndjson",
    sql: "sql sqlite postgres mysql",
    lua: "lua hs haskell elm",
    markup: "html htm xml svg xhtml plist",
    css: "css scss less sass",
  }).flatMap(([family, names]) => names.split(" ").map((name) => [name, family])),
);

/** The family for a name of a language or the end of a file name; undefined where there is none. */
const familyOf = (name) => LANGUAGES.get(name.toLowerCase());

function familyOfPath(path) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return familyOf(name.slice(name.lastIndexOf(".") + 1));
}

const scanners = new Map();
function scannerOf(family) {
  let scanner = scanners.get(family);
  if (scanner === undefined) {
    const { comment, string, tags, word } = FAMILIES[family];
    const parts = [`(?<comment>${comment})`, `(?<string>${string.join("|")})`];
    if (tags) parts.push(String.raw`(?<tag><\/?[A-Za-z][\w:.-]*|\/?>)`);
    parts.push(`(?<number>${NUMBER})`, `(?<word>${word ?? WORD})`);
    scanner = new RegExp(parts.join("|"), "g");
    scanners.set(family, scanner);
  }
  return scanner;
}

/** Add code to an element, coloured where its language is known. */
function addCode(parent, code, family) {
  if (family === undefined || code.length > HIGHLIGHT_LIMIT) return addText(parent, code);
  const known = FAMILIES[family];
  const scanner = scannerOf(family);
  scanner.lastIndex = 0;
  let from = 0;
  for (let match; (match = scanner.exec(code)); ) {
    const { comment, string, tag, number: digits, word } = match.groups;
    let name = null;
    if (comment !== undefined) name = "comment";
    else if (string !== undefined) name = "string";
    else if (tag !== undefined) name = "keyword";
    else if (digits !== undefined) name = "number";
    else if (known.words === null || known.words.has(known.anyCase ? word.toLowerCase() : word)) name = "keyword";
    else if (code[scanner.lastIndex] === "(") name = "call";
    if (name === null || match[0] === "") {
      if (match[0] === "") scanner.lastIndex++;
      continue;
    }
    if (match.index > from) addText(parent, code.slice(from, match.index));
    parent.append(h("span", { class: `c-${name}` }, match[0]));
    from = scanner.lastIndex;
  }
  if (from < code.length) addText(parent, code.slice(from));
}
