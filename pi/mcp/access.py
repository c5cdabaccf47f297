"""What all servers of a run share: where they start, the HTTP client, credentials, the log."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pi.auth.oauth.base import Person, Surroundings
from pi.config.paths import Paths
from pi.mcp.config import Server
from pi.mcp.connection import Connection
from pi.mcp.http import Authorization
from pi.mcp.journal import Journal
from pi.mcp.reaching import Place
from pi.providers.http import HttpClient, HttpOptions

if TYPE_CHECKING:
    from pi.mcp.oauth import OAuth

__all__ = ["Access"]


@dataclass(slots=True, repr=False)
class Access:
    """around: for signing in. provider_token: of a provider, renewed; blocks."""

    paths: Paths
    place: Place
    http: HttpClient
    around: Surroundings
    journal: Journal
    provider_token: Callable[[str], str | None] = lambda provider: None

    @classmethod
    def make(
        cls,
        paths: Paths,
        variables: Mapping[str, str],
        options: HttpOptions,
        around: Surroundings,
        provider_token: Callable[[str], str | None],
    ) -> "Access":
        """options: of the network. Requests have time-outs of their own."""
        return cls(
            paths,
            Place(paths.cwd, paths.home, variables),
            HttpClient(options._replace(idle_timeout=None)),
            around,
            Journal(paths.agent / "mcp.log"),
            provider_token,
        )

    def connection(
        self, server: Server, on_change: Callable[[Connection], None] = lambda connection: None
    ) -> Connection:
        """Not connected yet."""
        return Connection(
            server,
            self.place,
            self.http,
            authorization=self._authorization(server),
            journal=self.journal,
            on_change=on_change,
        )

    def oauth(self, server: Server) -> "OAuth":
        from pi.mcp.oauth import OAuth  # noqa: PLC0415  (few servers sign in)

        return OAuth(server, self._vault, self.place.variables, self.around)

    def _authorization(self, server: Server) -> Authorization | None:
        provider = server.provider
        if provider is not None:
            from pi.mcp.oauth import ProviderToken  # noqa: PLC0415  (few servers sign in)

            return ProviderToken(lambda: self.provider_token(provider))
        return self.oauth(server) if server.uses_oauth else None

    async def sign_in(self, connection: Connection, person: Person, seconds: float) -> None:
        """With a person at hand, in a thread that ends with the program. Raises PiError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        around = replace(self.around, timeout=seconds)

        def settle(error: BaseException | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def work() -> None:
            error: BaseException | None = None
            try:
                self.sign_in_blocking(connection, person, around)
            except BaseException as raised:  # noqa: BLE001  (whoever waits is told)
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error)

        # A thread of asyncio's would be waited for at the end, for as long as a person has.
        threading.Thread(target=work, name="pi-mcp-sign-in", daemon=True).start()
        await done

    def sign_in_blocking(
        self, connection: Connection, person: Person, around: Surroundings
    ) -> None:
        """The same in a thread of the caller's. around: with the seconds a person has."""
        from pi.mcp.oauth import sign_in  # noqa: PLC0415  (few servers sign in)

        challenge, variables = connection.challenge, self.place.variables
        sign_in(connection.server, self._vault, variables, challenge, person, around)

    def forget(self, server: Server) -> bool:
        """Forget the sign-in; whether there was one. Raises ConfigError."""
        from pi.mcp.vault import Vault  # noqa: PLC0415  (few servers sign in)

        return Vault(self._vault, server).forget()

    @property
    def _vault(self) -> Path:
        return self.paths.agent / "mcp-auth.json"

    async def close(self) -> None:
        await self.http.aclose()
