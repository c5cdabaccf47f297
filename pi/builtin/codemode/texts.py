"""What the model is told of scripts."""

__all__ = ["DESCRIPTION", "GRAMMAR", "GUIDELINE", "SNIPPET"]

SNIPPET = "run a script in JavaScript that calls the other tools"
GUIDELINE = (
    "With codemode, make many independent calls at once (Promise.allSettled), feed one call's "
    "result to the next, and cut large output down, rather than making each call by itself."
)
DESCRIPTION = """\
Run a script in JavaScript that calls other tools. Give its source as it is: no JSON around it, no \
code fence. It is the body of an async function, so await and return work in it. There are no \
modules, files, network or timers; all it reaches is tools.
- `await tools.NAME({…})` calls a tool. It gives a string, or what the tool's declaration says, \
and throws an Error with the tool's text when it fails. What still runs at the end is cancelled.
- `text(value)`, `image(dataUrlOrBlock)`, `console.log(…)` and `return` put out what you are to \
see; nothing else comes back. `exit()` ends the script. Images are saved to files, too.
- `store(key, value)` and `load(key)` keep small JSON values from one script to the next.
- `models` has classifiers and image models. `await models.getAvailableOfType("classifier" or \
"image", provider?)` lists those that can be used, `await models.getModelOfType(type, provider, \
id)` gives one. `await models.classify(model, {state: {…}, questions: {ID: {type: "choice", \
instructions, criteria: {label: meaning}} or {type: "score", instructions, criteria: [lowest, …]} \
or {type: "bool", instructions, criteria: {true, false}}}, images?: [block]})` gives `answers` by \
ID: `choice`, `score` or `probability`. `await models.generateImages(model, {input: [{type: \
"text", text}, …image blocks]})` gives `output`, blocks for `image()`. Look at `stopReason` \
("stop" or "error") and `errorMessage`: what a provider refuses is no exception.
- `ALL_TOOLS`, `await searchTools(query, {limit, namespace})`, `await describeTool(name)` and \
`await describeNamespace(name)` find tools that are not declared here.
- The first line may be `// @options: {"max_output_tokens": 10000, "timeout_ms": 60000}`."""

GRAMMAR = """\
start: (OPTIONS NEWLINE)? SCRIPT
OPTIONS: /[ \\t]*\\/\\/ @options:[^\\r\\n]*/
NEWLINE: /\\r?\\n/
SCRIPT: /[\\s\\S]+/
"""
