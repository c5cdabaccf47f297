"""What a session cost and how full its context is, as programs ask for it."""

from typing import TYPE_CHECKING, NotRequired, TypedDict

from pi.agent.transcript import Transcript
from pi.wire.model import Model

if TYPE_CHECKING:
    from pi.session.statistics import Statistics

__all__ = ["ContextUsage", "SessionStatistics", "context_usage", "session_statistics"]


class ContextUsage(TypedDict):
    """tokens, percent: None after a compaction, until an answer says."""

    tokens: int | None
    contextWindow: int
    percent: float | None


class TokenTotals(TypedDict):
    input: int
    output: int
    cacheRead: int
    cacheWrite: int
    total: int


class SessionStatistics(TypedDict):
    """Of all branches. cost: US dollars. sessionFile: absent for a session in memory."""

    sessionFile: NotRequired[str]
    sessionId: str
    userMessages: int
    assistantMessages: int
    toolCalls: int
    toolResults: int
    totalMessages: int
    tokens: TokenTotals
    cost: float
    contextUsage: NotRequired[ContextUsage]


def context_usage(transcript: Transcript, model: Model) -> ContextUsage | None:
    """How full the context is; None for a model whose window nobody knows."""
    window = model.context_window
    if window <= 0:
        return None
    if not transcript.is_known:
        return {"tokens": None, "contextWindow": window, "percent": None}
    tokens = transcript.tokens
    return {"tokens": tokens, "contextWindow": window, "percent": tokens / window * 100}


def session_statistics(
    transcript: Transcript, model: Model, counted: "Statistics | None" = None
) -> SessionStatistics:
    """model: whose window holds. counted: what the session's entries come to, where it is known."""
    store = transcript.store
    if counted is None:
        # It reads the whole session; how full the context is, is told with each frame.
        from pi.session.statistics import measure  # noqa: PLC0415

        counted = measure(store.history)
    spent = counted.tokens
    result: SessionStatistics = {
        "sessionId": store.id,
        "userMessages": counted.users,
        "assistantMessages": counted.assistants,
        "toolCalls": counted.tool_calls,
        "toolResults": counted.tool_results,
        "totalMessages": counted.messages,
        "tokens": {
            "input": spent.input,
            "output": spent.output,
            "cacheRead": spent.cache_read,
            "cacheWrite": spent.cache_write,
            "total": spent.total,
        },
        # Whole numbers are written without a fraction, as JavaScript writes them.
        "cost": int(counted.cost) if counted.cost == int(counted.cost) else counted.cost,
    }
    if store.path is not None:
        result["sessionFile"] = str(store.path)
    usage = context_usage(transcript, model)
    if usage is not None:
        result["contextUsage"] = usage
    return result
