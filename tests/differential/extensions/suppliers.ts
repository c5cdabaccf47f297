// The twin of suppliers.py.
export default function (pi: any) {
  const url = process.env.SERVER!;
  const cost = { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 };
  const model = (id: string, more: any = {}) => ({
    id, name: id, reasoning: false, input: ["text"], cost, contextWindow: 100000, maxTokens: 1000, ...more,
  });
  const oauth = (name: string) => ({
    name,
    async login() { throw new Error("not here"); },
    async refreshToken(stored: any) {
      return { refresh: stored.refresh + "+", access: stored.access + "+", expires: 4102444800000 };
    },
    getApiKey: (stored: any) => "key-of-" + stored.access,
  });
  pi.registerProvider("claudish", {
    baseUrl: url, api: "anthropic-messages", models: [model("c1")], oauth: oauth("Claudish"),
  });
  pi.registerProvider("openish", {
    baseUrl: url + "/v1", api: "openai-completions", models: [model("o1")], oauth: oauth("Openish"),
  });
  pi.registerProvider("header", {
    baseUrl: url, api: "anthropic-messages", apiKey: "$HEADER_KEY", authHeader: true,
    headers: { "X-Team": "$TEAM", "X-Plain": "$$5" },
    models: [model("h1", { headers: { "X-Model": "m" } }), model("h2", { baseUrl: url + "/other" })],
  });
  pi.registerProvider("mock", { headers: { "X-Extra": "extra" } });
  pi.registerProvider("anthropic", { baseUrl: url + "/proxy" });
  pi.registerProvider("live", {
    baseUrl: url + "/v1", api: "openai-completions", apiKey: "live-key",
    async refreshModels(context: any) {
      if (!context.allowNetwork) return context.stored?.models ?? [];
      const models = [model("l" + ((context.stored?.models?.length ?? 0) + 1)), model(context.credential.key)];
      await context.publish({ persist: { models, checkedAt: 1 } });
      return models;
    },
  });
  pi.registerProvider("plan", {
    baseUrl: url + "/v1", api: "openai-completions", models: [model("p1"), model("p2")],
    oauth: { ...oauth("Plan"), modifyModels: (models: any[], stored: any) =>
      models.filter((one) => one.provider !== "plan" || stored.models.includes(one.id)) },
  });
  const told = async (ctx: any, id: string) => {
    const auth = await ctx.modelRegistry.getProviderAuth(id);
    return auth && { key: auth.auth.apiKey ?? null, headers: auth.auth.headers ?? {} };
  };
  pi.registerCommand("auth", {
    async handler(id: string, ctx: any) { pi.appendEntry("auth", await told(ctx, id)); },
  });
}
