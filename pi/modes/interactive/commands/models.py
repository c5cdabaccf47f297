"""Commands for the model and how hard it thinks."""

from collections.abc import Callable, Sequence

from pi.config.settings_write import write_setting
from pi.errors import ModelError
from pi.models.resolution import Scope, ScopedModel, parse_thinking, resolve_model
from pi.modes.interactive.app import App
from pi.modes.interactive.pickers.models import (
    ModelChoice,
    ModelPicker,
    ModelRow,
    ThinkingPicker,
)
from pi.modes.interactive.pickers.scoped_models import ScopedModelsPicker
from pi.modes.interactive.pickers.stage import Stage
from pi.wire.messages import THINKING_LEVELS
from pi.wire.model import Model

__all__ = ["model", "model_rows", "scoped", "thinking"]


async def model(app: App, arguments: str) -> None:
    """`/model` opens the picker; with a name that is one model's, it is taken at once."""
    host = app.host
    registry, credentials = host.services.registry, host.services.credentials
    if arguments:
        try:
            found = resolve_model(registry, credentials, arguments)
        except ModelError:
            pass  # the picker searches for it
        else:
            use(app, found.model)
            if found.thinking is not None:
                host.set_thinking(found.thinking)
            return
    current = host.model
    settings = host.services.settings
    default = None
    if settings.default_provider and settings.default_model:
        default = f"{settings.default_provider}/{settings.default_model}"
    opened: list[ModelPicker] = []

    def picker(stage: Stage, done: Callable[[ModelChoice | None], None]) -> ModelPicker:
        opened.append(
            ModelPicker(
                stage,
                done,
                model_rows(app),
                current=None if current is None else current.reference,
                default=default,
                scoped=[scoped.model.reference for scoped in host.scope.models],
                query=arguments,
            )
        )
        return opened[0]

    async def refresh() -> None:
        """What services offer may have changed."""
        failed = await host.extending.refresh_models()
        if not opened:
            return  # the choice was made meanwhile
        opened[0].replace(model_rows(app))
        if failed:
            names = ", ".join(failed)
            app.say(f"Could not refresh the models of {names}; those known are shown.")

    if host.extending.has_lists:
        app.begin(refresh())
    chosen = await app.ask(picker)
    opened.clear()
    if chosen is None:
        return
    picked = registry.find(chosen.row.provider, chosen.row.id)
    if picked is None:
        raise ModelError(f"there is no model {chosen.row.reference} any more")
    use(app, picked)
    if chosen.default:
        write_setting(host.paths, "user", "defaultProvider", picked.provider)
        write_setting(host.paths, "user", "defaultModel", picked.id)
        app.say(f"New sessions start with {picked.reference}.")


def use(app: App, model: Model) -> None:
    """From the next request on. Raises AuthError without a key for it."""
    app.host.set_model(model)
    app.follower.update()
    app.say(f"Model: {model.reference}")


def model_rows(app: App) -> list[ModelRow]:
    """Models that can be used, with what is known of them; then the names of the others."""
    registry, credentials = app.host.services.registry, app.host.services.credentials
    usable = {name.reference for name in registry.available_names(credentials)}
    rows = []
    for name in registry.names():
        if name.reference not in usable:
            if registry.supported(name):
                rows.append(ModelRow(name.provider, name.id, name.name, usable=False))
            continue
        known = registry.get(name)
        rows.append(
            ModelRow(
                known.provider,
                known.id,
                known.name,
                window=known.context_window,
                images=known.takes_images,
                levels=known.thinking_levels(),
            )
        )
    current = app.host.model
    if current is not None and current.reference not in {row.reference for row in rows}:
        rows.insert(0, ModelRow(current.provider, current.id, current.name))
    return rows


async def thinking(app: App, arguments: str) -> None:
    host = app.host
    if host.model is None:
        raise ModelError("there is no model yet", hint="Choose one with /model.")
    if arguments:
        level, problem = parse_thinking(arguments)
        if level is None:
            raise ModelError(problem or arguments, hint=f"Levels: {', '.join(THINKING_LEVELS)}")
        app.say(f"Thinking: {host.set_thinking(level)}")
        return
    chosen = await app.ask(
        ThinkingPicker,
        host.session.model.thinking_levels(),
        current=host.session.thinking,
        default=host.services.settings.default_thinking_level,
        budgets=host.services.settings.thinking_budgets.as_mapping(),
    )
    if chosen is None:
        return
    level = host.set_thinking(chosen.level)
    if chosen.default:
        write_setting(host.paths, "user", "defaultThinkingLevel", level)
        app.say(f"New sessions think at level {level}.")


async def scoped(app: App, arguments: str) -> None:
    host = app.host
    rows = [row for row in model_rows(app) if row.usable]
    scope = [known.model.reference for known in host.scope.models] or None

    def change(references: Sequence[str] | None) -> None:
        kept = {known.model.reference: known for known in host.scope.models}
        found = []
        for reference in references or ():
            provider, _, model_id = reference.partition("/")
            picked = host.services.registry.find(provider, model_id)
            if picked is not None:
                found.append(kept.get(reference) or ScopedModel(picked))
        host.scope = Scope(tuple(found))

    def save(references: Sequence[str] | None) -> None:
        write_setting(
            host.paths, "user", "enabledModels", None if references is None else list(references)
        )

    await app.ask(ScopedModelsPicker, rows, scope=scope, changed_to=change, save=save)
