"""A configured server over time: it connects, drops, connects again at the next call, and ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeVar

from pi.errors import NetworkError, PiError
from pi.mcp.client import Client
from pi.mcp.config import Server
from pi.mcp.errors import ConnectionLost, HttpStatus, McpError, NeedsSignIn, SessionExpired
from pi.mcp.http import Authorization
from pi.mcp.journal import Journal
from pi.mcp.reaching import Place, open_transport
from pi.mcp.rpc import Progress
from pi.mcp.stdio import StdioTransport
from pi.providers.http import HttpClient

__all__ = ["Connection", "State"]

log = logging.getLogger(__name__)

State = Literal["connecting", "connected", "disconnected", "needs-auth", "failed", "closed"]
"""disconnected: the connection was lost; the next call connects again."""

_RETRY_AFTER = (0.5, 1.0)
"""Seconds between attempts to connect when the network or the server is in trouble."""

T = TypeVar("T")


class Connection:
    """error: why it is not connected. stderr: the end of what a failed process said there.
    challenge: the WWW-Authenticate of a refusal. refused: the token that is known to be of no use.

    on_change: state, error or tools are others now. Nothing is connected until `connect`.
    """

    def __init__(
        self,
        server: Server,
        place: Place,
        http: HttpClient,
        *,
        authorization: Authorization | None = None,
        journal: Journal | None = None,
        on_change: "Callable[[Connection], None]" = lambda connection: None,
    ) -> None:
        self.server = server
        self.state: State = "connecting"
        self.error = ""
        self.stderr = ""
        self.challenge = ""
        self.refused: str | None = None
        self.tools: list[dict[str, Any]] = []
        self.instructions = ""
        self.has_resources = False
        self._place = place
        self._http = http
        self._authorization = authorization
        self._journal = journal
        self._on_change = on_change
        self._client: Client | None = None
        self._opening: asyncio.Task[Client] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._stale = False
        self._closing: set[asyncio.Future[None]] = set()

    @property
    def name(self) -> str:
        return self.server.name

    async def connect(self) -> Client:
        """The client, connected now if it was not. Raises PiError with what is wrong."""
        if self.state == "closed":
            raise ConnectionLost(f'MCP server "{self.name}" is closed')
        if self._client is not None:
            return self._client
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    async def reconnect(self) -> None:
        """Leave the connection there is, and connect anew. Raises PiError."""
        await self._drop()
        await self.connect()

    async def call(
        self, tool: str, arguments: Mapping[str, Any], progress: Progress
    ) -> dict[str, Any]:
        """The CallToolResult. Not sent again when it may have been done."""
        return await self._with_client(lambda client: client.call(tool, arguments, progress))

    async def page(self, method: str, cursor: str | None = None) -> dict[str, Any]:
        return await self._with_client(lambda client: client.page(method, cursor), reads=True)

    async def pages(self, method: str, key: str) -> list[dict[str, Any]]:
        return await self._with_client(lambda client: client.pages(method, key), reads=True)

    async def read(self, uri: str) -> dict[str, Any]:
        return await self._with_client(lambda client: client.read(uri), reads=True)

    async def close(self) -> None:
        """For good; nothing of it is left afterwards."""
        if self.state != "closed":
            self.state = "closed"
            self._on_change(self)
        await self._drop()

    async def _with_client(
        self, use: Callable[[Client], Awaitable[T]], *, reads: bool = False
    ) -> T:
        """reads: the request changes nothing, so that it may be sent twice."""
        client = await self.connect()
        try:
            return await use(client)
        except SessionExpired:
            # Refused before it was looked at, so it is safe to send it again.
            if self._client is client:
                self._client = None
                self._later(client.close())
            client = await self.connect()
            return await use(client)
        except (HttpStatus, NetworkError) as error:
            if not (reads and _may_pass(error)):
                raise
            await asyncio.sleep(_RETRY_AFTER[0])
            return await use(client)
        except NeedsSignIn as error:
            self._client = None
            self._become("needs-auth", str(error), challenge=error.challenge)
            await client.close()
            raise McpError(f'MCP server "{self.name}" needs sign-in') from None

    # Connecting

    async def _open(self) -> Client:
        self._become("connecting", "")
        attempt = 0
        while True:
            try:
                return await self._open_once()
            except (HttpStatus, NetworkError) as error:
                if not _may_pass(error) or attempt == len(_RETRY_AFTER):
                    raise
                await asyncio.sleep(_RETRY_AFTER[attempt])
                attempt += 1

    async def _open_once(self) -> Client:
        transport = await open_transport(self.server, self._place, self._http, self._authorization)
        client: Client | None = None

        def lost(reason: str) -> None:
            if client is not None and client is self._client:
                self._client = None
                self._become("disconnected", reason)
                self._later(client.close())

        client = Client(
            transport,
            cwd=self._place.cwd,
            timeout=self.server.timeout,
            on_tools=self._refresh_soon,
            on_log=self._write,
            on_lost=lost,
        )
        try:
            await client.connect()
            tools = await client.tools()
        except BaseException as error:
            if isinstance(transport, StdioTransport):
                if isinstance(error, McpError):
                    await asyncio.sleep(0.05)  # for what it says with its last breath
                self.stderr = transport.stderr
            await client.close()
            raise
        self.stderr = ""
        self.tools = tools
        self.instructions = client.instructions
        self.has_resources = client.has_resources
        self._client = client
        return client

    def _opened(self, opening: "asyncio.Task[Client]") -> None:
        self._opening = None
        if opening.cancelled():
            return
        error = opening.exception()
        if error is None:
            self._become("connected", "")
        elif isinstance(error, NeedsSignIn):
            self._become("needs-auth", str(error), challenge=error.challenge)
        elif isinstance(error, PiError):
            self._become("failed", str(error))
        else:
            log.error("connecting to %s failed", self.name, exc_info=error)
            self._become("failed", f"{type(error).__name__}: {error}")

    async def _drop(self) -> None:
        for task in (self._opening, self._refreshing):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])
        self._opening = None
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        if self._closing:
            await asyncio.wait([*self._closing])

    def _become(self, state: State, error: str, *, challenge: str = "") -> None:
        if self.state == "closed":
            return
        self.state = state
        self.error = error
        if challenge or state == "connected":
            self.challenge = challenge
        self._on_change(self)

    # What the server tells

    def _write(self, params: Mapping[str, Any]) -> None:
        if self._journal is not None:
            self._journal.write(self.name, params)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.ensure_future(self._refresh())

    async def _refresh(self) -> None:
        while self._stale:
            self._stale = False
            client = self._client
            if client is None:
                return
            try:
                self.tools = await client.tools()
            except PiError as error:
                log.warning("the tools of MCP server %s cannot be listed: %s", self.name, error)
                return
            self._on_change(self)

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _may_pass(error: HttpStatus | NetworkError) -> bool:
    """Whether the same request may succeed a moment later."""
    return error.transient if isinstance(error, HttpStatus) else error.retryable
