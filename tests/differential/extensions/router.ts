// The twin of router.py.
import { appendFileSync } from "node:fs";

export default function (pi: any) {
  const sent = (one: any) =>
    one && { model: `${one.model.provider}/${one.model.id}`, thinking: one.thinkingLevel, error: one.message?.stopReason };
  pi.registerVirtualModel({
    provider: "router",
    id: "auto",
    name: "Auto",
    thinkingLevels: ["low", "high"],
    async route(request: any, ctx: any) {
      const model = (provider: string, id: string) => ctx.modelRegistry.find(provider, id);
      const asked = {
        reason: request.reason,
        thinking: request.thinkingLevel,
        previous: sent(request.previous) ?? null,
        failed: sent(request.failed) ?? null,
        state: request.state ?? null,
        roles: request.messages.map((message: any) => message.role),
      };
      appendFileSync(process.env.ROUTED!, JSON.stringify(asked) + "\n");
      const last = JSON.stringify(request.messages.at(-1)?.content ?? "");
      if (request.reason === "direct") return { model: model("other", "gpt"), thinkingLevel: "high" };
      if (last.includes("hangs")) {
        await new Promise((_, reject) => {
          request.signal.addEventListener("abort", () => reject(new Error("stopped")));
        });
      }
      if (last.includes("fails")) throw new Error("no way");
      if (last.includes("keyless")) return { model: model("keyless", "x"), thinkingLevel: "off" };
      if (last.includes("itself")) return { model: request.model, thinkingLevel: "off" };
      if (request.reason === "retry") return { model: model("other", "gpt"), thinkingLevel: "high" };
      if (request.reason === "continuation") return { ...request.previous, state: request.state };
      const state = { turns: (request.state?.turns ?? 0) + 1 };
      if (request.thinkingLevel === "high") return { model: model("mock", "big"), thinkingLevel: "max", state };
      return { model: model("mock", "small"), thinkingLevel: "low", state };
    },
  });
  pi.registerVirtualModel({
    provider: "mock",
    id: "same",
    name: "Same",
    contextWindow: 5000,
    maxTokens: 100,
    input: ["text"],
    route: (request: any, ctx: any) => ({ model: ctx.modelRegistry.find("mock", "big"), thinkingLevel: request.thinkingLevel }),
  });
  pi.registerVirtualModel({ provider: "keyless", id: "never", name: "Never", route: () => undefined });
  pi.registerCommand("ask", {
    description: "Ask beside the conversation",
    async handler(_args: string, ctx: any) {
      const context = { messages: [{ role: "user", content: "aside", timestamp: 1 }] };
      const answer = await ctx.modelRegistry.streamSimple(ctx.model, context, { reasoning: "high" }).result();
      pi.appendEntry("answer", { provider: answer.provider, model: answer.model, reason: answer.stopReason });
    },
  });
  pi.registerCommand("goto", {
    description: "Go on from the answer of that number",
    async handler(number: string, ctx: any) {
      const answers = ctx.sessionManager.getEntries().filter((entry: any) => entry.message?.role === "assistant");
      await ctx.navigateTree(answers[Number(number)].id);
    },
  });
  pi.registerCommand("forget", {
    description: "Take the virtual model away",
    async handler() {
      pi.unregisterVirtualModel("router", "auto");
    },
  });
}
