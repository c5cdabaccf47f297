"""What is chosen for the session that is open: model, thinking, how it queues and recovers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from pi.agent.queues import QueueMode
from pi.agent.session import AgentSession
from pi.config.settings import read_settings
from pi.models.resolution import Scope, ScopedModel
from pi.runtime.services import Services
from pi.wire.messages import ThinkingLevel
from pi.wire.model import Model

__all__ = ["Choices"]


class Choices(ABC):
    """The part of a Host that has to do with them; see there for its attributes."""

    services: Services
    session: AgentSession
    scope: Scope

    @abstractmethod
    def _record(self) -> None:
        """Write the entries that precede the first message, if they are not written yet."""

    # Settings that are kept for this and later sessions

    def set_steering_mode(self, mode: QueueMode) -> None:
        self.session.queues.steering_mode = mode
        self._keep("steeringMode", mode)

    def set_follow_up_mode(self, mode: QueueMode) -> None:
        self.session.queues.follow_up_mode = mode
        self._keep("followUpMode", mode)

    def set_auto_compaction(self, enabled: bool) -> None:
        self.session.set_auto_compaction(enabled)
        self._keep(("compaction", "enabled"), enabled)

    def set_auto_retry(self, enabled: bool) -> None:
        self.session.set_auto_retry(enabled)
        self._keep(("retry", "enabled"), enabled)

    def _keep(self, key: str | Sequence[str], value: Any) -> None:
        """Write a setting of the person's, and let it hold from now on. Raises ConfigError."""
        # Settings are written rarely.
        from pi.config.settings_write import write_setting  # noqa: PLC0415

        write_setting(self.services.paths, "user", key, value)
        self._read_settings()

    def take_settings(self) -> None:
        """Take up what has changed in the settings, without anything else being read again."""
        self._read_settings()
        self._apply_settings()

    def _read_settings(self) -> None:
        services = self.services
        files = read_settings(services.paths)
        if not services.project_counts():
            files = files.without_project()
        settings = files.resolve(
            trusted=services.settings.trusted, over=services.options.own.settings
        )
        self.services = replace(services, settings=settings)

    def _apply_settings(self) -> None:
        """Settings that the open session goes by."""
        session, settings = self.session, self.services.settings
        session.retry = session.compactor.retry = self.services.retry_policy()
        session.compactor.settings = settings.compaction
        session.compactor.enabled = settings.compaction.enabled
        session.queues.steering_mode = settings.steering_mode
        session.queues.follow_up_mode = settings.follow_up_mode

    # Model and thinking

    def set_model(self, model: Model, *, source: Literal["set", "cycle"] = "set") -> None:
        """Use another model from the next request on. Raises AuthError without a key for it."""
        self.services.check_key(model)
        self._record()
        level = self.services.settings.model_thinking_levels.get(model.reference)
        self.session.set_model(model, source=source)
        if level is not None:
            self.session.set_thinking(level)

    def renew_model(self, provider: str) -> None:
        """What is known of a provider's models has changed: use the facts of now."""
        current = self.session.model
        if current.provider == provider:
            self.session.renew_model(self.services.registry.find(provider, current.id) or current)

    def cycle_model(self, step: int = 1) -> ScopedModel | None:
        """The next model of the scope, or of all that can be used; None where there is no other."""
        candidates = self.scope.models or tuple(
            ScopedModel(model)
            for model in self.services.registry.available(self.services.credentials)
        )
        if len(candidates) < 2:
            return None
        references = [candidate.model.reference for candidate in candidates]
        current = self.session.model.reference
        at = references.index(current) if current in references else -1 if step > 0 else 0
        chosen = candidates[(at + step) % len(candidates)]
        self.set_model(chosen.model, source="cycle")
        if chosen.thinking is not None:
            self.set_thinking(chosen.thinking)
        return chosen

    def set_thinking(self, level: ThinkingLevel) -> ThinkingLevel:
        """Think at this level, or the nearest the model has; that one is returned."""
        self._record()
        return self.session.set_thinking(level)

    def cycle_thinking(self) -> ThinkingLevel | None:
        """The model's next level; None for a model that does not think."""
        model = self.session.model
        if not model.reasoning:
            return None
        levels = model.thinking_levels()
        current = self.session.thinking
        at = levels.index(current) if current in levels else -1
        return self.set_thinking(levels[(at + 1) % len(levels)])
