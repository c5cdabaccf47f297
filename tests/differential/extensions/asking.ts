// The twin of asking.py.
export default function (pi: any) {
  const say = (ctx: any, what: string, value: any) =>
    ctx.ui.notify(`${what}: ${value === undefined ? "nothing" : JSON.stringify(value)}`);

  pi.on("session_start", async (event: any, ctx: any) => {
    ctx.ui.setTitle(`asking ${event.reason}`);
    ctx.ui.setStatus("state", "ready");
    ctx.ui.setWidget("list", ["one", "two"]);
    ctx.ui.setWidget("low", ["below"], { placement: "belowEditor" });
  });
  pi.on("agent_start", async (_event: any, ctx: any) => ctx.ui.setStatus("state", "runs"));
  pi.on("agent_end", async (_event: any, ctx: any) => ctx.ui.setStatus("state", undefined));
  pi.on("tool_call", async (event: any, ctx: any) => {
    const answer = await ctx.ui.select(`Run ${event.toolName}?`, ["Yes", "No"]);
    if (answer !== "Yes") return { block: true, reason: "not now" };
  });
  pi.on("session_before_switch", async (_event: any, ctx: any) => {
    if (!(await ctx.ui.confirm("Leave?", "All is kept."))) return { cancel: true };
  });

  const commands: Record<string, (ctx: any) => Promise<void>> = {
    select: async (ctx) => say(ctx, "select", await ctx.ui.select("Which?", ["a", "b", "ü\u2028"])),
    none: async (ctx) => say(ctx, "none", await ctx.ui.select("Of nothing", [])),
    confirm: async (ctx) => say(ctx, "confirm", await ctx.ui.confirm("Sure?", "It goes.")),
    input: async (ctx) => say(ctx, "input", await ctx.ui.input("Name?", "type")),
    bare: async (ctx) => say(ctx, "bare", await ctx.ui.input("Name?")),
    editor: async (ctx) => say(ctx, "editor", await ctx.ui.editor("Text", "one\ntwo")),
    blank: async (ctx) => say(ctx, "blank", await ctx.ui.editor("Text")),
    late: async (ctx) => {
      say(ctx, "late select", await ctx.ui.select("Late?", ["a"], { timeout: 60 }));
      say(ctx, "late confirm", await ctx.ui.confirm("Late?", "m", { timeout: 61 }));
      say(ctx, "late input", await ctx.ui.input("Late?", undefined, { timeout: 62 }));
    },
    dismissed: async (ctx) => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 60);
      await ctx.ui.select("Dismissed", ["a"], { signal: stop.signal });
      say(ctx, "dismissed", stop.signal.aborted);
    },
    two: async (ctx) => {
      const both = await Promise.all([ctx.ui.input("First"), ctx.ui.input("Second")]);
      say(ctx, "two", both);
    },
    tell: async (ctx) => {
      ctx.ui.notify("plain");
      ctx.ui.notify("careful", "warning");
      ctx.ui.notify("broken", "error");
      ctx.ui.setWidget("list", undefined);
      ctx.ui.setWidget("empty", []);
      ctx.ui.setWidget("made", () => ({ render: () => ["x"], invalidate() {} }));
      ctx.ui.setStatus("state", "");
      ctx.ui.setTitle("");
      ctx.ui.setEditorText("text");
      ctx.ui.pasteToEditor("pasted");
      ctx.ui.setWorkingMessage("m");
      ctx.ui.setWorkingVisible(false);
      ctx.ui.setWorkingIndicator({ frames: ["x"] });
      ctx.ui.setHiddenThinkingLabel("l");
      ctx.ui.setFooter(() => ({ render: () => ["x"], invalidate() {} }));
      ctx.ui.setHeader(() => ({ render: () => ["x"], invalidate() {} }));
      ctx.ui.setEditorComponent(() => ({ render: () => ["x"], invalidate() {} }));
      ctx.ui.addAutocompleteProvider((current: any) => current);
      ctx.ui.onTerminalInput(() => undefined)();
      ctx.ui.setToolsExpanded(true);
    },
    know: async (ctx) => {
      const made = await ctx.ui.custom(() => ({ render: () => ["x"], invalidate() {} }), { overlay: true });
      const set = ctx.ui.setTheme("dark");
      say(ctx, "know", [
        ctx.mode, ctx.hasUI, made === undefined, ctx.ui.getEditorText(), ctx.ui.getEditorComponent() === undefined,
        ctx.ui.getToolsExpanded(), ctx.ui.getAllThemes().length, ctx.ui.getTheme("dark") === undefined, set.success,
      ]);
    },
  };
  for (const [name, run] of Object.entries(commands)) {
    pi.registerCommand(name, { description: name, handler: async (_args: string, ctx: any) => run(ctx) });
  }
}
