// The twin of operations.py.
const PICTURE = { type: "image", mimeType: "image/png", data: "iVBORw0KGgo=" };
const QUESTIONS = {
  mood: { type: "choice", instructions: "How?", criteria: { good: "fine", bad: "" } },
  hurry: { type: "score", instructions: "How soon?", criteria: ["never", "soon"] },
  done: { type: "bool", instructions: "Done?", criteria: { true: "yes it is", false: "" } },
};

export default function (pi: any) {
  pi.registerProvider("media", {
    apiKey: "mk",
    models: [
      { type: "image", id: "i", name: "I", api: "media-images", baseUrl: "http://media", input: ["text"],
        output: ["image"], cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } },
      { type: "classifier", id: "c", name: "C", api: "media-classifier", baseUrl: "http://media", input: ["text"],
        cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }, contextWindow: 64000 },
    ],
    images: { "media-images": { generateImages: async (model: any, context: any, options: any) => ({
      api: model.api, provider: model.provider, model: model.id, stopReason: "stop", timestamp: 1,
      output: [{ type: "text", text: `${context.input[0].text} ${model.baseUrl} ${options.apiKey}` }] }) } },
    classifiers: { "media-classifier": { classify: async (model: any, context: any) => ({
      api: model.api, provider: model.provider, model: model.id, stopReason: "stop", timestamp: 1,
      answers: { sure: { type: "bool", probability: context.state.x } } }) } },
  });
  const told = (result: any) => ({ usage: result.usage ?? null, failed: result.stopReason !== "stop" });
  pi.registerCommand("classify", {
    async handler(args: string, ctx: any) {
      const [provider, id, images] = args.split(" ");
      const model = ctx.modelRegistry.findOfType("classifier", provider, id);
      const asked = { state: { x: 1, text: "hé" }, questions: QUESTIONS, ...(images ? { images: [PICTURE] } : {}) };
      const result = await ctx.modelRegistry.classify(model, asked);
      pi.appendEntry("told", { answers: result.answers, ...told(result) });
    },
  });
  pi.registerCommand("draw", {
    async handler(args: string, ctx: any) {
      const [provider, id] = args.split(" ");
      const model = ctx.modelRegistry.findOfType("image", provider, id);
      const result = await ctx.modelRegistry.generateImages(model, { input: [{ type: "text", text: "a fox" }, PICTURE] });
      pi.appendEntry("told", { output: result.output, ...told(result) });
    },
  });
  pi.registerCommand("list", {
    async handler(kind: string, ctx: any) {
      const models = await ctx.modelRegistry.getAvailableOfType(kind);
      pi.appendEntry("told", models.map((model: any) => `${model.provider}/${model.id}`).sort());
    },
  });
}
