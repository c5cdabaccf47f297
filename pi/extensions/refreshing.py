"""Lists of models that extensions ask a service for: when, with what, and what becomes of them."""

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pi.agent.faults import is_fault, text_of_error
from pi.config.documents import read_document
from pi.config.locks import update_json
from pi.errors import ConfigError, PiError
from pi.models.catalogue import catalogue_records
from pi.wire import jsonio
from pi.wire.messages import now_ms

if TYPE_CHECKING:
    from pi.extensions.providers import Registration
    from pi.runtime.services import Services

__all__ = ["ModelRefresh", "Refresher"]

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ModelRefresh:
    """What `refresh_models` is asked with. It returns models as models.json has them, or None.

    network: whether to ask the service; without, what is stored must do. force: however fresh the
    stored list is. stored: what `store` kept, None for nothing. credential: {"type": "api_key",
    "key": …} or {"type": "oauth", "access": …, …}; without the network as it is stored, else as it
    is good now. base_url: of the provider, with what models.json says of it.
    """

    provider: str
    network: bool
    force: bool
    stored: Mapping[str, Any] | None
    credential: Mapping[str, Any] | None
    base_url: str | None
    _store: Callable[[Mapping[str, Any] | None], Any]

    async def store(self, models: Records | None, **facts: Any) -> bool:
        """Keep a list for later runs, as {"models": …, "checkedAt": …, **facts}; None forgets it.

        False, and nothing is kept, where this refresh was cancelled or another has begun.
        """
        entry = None
        if models is not None:
            entry = {"models": [dict(m) for m in models], "checkedAt": now_ms(), **facts}
        kept: bool = await self._store(entry)
        return kept


class Refresher:
    """Of one registration. Each refresh takes the place of the one under way."""

    def __init__(
        self,
        services: "Services",
        registration: "Registration",
        apply: Callable[["Registration"], None],
    ) -> None:
        self._services = services
        self._registration = registration
        self._apply = apply
        self._task: asyncio.Task[None] | None = None

    async def refresh(self, *, network: bool, force: bool = False) -> None:
        """Without the network first, and then with it if there is a key. Raises what goes wrong."""
        self.stop()
        task = self._task = asyncio.create_task(self._refresh(network, force))
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.cancelled():  # else another one has taken its place
            task.result()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _refresh(self, network: bool, force: bool) -> None:
        await self._ask(await asyncio.to_thread(self._stored_credential), network=False)
        if network:
            credential = await asyncio.to_thread(self._credential)
            if credential is not None:
                await self._ask(credential, network=True, force=force)

    async def _ask(
        self, credential: Mapping[str, Any] | None, *, network: bool, force: bool = False
    ) -> None:
        given = self._registration
        models: Records | None = None
        if given.refresh_models is not None:
            stored = await asyncio.to_thread(self._stored)
            mine = asyncio.current_task()

            async def store(entry: Mapping[str, Any] | None) -> bool:
                wanted = self._task is mine and mine is not None and not mine.cancelling()
                return wanted and await self._store(entry)

            config = self._services.registry.configs.get(given.name)
            asked = ModelRefresh(
                given.name,
                network,
                force,
                stored,
                deepcopy(credential) if credential is not None else None,
                given.base_url if config is None else config.base_url,
                store,
            )
            try:
                answer = given.refresh_models(asked)
                models = await answer if inspect.isawaitable(answer) else answer
            except Exception:
                raise
            except BaseException as error:  # sys.exit() and the like: the task would end pi
                if not is_fault(error):
                    raise
                raise PiError(text_of_error(error)) from error
        if models is None:
            models = given.models
        elif given.refresh_models is not None:
            self._registration = given = replace(given, models=list(models))
        modify = None if given.oauth is None else given.oauth.modify_models
        if modify is not None and credential is not None and credential.get("type") == "oauth":
            shown = list(catalogue_records(given.name)) if models is None else models
            given = replace(given, models=list(modify(deepcopy(shown), credential)))
        self._apply(given)

    # What is known

    def _stored_credential(self) -> dict[str, Any] | None:
        try:
            stored = self._services.credentials.store.get(self._registration.name)
        except ConfigError:
            return None  # told at the start
        if stored is None:
            return None
        return dict(stored.entry) if stored.oauth else {"type": "api_key", "key": stored.key}

    def _credential(self) -> dict[str, Any] | None:
        """Renews a sign-in and runs commands: not for the event loop's thread."""
        name = self._registration.name
        given = self._services.key_given(name)
        if given is not None:
            return {"type": "api_key", "key": given}
        if not self._services.can_use(name):
            return None
        key = self._services.credentials.key_of(name)
        if key is None:
            return {"type": "api_key", "key": None}  # it needs none, or is no secret of ours
        if key.oauth:
            return dict(self._services.credentials.store.entry(name))
        return {"type": "api_key", "key": key.value}

    # What is kept

    def _stored(self) -> Mapping[str, Any] | None:
        try:
            entry = (read_document(self._services.paths.models_store) or {}).get(
                self._registration.name
            )
        except ConfigError:
            return None  # told by who offers shipped models
        return entry if isinstance(entry, dict) else None

    async def _store(self, entry: Mapping[str, Any] | None) -> bool:
        if entry is not None:
            entry = jsonio.loads(jsonio.dumps(entry))  # raises for what is no JSON
        name = self._registration.name

        def change(old: dict[str, Any]) -> dict[str, Any]:
            others = {key: value for key, value in old.items() if key != name}
            return others if entry is None else {**others, name: entry}

        await asyncio.to_thread(update_json, self._services.paths.models_store, change)
        return True
