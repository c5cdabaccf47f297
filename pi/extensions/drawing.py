"""How an extension changes what is drawn: the part of `Pi` that is about looks."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args, overload

from pi.extensions.checking import list_of_texts, must_be_function, must_be_name
from pi.runtime.looks import BY_DEFAULT, MarkdownPlace, Owned, add_owned

if TYPE_CHECKING:
    from pi.extensions.execution import Stage
    from pi.runtime.additions import Additions

__all__ = ["Draws"]

F = TypeVar("F", bound=Callable[..., Any])


class Draws:
    """See Pi."""

    def __init__(self, stage: "Stage", additions: "Additions", owner: str, rank: int) -> None:
        self._stage = stage
        self._additions = additions
        self._owner = owner
        self._rank = rank

    def message_renderer(self, custom_type: str) -> Callable[[F], F]:
        """Draw messages of `send_message`: `(message, drawing, theme)` → lines, text, a component.

        drawing: a Drawing. What fails is reported, and drawn as without a renderer.
        """
        return self._renderer(self._additions.message_renderers, custom_type)

    def entry_renderer(self, custom_type: str) -> Callable[[F], F]:
        """Draw entries of `append_entry` in the conversation, likewise."""
        return self._renderer(self._additions.entry_renderers, custom_type)

    def tool_renderer(self, function: F) -> F:
        """Choose how calls of any tool are drawn, of one that is not registered, too.

        The function takes (name, following) and returns a Rendering or None: `following()` is what
        the other extensions, the tool itself, or pi would draw with, None for a tool nobody knows.
        """
        must_be_function(function, "a tool renderer")
        new = Owned(self._owner, self._rank, function)
        add_owned(self._additions.tool_renderers, new, one_each=False)
        self._redraw()
        return function

    @overload
    def markdown_transformer(self, function: F, /) -> F: ...
    @overload
    def markdown_transformer(
        self, *, message_types: Sequence[MarkdownPlace] = BY_DEFAULT
    ) -> Callable[[F], F]: ...
    def markdown_transformer(  # type: ignore[misc]
        self, function: Any = None, /, *, message_types: Sequence[MarkdownPlace] = BY_DEFAULT
    ) -> Any:
        """Change Markdown before the terminal draws it: `@pi.markdown_transformer`.

        The function takes (text, context), a MarkdownContext, or (text) and returns the text to
        draw. An extension has one; registering again replaces it. It is asked at every update of an
        answer and for every width: it must be quick. What it raises is reported once; the text then
        stays as it was. Sessions and models keep the original.
        """
        if function is None:
            return lambda given: self._transform(given, message_types)
        return self._transform(function, message_types)

    def _transform(self, function: F, places: Sequence[MarkdownPlace]) -> F:
        must_be_function(function, "a Markdown transformer")
        known = get_args(MarkdownPlace)
        if wrong := [each for each in list_of_texts(places, "message_types") if each not in known]:
            raise ValueError(f"{wrong[0]!r} is no message type; there are {', '.join(known)}")
        takes = _bound_pair(function)
        new = Owned(self._owner, self._rank, takes, tuple(places))
        add_owned(self._additions.markdown, new)
        self._redraw()
        return function

    def _renderer(self, table: dict[str, list[Owned]], custom_type: str) -> Callable[[F], F]:
        must_be_name(custom_type, "a renderer", '@pi.message_renderer("note")')

        def decorate(function: F) -> F:
            must_be_function(function, f"the renderer of {custom_type}")
            new = Owned(self._owner, self._rank, function)
            add_owned(table.setdefault(custom_type, []), new)
            self._redraw()
            return function

        return decorate

    def _redraw(self) -> None:
        """What is on the screen already is drawn by the new one, too."""
        if self._stage.loaded and not self._stage.struck:
            self._stage.host.ui.redraw()


def _bound_pair(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that takes (text, context), of one that may take the text alone."""
    try:
        inspect.signature(function).bind("", None)
    except TypeError:
        return lambda text, context: function(text)
    except ValueError:
        pass  # written in C: it may take anything
    return function
