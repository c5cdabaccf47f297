"""Routers of extensions: called with their context, their faults told with file and line."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pi.agent.faults import is_fault
from pi.errors import PiError
from pi.extensions.bound import bound
from pi.extensions.errors import fault_in
from pi.models.virtual import Route, RouteFunction, RouteRequest
from pi.providers.errors import failure_of

if TYPE_CHECKING:
    from pi.extensions.context import Context

__all__ = ["guarded"]


def guarded(name: str, route: Callable[..., Any], context: "Context") -> RouteFunction:
    """The router as it is asked. Then it raises PiError only."""
    call = bound(route, context)

    async def ask(request: RouteRequest) -> Route:
        try:
            answer = call(request)
            chosen: Route = await answer if inspect.isawaitable(answer) else answer
            return chosen
        except PiError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            text = f"the router of {name} failed: {fault_in(route, error)}"
            # The text may be that of a failure which passes, such as of a request of its own.
            raise failure_of(text) from error

    return ask
