// The twin of composing.py.
export default function (pi: any) {
  const text = (text: string) => [{ type: "text", text }];
  const twice = (name: string, ...handlers: any[]) => handlers.forEach((handler) => pi.on(name, handler));

  twice(
    "input",
    (event: any) => (event.text.startsWith("a") ? { action: "transform", text: event.text + " one" } : undefined),
    (event: any) => (event.text.endsWith(" one") ? { action: "transform", text: event.text + " two" } : undefined),
    (event: any) => (event.text === "stop" ? { action: "handled" } : { action: "continue" }),
    (event: any) => { event.text = "changed in place"; },
  );
  twice(
    "before_agent_start",
    (event: any) => {
      event.systemPromptOptions.promptGuidelines.push("Be kind.");
      event.systemPromptOptions.sections.deploy = "With make.";
      event.systemPromptOptions.selectedTools = event.systemPromptOptions.selectedTools.filter((n: string) => n !== "edit");
      return { message: { customType: "first", content: "first note", display: false } };
    },
    (event: any, ctx: any) => {
      const seen = event.systemPrompt.includes("Be kind.") && ctx.getSystemPrompt() === event.systemPrompt;
      const forced = event.prompt.startsWith("force") ? { systemPrompt: "Forced." } : {};
      return { message: { customType: "second", content: `seen ${seen}`, display: true, details: { seen } }, ...forced };
    },
    (event: any) => (event.systemPrompt === "Forced." ? { systemPrompt: event.systemPrompt + " Twice." } : undefined),
  );
  twice(
    "context",
    (event: any) => ({ messages: event.messages.filter((m: any) => !JSON.stringify(m).includes("secret")) }),
    (event: any) => ({ messages: [...event.messages, { role: "user", content: text(`there are ${event.messages.length}`), timestamp: 1 }] }),
  );
  twice("before_provider_request", (event: any) => ({ ...event.payload, metadata: { user_id: "u" } }), (event: any) => ({
    ...event.payload,
    metadata: { ...event.payload.metadata, more: "1" },
  }));
  twice(
    "before_provider_headers",
    (event: any) => { event.headers["x-one"] = "1"; event.headers["x-two"] = "2"; },
    (event: any) => { event.headers["x-two"] = null; event.headers["X-One"] = event.headers["x-one"] + "!"; delete event.headers["x-one"]; },
  );
  twice(
    "tool_call",
    (event: any) => { if (event.toolName === "read") event.input.path = "b.txt"; },
    (event: any) => { if (event.toolName === "read" && event.input.path !== "b.txt") return { block: true, reason: "not seen" }; },
    (event: any) => { if (event.toolName === "bash") return { block: true, reason: "no shell", terminate: event.input.command === "end" }; },
    (event: any) => { if (event.toolName === "bash") return { block: true, reason: "too late" }; },
    (event: any) => { if (event.toolName === "write") throw new Error("undecided"); },
  );
  twice(
    "tool_result",
    (event: any) => (event.toolName === "data" ? { details: { n: 1 } } : undefined),
    (event: any) => (event.toolName === "data" ? { content: text(`n is ${event.details.n}, ${event.structuredContent?.k}`) } : undefined),
    (event: any) => (event.toolName === "data" ? { isError: event.structuredContent !== undefined } : undefined),
  );
  twice(
    "message_end",
    (event: any) => {
      if (event.message.role === "assistant" && event.message.stopReason === "stop")
        return { message: { ...event.message, content: text("mended") } };
    },
    (event: any) => {
      if (event.message.role === "assistant" && event.message.content[0]?.text === "mended")
        return { message: { ...event.message, content: text("mended twice") } };
      if (event.message.role === "user") return { message: { ...event.message, role: "assistant" } };
    },
  );
  let turns = 0;
  twice(
    "turn_end",
    (event: any) => {
      if (event.outcome === "completed" && event.toolResults.length === 0 && turns++ === 0)
        return { entries: [{ type: "custom_message", customType: "more", content: "go on", display: false }], continue: true };
    },
    (event: any) => (event.continue ? { entries: [...event.entries, { type: "custom", customType: "kept", data: { n: event.context.contextEntries?.flatMap((e: any) => e.messages).length } }] } : undefined),
  );
  let settled = 0;
  twice(
    "agent_before_settle",
    () => (settled++ === 0 ? { entries: [{ type: "custom", customType: "settled" }], continue: true } : undefined),
    (event: any) => (event.continue ? { continue: false } : undefined),
  );
  twice(
    "session_before_compact",
    (event: any) => ({ compaction: { summary: "first", firstKeptEntryId: event.preparation.firstKeptEntryId, tokensBefore: 7 } }),
    (event: any) => ({ compaction: { summary: "second", firstKeptEntryId: event.preparation.firstKeptEntryId, tokensBefore: 8, details: { by: "me" } } }),
  );
  twice("session_before_tree", () => ({ summary: { summary: "left", details: { d: 1 } }, label: "mine" }), () => ({ label: "other" }));
  pi.registerTool({
    name: "data",
    label: "Data",
    description: "Data",
    parameters: { type: "object", properties: {} },
    outputSchema: { type: "object" },
    async execute() {
      return { content: text("raw"), details: undefined, structuredContent: { k: "v" } };
    },
  });
  pi.registerCommand("leave", {
    description: "leave",
    async handler(_args: string, ctx: any) {
      const user = ctx.sessionManager.getEntries().filter((e: any) => e.message?.role === "user");
      await ctx.navigateTree(user[0].id, { summarize: true });
    },
  });
}
