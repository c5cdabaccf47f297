"""Classifiers and image models. `operations.ts` is its twin."""

from pi.errors import PiError
from pi.extensions import Pi
from pi.providers.operations import Classification, Drawn

PICTURE = {"type": "image", "mimeType": "image/png", "data": "iVBORw0KGgo="}
QUESTIONS = {
    "mood": {"type": "choice", "instructions": "How?", "criteria": {"good": "fine", "bad": ""}},
    "hurry": {"type": "score", "instructions": "How soon?", "criteria": ["never", "soon"]},
    "done": {
        "type": "bool",
        "instructions": "Done?",
        "criteria": {"true": "yes it is", "false": ""},
    },
}


def extend(pi: Pi) -> None:
    async def draw_it(model, asked, options):
        text = f"{asked.input[0]['text']} {model.base_url} {options.api_key}"
        return Drawn(model, [{"type": "text", "text": text}])

    async def classify_it(model, asked, options):
        return Classification(model, {"sure": {"type": "bool", "probability": asked.state["x"]}})

    media = {"api": "media-images", "baseUrl": "http://media", "input": ["text"]}
    pi.register_provider(
        "media",
        api_key="mk",
        models=[
            {**media, "type": "image", "id": "i", "output": ["image"]},
            {**media, "type": "classifier", "id": "c", "api": "media-classifier"},
        ],
        operations={"media-images": draw_it, "media-classifier": classify_it},
    )

    @pi.command("classify")
    async def classify(arguments, ctx):
        provider, model_id, *images = arguments.split(" ")
        model = ctx.models.find_of_type("classifier", provider, model_id)
        state, shown = {"x": 1, "text": "hé"}, [PICTURE] if images else []
        try:
            done = await ctx.models.classify(model, state, QUESTIONS, images=shown)
        except PiError:
            pi.append_entry("told", {"answers": {}, "usage": None, "failed": True})
        else:
            told = {"answers": done.answers, "usage": done.usage, "failed": False}
            pi.append_entry("told", told)

    @pi.command("draw")
    async def draw(arguments, ctx):
        model = ctx.models.find_of_type("image", *arguments.split(" "))
        try:
            done = await ctx.models.generate_images(
                model, [{"type": "text", "text": "a fox"}, PICTURE]
            )
        except PiError:
            pi.append_entry("told", {"output": [], "usage": None, "failed": True})
        else:
            told = {"output": list(done.output), "usage": done.usage, "failed": False}
            pi.append_entry("told", told)

    @pi.command("list")
    async def listed(kind, ctx):
        models = ctx.models.available_of_type(kind)
        pi.append_entry("told", sorted(model.reference for model in models))
