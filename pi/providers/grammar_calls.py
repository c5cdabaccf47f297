"""Calls that are one text, by a tool's grammar, told as the JSON arguments of any other call.

A tool with a grammar has one argument that is its text (see strict.grammar_of). Deltas of the text
become deltas of `{"argument":"…"}`, so that nobody above needs to know of grammars.
"""

from pi.errors import InvalidRequestError
from pi.wire.jsonio import dumps
from pi.wire.messages import ToolCall

__all__ = ["TAIL", "UNKNOWN_INPUT", "GrammarText", "input_text"]

TAIL = '"}'
"""What the arguments' JSON ends with."""

UNKNOWN_INPUT = "input"
"""The argument of a call by grammar to a tool that nobody declared."""


class GrammarText:
    """The text of one call as it comes in."""

    def __init__(self, argument: str) -> None:
        self._text = ""
        self._opening = f'{{{_json(argument)}:"'

    def piece(self, delta: str) -> str:
        """The arguments' JSON that this much more text amounts to."""
        self._text += delta
        opening, self._opening = self._opening, ""
        return opening + _json(delta)[1:-1]

    def close(self, whole: str | None = None) -> str:
        """The rest of the JSON. whole: the text, where the server says it again at the end."""
        rest = ""
        if whole is not None and whole.startswith(self._text):
            rest = whole[len(self._text) :]
        return self.piece(rest) + TAIL


def input_text(call: ToolCall, argument: str) -> str:
    """The text of a call that is told again. Raises InvalidRequestError where it has none."""
    text = call["arguments"].get(argument)
    if isinstance(text, str):
        return text
    if not call["arguments"]:
        return ""  # what came was malformed
    raise InvalidRequestError(
        f'a call of the tool "{call["name"]}" has no text "{argument}", which its grammar is for',
        hint="leave the tool out, or choose a model without grammars",
    )


def _json(text: str) -> str:
    return dumps(text).decode("utf-8", "surrogatepass")
