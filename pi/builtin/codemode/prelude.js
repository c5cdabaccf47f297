// What a script finds around it; see sandbox.py. Everything is held before a script can change it.
// It is run as one line, so that traces tell its own lines from the script's: no comments below.
(function () {
  "use strict";
  const send = globalThis.__send, setup = JSON.parse(globalThis.__setup);
  delete globalThis.__send; delete globalThis.__setup;
  const { stringify, parse } = JSON, { apply, ownKeys } = Reflect;
  const AsyncFunction = (async () => {}).constructor;
  const then = Promise.prototype.then, resolved = Promise.resolve.bind(Promise);
  const NewError = Error, NewTypeError = TypeError, NewPromise = Promise, text_of = String;
  const pending = new Map(), get = Map.prototype.get, set = Map.prototype.set;
  const forget = Map.prototype.delete, kept = Object.assign(Object.create(null), setup.store);
  const changed = Object.create(null), names = Object.freeze(setup.names.map(Object.freeze));
  let count = 0;

  const tell = (record) => send(record.kind, 0, stringify(record));
  const shown = (value) => {
    if (typeof value === "string") return value;
    const written = stringify(value);
    return written === undefined ? text_of(value) : written;
  };
  const ask = (record) => new NewPromise((resolve, reject) => {
    const n = ++count;
    const line = stringify({ __proto__: null, ...record, n });
    apply(set, pending, [n, { resolve, reject }]);
    send(record.kind, n, line);
  });
  const described = (error) => {
    if (error instanceof NewError) {
      const head = `${error.name}: ${error.message}`;
      const stack = typeof error.stack === "string" ? error.stack.trimEnd() : "";
      return stack === "" ? head : `${head}\n${stack}`;
    }
    let text; try { text = shown(error); } catch { text = text_of(error); }
    return `Error: ${text}`;
  };
  const end = (record) => {
    const put = { __proto__: null }, gone = [];
    for (const key of ownKeys(changed)) {
      if (changed[key] === undefined) gone[gone.length] = key;
      else put[key] = parse(changed[key]);
    }
    tell({ __proto__: null, kind: "end", ...record, set: record.ok ? put : { __proto__: null }, delete: record.ok ? gone : [] });
  };
  const define = (name, value) => Object.defineProperty(
    globalThis, name, { value, writable: false, configurable: false, enumerable: true });

  define("tools", new Proxy(Object.create(null), {
    get(target, key) {
      if (typeof key !== "string") return undefined;
      const found = setup.tools[key];
      if (found === undefined) {
        throw new NewTypeError(`there is no tools.${key}; there are: ` +
          `${setup.some.join(", ")}. ALL_TOOLS has all of them, searchTools(query) finds some, ` +
          `"${key}" in tools tells whether there is one.`);
      }
      return (args = {}) => ask({ __proto__: null, kind: "call", name: found, args });
    },
    has: (target, key) => setup.tools[key] !== undefined,
    ownKeys: () => ownKeys(setup.tools),
    getOwnPropertyDescriptor: (target, key) => setup.tools[key] === undefined ? undefined
      : { enumerable: true, configurable: true },
    set: () => false, defineProperty: () => false, deleteProperty: () => false,
    preventExtensions: () => false,
  }));
  define("ALL_TOOLS", names);
  define("text", (value) => tell({ __proto__: null, kind: "text", value: shown(value) }));
  const picture = /^data:(image\/(?:png|jpeg|gif|webp));base64,/i, exec = RegExp.prototype.exec;
  const types = ["image/png", "image/jpeg", "image/gif", "image/webp"];
  define("image", (value) => {
    if (value?.type === "image") {
      if (typeof value.data !== "string" || !types.includes(value.mimeType)) {
        throw new NewTypeError("image(block): it needs base64 data, and PNG, JPEG, GIF or WebP");
      }
      return tell({ __proto__: null, kind: "image", data: value.data, mimeType: value.mimeType });
    }
    const url = typeof value === "object" ? value?.image_url?.url ?? value?.image_url : value;
    const found = typeof url === "string" ? apply(exec, picture, [url]) : null;
    if (found === null) {
      throw new NewTypeError("image(value): the value is a data: URL with base64 of a PNG, JPEG, " +
        "GIF or WebP, or an image block; images elsewhere are not fetched");
    }
    tell({ __proto__: null, kind: "image", data: url.slice(found[0].length), mimeType: found[1].toLowerCase() });
  });
  const log = (...values) => tell({ __proto__: null, kind: "log", value: values.map((value) =>
    value instanceof NewError ? described(value) : shown(value)).join(" ") });
  define("console", Object.freeze({ log, info: log, warn: log, error: log, debug: log }));
  define("exit", () => end({ ok: true }));
  define("store", (key, value) => {
    if (typeof key !== "string") throw new NewTypeError("store(key, value): the key is a string");
    const written = value === undefined ? undefined : stringify(value);
    if (value !== undefined && written === undefined) {
      throw new NewTypeError(`store(${stringify(key)}): the value is none that JSON can hold`);
    }
    if (written !== undefined && written.length > setup.limits.value) {
      throw new RangeError(`store(${stringify(key)}): the value has ${written.length} characters ` +
        `of JSON; at most ${setup.limits.value} are kept. Write large data to a file.`);
    }
    let total = written === undefined ? 0 : written.length;
    for (const other of ownKeys(kept)) if (other !== key) total += kept[other].length;
    if (total > setup.limits.values) {
      throw new RangeError(`store: all values together have ${total} characters of JSON; at most ` +
        `${setup.limits.values} are kept. Delete some by storing undefined.`);
    }
    if (written === undefined) delete kept[key]; else kept[key] = written;
    changed[key] = written;
  });
  define("load", (key) => kept[key] === undefined ? undefined : parse(kept[key]));
  define("searchTools", (query, options = {}) => ask({ __proto__: null, kind: "ask", what: "search",
    args: { __proto__: null, query: shown(query), limit: options?.limit, namespace: options?.namespace } }));
  define("describeTool", (name) =>
    apply(then, ask({ __proto__: null, kind: "ask", what: "tool", args: { __proto__: null, name: shown(name) } }),
      [(found) => found === null ? undefined : found]));
  define("describeNamespace", (name) =>
    apply(then, ask({ __proto__: null, kind: "ask", what: "namespace", args: { __proto__: null, name: shown(name) } }),
      [(found) => found === null ? undefined : found]));

  const asked = (what, args) => ask({ __proto__: null, kind: "ask", what, args });
  const listed = (what) => (type, provider) => asked(what, { __proto__: null, type, provider });
  const operation = (what) => (model, context) => asked(what, { __proto__: null, model, context });
  define("models", Object.freeze({
    getModelsOfType: listed("getModelsOfType"), getAvailableOfType: listed("getAvailableOfType"),
    getModelOfType: (type, provider, id) =>
      apply(then, asked("getModelOfType", { __proto__: null, type, provider, id }),
        [(found) => found === null ? undefined : found]),
    classify: operation("classify"), generateImages: operation("generateImages"),
  }));

  const settle = (line) => {
    const answer = parse(line), waiting = apply(get, pending, [answer.n]);
    apply(forget, pending, [answer.n]);
    if (answer.ok) waiting.resolve(answer.value);
    else waiting.reject(new NewError(answer.value));
  };
  const run = (source) => {
    const ended = (value) => {
      try {
        if (value !== undefined) tell({ __proto__: null, kind: "text", value: shown(value) });
      } catch (error) { return failed(error); }
      end({ ok: true });
    };
    const failed = (error) => {
      let text; try { text = described(error); } catch { text = "Error: one that cannot be shown"; }
      end({ ok: false, error: text });
    };
    let script;
    try { script = new AsyncFunction(source); } catch (error) { return failed(error); }
    apply(then, script(), [ended, failed]);
  };
  return (answer) => { if (answer === "") run(setup.source); else settle(answer); };
})()
