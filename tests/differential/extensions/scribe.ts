// Writes into sessions all that an extension can. What goes on with them is told by the test.
export default function (pi: any) {
  const pixel = { type: "image", data: process.env.PIXEL, mimeType: "image/png" };
  const own = process.env.OWN === "1";
  let edits: any[] = [];
  const entries = (ctx: any, role: string) =>
    ctx.sessionManager.getEntries().filter((entry: any) => entry.message?.role === role);
  const command = (name: string, handler: any) => pi.registerCommand(name, { description: name, handler });
  const tool = (name: string, execute: any) =>
    pi.registerTool({ name, label: name, description: name, parameters: { type: "object", properties: {} }, execute });

  tool("data", async () => ({
    content: [{ type: "text", text: "data \u2028 é 😀" }, { type: "text", text: "" }],
    details: { deep: [1, { nothing: null }], large: 1e21 },
  }));
  tool("throws", async () => { throw new Error("broken\ntool"); });
  tool("picture", async () => ({ content: [pixel], details: undefined }));
  pi.on("session_before_compact", async (event: any) => {
    const { firstKeptEntryId, tokensBefore } = event.preparation;
    if (own) return { compaction: { summary: "its own summary", firstKeptEntryId, tokensBefore, details: { readFiles: "x" } } };
  });
  pi.on("session_before_tree", async () => {
    if (own) return { summary: { summary: "its own words", details: { a: [1] } }, label: "left" };
  });
  pi.on("turn_end", async () => {
    const proposed = edits;
    edits = [];
    if (proposed.length) return { entries: proposed };
  });
  command("write", async (_args: string, ctx: any) => {
    pi.sendMessage({ customType: "a", content: "plain", display: true, details: { n: 1 } });
    pi.sendMessage({ customType: "b", content: [{ type: "text", text: "block" }, pixel], display: false });
    pi.sendMessage({ customType: "c", content: "", display: true });
    pi.sendMessage({ customType: "d", content: [], display: true });
    pi.sendMessage({ customType: "e", content: "half \ud83d of a pair \u2028 \u0000 end", display: true });
    for (const data of [{ a: [null, { c: "é" }], big: 12345678901234567890, sum: 0.1 + 0.2 }, undefined, null, "s", [1]]) {
      pi.appendEntry("state", data);
    }
    const [first] = entries(ctx, "user");
    if (first) for (const label of ["first ü", undefined, "again"]) pi.setLabel(first.id, label);
    const [answer] = entries(ctx, "assistant");
    if (answer) pi.setLabel(answer.id, "  with blanks  ");
    pi.setSessionName("Näme \n two");
  });
  command("edit", async (_args: string, ctx: any) => {
    const last = (role: string) => entries(ctx, role).at(-1).id;
    edits = [
      { type: "context_edit", targetId: entries(ctx, "user")[0].id, replacement: { content: "edited question" } },
      { type: "context_edit", targetId: last("assistant"), replacement: { content: "edited answer" } },
      { type: "context_edit", targetId: last("toolResult"), replacement: { content: [{ type: "text", text: "edited result" }] } },
      { type: "custom_message", customType: "t", content: "at a turn's end", display: true },
      { type: "custom", customType: "t", data: { k: 1 } },
    ];
  });
  command("goto", async (args: string, ctx: any) => {
    const [role, number, summarize] = args.split(" ");
    await ctx.navigateTree(entries(ctx, role)[Number(number)].id, { summarize: summarize === "sum" });
  });
  command("fresh", async (_args: string, ctx: any) => {
    await ctx.newSession({
      parentSession: ctx.sessionManager.getSessionFile(),
      setup: async (session: any) => {
        session.appendMessage({ role: "user", content: [{ type: "text", text: "seeded" }], timestamp: 5 });
        session.appendCustomEntry("set up", { s: 1 });
        session.appendCustomMessageEntry("set up", "a seeded message", true, { q: 1 });
        session.appendSessionInfo("a seeded name");
      },
    });
  });
  command("tools", async (args: string) => { pi.setActiveTools(args.split(" ")); });
  command("level", async (args: string) => { pi.setThinkingLevel(args); });
}
