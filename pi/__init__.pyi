"""The public names, for type checkers; pi/__init__.py says where each is when the program runs."""

from typing import TypeAlias

from pi._version import __version__ as __version__
from pi.agent.session import (
    BusyError as BusyError,
)
from pi.errors import (
    AuthError as AuthError,
)
from pi.errors import (
    ConfigError as ConfigError,
)
from pi.errors import (
    ModelError as ModelError,
)
from pi.errors import (
    PiError as PiError,
)
from pi.errors import (
    ProviderError as ProviderError,
)
from pi.errors import (
    SessionError as SessionError,
)
from pi.errors import (
    ToolError as ToolError,
)
from pi.models.virtual import (
    Route as Route,
)
from pi.models.virtual import (
    RouteRequest as RouteRequest,
)
from pi.models.virtual import (
    VirtualModel as VirtualModel,
)
from pi.sdk.finding import (
    Place as Place,
)
from pi.sdk.finding import (
    SessionInfo as SessionInfo,
)
from pi.sdk.finding import (
    list_sessions as list_sessions,
)
from pi.sdk.finding import (
    search_sessions as search_sessions,
)
from pi.sdk.images import (
    image as image,
)
from pi.sdk.opening import (
    Choices as Choices,
)
from pi.sdk.opening import (
    continue_session as continue_session,
)
from pi.sdk.opening import (
    fork_session as fork_session,
)
from pi.sdk.opening import (
    new_session as new_session,
)
from pi.sdk.opening import (
    open_session as open_session,
)
from pi.sdk.providers import (
    Call as Call,
)
from pi.sdk.providers import (
    Provider as Provider,
)
from pi.sdk.runs import (
    Reply as Reply,
)
from pi.sdk.runs import (
    ReplyError as ReplyError,
)
from pi.sdk.runs import (
    Run as Run,
)
from pi.sdk.session import (
    Session as Session,
)
from pi.sdk.tools import (
    tool as tool,
)
from pi.tools.base import (
    Tool as Tool,
)
from pi.tools.base import (
    ToolContext as ToolContext,
)
from pi.tools.base import (
    ToolResult as ToolResult,
)
from pi.wire.events import AgentEvent
from pi.wire.messages import AgentMessage
from pi.wire.model import (
    Model as Model,
)

Event: TypeAlias = AgentEvent
Message: TypeAlias = AgentMessage
