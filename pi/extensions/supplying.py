"""What brings models: providers and virtual models. A part of `Pi`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from pi.extensions.checking import must_be_function
from pi.runtime.additions import Additions
from pi.wire.messages import ThinkingLevel

if TYPE_CHECKING:
    from pi.extensions.context import Context
    from pi.extensions.execution import Stage
    from pi.extensions.refreshing import ModelRefresh
    from pi.extensions.signing import OAuth
    from pi.models.virtual import RouteFunction
    from pi.providers.base import StreamFunction
    from pi.providers.operations import Operation

__all__ = ["Supply"]

F = TypeVar("F", bound=Callable[..., Any])


class Supply:
    """See Pi for the attributes."""

    _stage: "Stage"
    _owner: str
    _additions: Additions
    _context: "Context"

    # Providers

    def register_provider(
        self,
        name: str,
        *,
        display_name: str | None = None,
        base_url: str | None = None,
        api: str | None = None,
        api_key: str | None = None,
        auth_header: bool = False,
        headers: Mapping[str, str] | None = None,
        compat: Mapping[str, Any] | None = None,
        models: Sequence[Mapping[str, Any]] | None = None,
        stream: "StreamFunction | None" = None,
        oauth: "OAuth | None" = None,
        refresh_models: "Callable[[ModelRefresh], Any] | None" = None,
        operations: "Mapping[str, Operation] | None" = None,
    ) -> None:
        """Add a provider, or change one that is there; models.json goes over it.

        Values and models are written as in models.json ("$NAME", "!command"). models: all that the
        provider has then; without, those it has stay. stream: an async generator function
        `(model, context, options)` that yields the events of pi.providers.base.StreamFunction.
        oauth: for /login and `pi auth login`. refresh_models: a coroutine function that asks the
        service which models there are; it takes a ModelRefresh and returns them, all that the
        provider has then, or None to leave them. It is asked when pi starts, without the network;
        with it in the background after that, when /model is opened, after a sign-in and by
        `pi update --models`. operations: what answers for models of "type" "image" and
        "classifier", by their api: coroutine functions `(model, asked, options)`, see
        pi.providers.operations. Raises ValueError naming what is wrong.
        """
        # Few extensions bring a provider.
        from pi.extensions.providers import Registration, offer, register, unregister  # noqa: PLC0415

        services = self._stage.ground.services
        registration = Registration(
            name,
            display_name,
            base_url,
            api,
            api_key,
            auth_header,
            headers,
            compat,
            models,
            stream,
            oauth,
            refresh_models,
            operations,
        )
        register(services, registration)
        additions = self._additions
        additions.at_close(lambda: unregister(services, name), owner=self._owner)
        additions.stop_refreshing(name)
        if refresh_models is not None or (oauth is not None and oauth.modify_models is not None):
            from pi.extensions.refreshing import Refresher  # noqa: PLC0415  (as above)

            def apply(now: "Registration") -> None:
                offer(services, now)
                self._renew(name)

            refresher = Refresher(services, registration, apply)
            additions.refreshers[name] = (self._owner, refresher)
            if self._stage.loaded and not self._stage.struck:
                self._stage.host.extending.refresh_soon([name])
        self._renew(name)

    def unregister_provider(self, name: str) -> None:
        """Take a provider away, or back to what it was."""
        from pi.extensions.providers import unregister  # noqa: PLC0415  (as above)

        self._additions.stop_refreshing(name)
        unregister(self._stage.ground.services, name)

    # Virtual models

    @overload
    def register_virtual_model(
        self,
        provider: str,
        id: str,
        *,
        name: str = "",
        thinking_levels: "Sequence[ThinkingLevel]" = ("off",),
        context_window: int = 0,
        max_tokens: int = 0,
        input: "Sequence[Literal['text', 'image']]" = ("text", "image"),
    ) -> Callable[[F], F]: ...
    @overload
    def register_virtual_model(
        self,
        provider: str,
        id: str,
        route: "RouteFunction",
        *,
        name: str = "",
        thinking_levels: "Sequence[ThinkingLevel]" = ("off",),
        context_window: int = 0,
        max_tokens: int = 0,
        input: "Sequence[Literal['text', 'image']]" = ("text", "image"),
    ) -> None: ...
    def register_virtual_model(
        self,
        provider: str,
        id: str,
        route: "RouteFunction | None" = None,
        *,
        name: str = "",
        thinking_levels: "Sequence[ThinkingLevel]" = ("off",),
        context_window: int = 0,
        max_tokens: int = 0,
        input: "Sequence[Literal['text', 'image']]" = ("text", "image"),
    ) -> Any:
        """List a model whose requests go to other models, each where `route` says.

        route: takes (request, ctx), a RouteRequest and the Context, or (request), and gives a
        Route; it may be a coroutine function. Without it, this is a decorator for one. What it
        raises ends the request with an error. provider: any name, also of one with models of its
        own: then there must be a key for that. thinking_levels: those that can be selected; what
        they mean is the router's matter. context_window, max_tokens: shown before the first answer,
        0 for unknown. input: what may be sent.

        The same provider and id once more takes its place. Raises ValueError for the id of a model
        that the provider has.
        """
        if route is None:

            def decorate(function: F) -> F:
                self.register_virtual_model(
                    provider,
                    id,
                    cast("RouteFunction", function),
                    name=name,
                    thinking_levels=thinking_levels,
                    context_window=context_window,
                    max_tokens=max_tokens,
                    input=input,
                )
                return function

            return decorate
        must_be_function(route, f"the router of {provider}/{id}")
        # Few extensions route.
        from pi.extensions.routers import guarded  # noqa: PLC0415
        from pi.models.virtual import VirtualModel  # noqa: PLC0415

        registry = self._stage.ground.services.registry
        listed = VirtualModel(
            provider,
            id,
            guarded(f"{provider}/{id}", route, self._context),
            name,
            tuple(thinking_levels),
            context_window,
            max_tokens,
            tuple(input),
        )
        registry.register_virtual(listed)

        def take_back() -> None:
            if registry.virtual(provider, id) is listed:
                registry.unregister_virtual(provider, id)

        self._additions.at_close(take_back, owner=self._owner)
        self._renew(provider)
        return None

    def unregister_virtual_model(self, provider: str, id: str) -> None:
        """Take a virtual model away; nothing for one that is not there."""
        self._stage.ground.services.registry.unregister_virtual(provider, id)

    def _renew(self, provider: str) -> None:
        """The session's model may be of this provider."""
        if self._stage.loaded and not self._stage.struck:
            self._stage.host.renew_model(provider)
