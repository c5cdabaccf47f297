// The twin of witness.py.
import { appendFileSync } from "node:fs";

const EVENTS = [
  "project_trust", "session_start", "resources_discover", "session_info_changed", "session_before_switch",
  "session_before_fork", "session_before_compact", "session_compact", "session_compact_failed",
  "session_before_tree", "session_tree", "session_shutdown", "input", "user_bash", "before_agent_start",
  "agent_start", "agent_end", "agent_before_settle", "agent_settled", "turn_start", "turn_end",
  "message_start", "message_update", "message_end", "tool_execution_start", "tool_execution_update",
  "tool_execution_end", "tool_call", "tool_result", "context", "context_with_system",
  "before_provider_headers", "before_provider_request", "after_provider_response",
  "provider_stream_event", "model_select", "thinking_level_select", "ui_prompt_start", "ui_prompt_end",
  "mcp_servers_change",
];

const kind = (value: any) => (Array.isArray(value) ? "list" : value === null ? "null" : typeof value);

function plain(event: any): any {
  const { type, signal, preparation, systemPrompt, systemPromptOptions, payload, headers, data, model, previousModel, ...rest } = event;
  const told: any = { ...rest };
  if (preparation) {
    const { fileOps, settings, messagesToSummarize, turnPrefixMessages, ...plan } = preparation;
    told.preparation = plan;
    if (messagesToSummarize) told.preparation.messages = messagesToSummarize.map((m: any) => m.role);
    if (turnPrefixMessages) told.preparation.prefix = turnPrefixMessages.map((m: any) => m.role);
  }
  if (systemPrompt !== undefined) told.systemPrompt = kind(systemPrompt);
  if (systemPromptOptions) {
    told.systemPromptOptions = Object.fromEntries(
      Object.entries(systemPromptOptions).filter(([, value]) => value !== undefined).map(([key, value]) => [key, kind(value)]),
    );
    told.selectedTools = systemPromptOptions.selectedTools;
  }
  if (payload) told.payload = kind(payload);
  if (headers) told.headers = kind(headers);
  if (data) told.data = data.type;
  if (model) told.model = model.id ?? model;
  if (previousModel) told.previousModel = previousModel.id;
  return told;
}

export default function (pi: any) {
  const tell = (name: string, about: any) => appendFileSync(process.env.WITNESSED!, JSON.stringify({ name, ...about }) + "\n");
  for (const name of EVENTS) {
    pi.on(name, (event: any, ctx: any) => {
      const state: any = { event: plain(event) };
      if (name !== "project_trust") {
        state.idle = ctx.isIdle();
        state.pending = ctx.hasPendingMessages();
        state.leaf = ctx.sessionManager.getLeafEntry()?.type ?? null;
      }
      tell(name, state);
      if (name === "input" && event.text === "handled") return { action: "handled" };
      if (name === "tool_call" && event.input.path === "secret") return { block: true, reason: "no" };
      if (name === "session_before_switch" && process.env.KEEP) return { cancel: true };
      if (name === "project_trust") return { trusted: "yes" };
      return undefined;
    });
  }
  const entries = (ctx: any, role: string) =>
    ctx.sessionManager.getEntries().filter((entry: any) => entry.message?.role === role);
  const command = (name: string, handler: any) => pi.registerCommand(name, { description: name, handler });
  command("goto", async (args: string, ctx: any) => {
    const [number, how] = args.split(" ");
    const result = await ctx.navigateTree(entries(ctx, "user")[Number(number)].id, {
      summarize: how === "sum", customInstructions: how === "sum" ? "Briefly" : undefined, label: how === "label" ? "here" : undefined,
    });
    tell("went", { cancelled: result.cancelled });
  });
  command("fork", async (args: string, ctx: any) => {
    await ctx.fork(entries(ctx, "user")[0].id, { position: args || "before" });
  });
  command("fresh", async (_args: string, ctx: any) => {
    const file = ctx.sessionManager.getSessionFile();
    await ctx.newSession({
      parentSession: file,
      setup: async (sm: any) => { sm.appendCustomEntry("set up"); },
      withSession: async (fresh: any) => { await fresh.sendUserMessage("go on"); },
    });
  });
  command("reload", async (_args: string, ctx: any) => { await ctx.reload(); });
  command("again", async (_args: string, ctx: any) => { await ctx.reload(); });
  command("name", async (args: string) => { pi.setSessionName(args); });
  command("level", async (args: string) => { pi.setThinkingLevel(args); });
  command("use", async (args: string, ctx: any) => {
    tell("used", { done: await pi.setModel(ctx.modelRegistry.find("mock", args)) });
  });
  command("ask", async (_args: string, ctx: any) => {
    tell("answers", { all: await Promise.all([ctx.ui.confirm("Sure?", "x"), ctx.ui.input("Name?")]) });
  });
  command("note", async (args: string) => {
    const note = { customType: "note", content: "a note", display: true, details: { n: 1 } };
    pi.sendMessage(note, args ? JSON.parse(args) : undefined);
  });
  command("say", async (args: string) => { pi.sendUserMessage(args, { expandPromptTemplates: args.startsWith("/") }); });
  command("squeeze", async (args: string, ctx: any) => {
    ctx.compact({ customInstructions: args || undefined, onComplete: (r: any) => tell("squeezed", { keys: Object.keys(r).sort() }), onError: (e: any) => tell("not squeezed", {}) });
  });
  command("tools", async (args: string) => {
    pi.setActiveTools(args.split(" "));
    tell("tools", { active: pi.getActiveTools() });
  });
  command("usage", async (_args: string, ctx: any) => {
    const usage = ctx.getContextUsage();
    tell("usage", { tokens: usage?.tokens ?? null, window: usage?.contextWindow ?? null, percent: usage?.percent ?? null });
  });
  command("mark", async (args: string, ctx: any) => {
    const id = entries(ctx, "user")[0].id;
    pi.setLabel(id, args || undefined);
    tell("marked", { label: ctx.sessionManager.getLabel(id) ?? null });
  });
  command("tree", async (_args: string, ctx: any) => {
    const shape = (node: any): any => [node.entry.type, node.label ?? null, node.children.map(shape)];
    tell("tree", { tree: ctx.sessionManager.getTree().map(shape) });
  });
}
