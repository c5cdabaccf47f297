"""The one place that makes HTTP clients: time-outs, proxies, trust, user agent.

httpx is imported at the first request, and a TLS context is made at the first https one: a run
that never reaches the network pays for neither. HTTP/1.1 serves: a run has one answer under way at
a time, on a connection that is kept, so that HTTP/2 would multiplex nothing. Trust comes from the
system's certificate store (truststore: corporate roots installed there count), unless a bundle is
named.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pi._version import __version__
from pi.errors import ConfigError, InvalidRequestError, NetworkError

if TYPE_CHECKING:
    import ssl

    import httpx
    from websockets.asyncio.client import ClientConnection

__all__ = ["HttpClient", "HttpOptions", "body_of", "network_error", "user_agent"]

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 30.0
"""Seconds for the connection alone; an unreachable host should not take the whole idle time-out."""


class HttpOptions(NamedTuple):
    """Where requests go through and whom they trust. Seconds; None switches a time-out off.

    idle_timeout: the longest silence, before the headers and between events of a stream.
    proxy: for http and https, over HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, which count otherwise.
    no_proxy: hosts that bypass `proxy`, as in NO_PROXY ("example.org", ".example.org", "*").
    ca_file, ca_dir: trusted certificates instead of the system's (SSL_CERT_FILE, SSL_CERT_DIR).
    extra_ca: a PEM bundle trusted besides (NODE_EXTRA_CA_CERTS).
    """

    idle_timeout: float | None = 300.0
    proxy: str | None = None
    no_proxy: tuple[str, ...] = ()
    ca_file: Path | None = None
    ca_dir: Path | None = None
    extra_ca: Path | None = None


def warm_up() -> None:
    """Load the HTTP library ahead of the first request."""
    _httpx()


def user_agent() -> str:
    """`pi/1.2.3 (linux; python/3.12.1; x86_64)`."""
    import platform  # noqa: PLC0415  (2 ms, and only a request needs it)

    version = ".".join(map(str, sys.version_info[:3]))
    return f"pi/{__version__} ({sys.platform}; python/{version}; {platform.machine()})"


class HttpClient:
    """Opens its httpx.AsyncClient at the first request; close with `aclose`.

    memory: what APIs know of a session from one request to the next; what has an `aclose` is closed
    with the client.
    """

    def __init__(self, options: HttpOptions | None = None) -> None:
        self.options = options or HttpOptions()
        self.memory: dict[tuple[str, str], Any] = {}
        self._clients: dict[bool, httpx.AsyncClient] = {}

    @asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes,
        method: str = "POST",
        limit: float | None = None,
    ) -> AsyncIterator["httpx.Response"]:
        """Send, and give the answer once its headers are there; leaving closes it.

        limit: seconds for that, besides the idle time-out.

        Redirects are not followed: a key must not travel to a host nobody named. Raises
        NetworkError for no answer, InvalidRequestError for what cannot be sent, ConfigError for an
        unusable proxy or certificate bundle. Reading the body raises what `network_error` takes.
        """
        import asyncio  # noqa: PLC0415  (whoever gets here has it; a start without network has not)

        httpx = _httpx()
        try:
            target = httpx.URL(url)
            secure = target.scheme == "https"
            if not (secure or target.scheme == "http") or not target.host or _bad_port(target.port):
                raise InvalidRequestError(
                    f"not an http(s) URL: {url!r}", hint="check the provider's baseUrl"
                )
            client = self._client(secure=secure)
            request = client.build_request(
                method,
                target,
                headers={b"user-agent": user_agent().encode(), **_encoded(headers)},
                content=content,
            )
            # Neither headers nor query nor body: keys and conversations stay out of logs.
            shown = f"{target.scheme}://{target.netloc.decode()}{target.path}"
            log.debug("%s %s, %d bytes", method, shown, len(content))
            began = time.monotonic()
            async with asyncio.timeout(limit):
                response = await client.send(request, stream=True)
        except TimeoutError as error:
            log.debug("no answer from %s within %s s", shown, limit)
            raise NetworkError(f"no answer from {_host(url)} within {limit:g}s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            failure = network_error(error, url)
            log.debug("%s", failure)
            raise failure from error
        log.debug(
            "%s answered %d in %.3f s, request id %s",
            shown,
            response.status_code,
            time.monotonic() - began,
            response.headers.get("request-id") or response.headers.get("x-request-id"),
        )
        try:
            yield response
        finally:
            await response.aclose()

    async def websocket(
        self, url: str, *, headers: Mapping[str, str], limit: float | None
    ) -> "ClientConnection":
        """Open a WebSocket at an http(s) URL. limit: seconds for that. Raises NetworkError."""
        # The well-kept one; loaded by the one API that has this transport.
        from websockets.asyncio.client import connect  # noqa: PLC0415
        from websockets.exceptions import WebSocketException  # noqa: PLC0415

        class Direct(connect):
            def process_redirect(self, exc: Exception) -> Exception | str:
                return exc  # a key must not travel to a host nobody named

        scheme, _, rest = url.partition("://")
        secure = scheme == "https"
        own = {name: value for name, value in _encodable(headers).items() if name != "user-agent"}
        log.debug("WebSocket to %s", _host(url))
        try:
            return await Direct(
                f"{'wss' if secure else 'ws'}://{rest}",
                additional_headers=own,
                user_agent_header=headers.get("user-agent", user_agent()),
                ssl=self._context() if secure else None,
                proxy=self._proxy_for(url),
                open_timeout=limit,
                close_timeout=1,
                ping_interval=None,
                max_size=None,
            )
        except TimeoutError as error:
            raise NetworkError(f"no WebSocket to {_host(url)} in time") from error
        except (OSError, WebSocketException, ValueError) as error:
            raise NetworkError(f"no WebSocket to {_host(url)}: {_reason(error)}") from error

    def _proxy_for(self, url: str) -> str | Literal[True] | None:
        """The settings' proxy, None for a host that bypasses it, True for the environment's."""
        proxy = self.options.proxy
        if proxy is None:
            return True
        host = _httpx().URL(url).host
        for entry in self.options.no_proxy:
            known = entry.strip().lstrip(".")
            if known == "*" or host == known or (known and host.endswith(f".{known}")):
                return None
        return proxy if "://" in proxy else f"http://{proxy}"

    async def aclose(self) -> None:
        """Close every connection."""
        memories = list(self.memory.values())
        self.memory.clear()
        for memory in memories:
            if hasattr(memory, "aclose"):
                await memory.aclose()
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    def _client(self, *, secure: bool) -> "httpx.AsyncClient":
        if secure in self._clients:
            return self._clients[secure]
        options = self.options
        # A proxy may itself be https, so without a context httpx would build one from certifi.
        context: Any = self._context() if secure else False
        idle = options.idle_timeout
        connect = CONNECT_TIMEOUT if idle is None else min(idle, CONNECT_TIMEOUT)
        try:
            client: httpx.AsyncClient = _httpx().AsyncClient(
                verify=context,
                timeout=_httpx().Timeout(idle, connect=connect, pool=None),
                limits=_httpx().Limits(max_connections=None, keepalive_expiry=60),
                # Compressed events arrive late: a compressor holds back what it was given.
                headers={"accept-encoding": "identity"},
                trust_env=options.proxy is None,
                mounts=self._mounts(context),
            )
        except (ValueError, ImportError, _httpx().InvalidURL) as error:
            where = options.proxy or "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"
            raise ConfigError(f"unusable proxy ({where}): {error}") from error
        self._clients[secure] = client
        return client

    def _mounts(self, context: Any) -> "dict[str, httpx.AsyncHTTPTransport | None] | None":
        proxy = self.options.proxy
        if proxy is None:
            return None
        mounts: dict[str, httpx.AsyncHTTPTransport | None] = {}
        for entry in self.options.no_proxy:
            host = entry.strip()
            if host == "*":
                return None
            if host:
                mounts[f"all://*{host}" if host.startswith(".") else f"all://{host}"] = None
                mounts[f"all://*.{host.lstrip('.')}"] = None
        if "://" not in proxy:
            proxy = f"http://{proxy}"
        mounts["all://"] = _httpx().AsyncHTTPTransport(verify=context, proxy=proxy)
        return mounts

    def _context(self) -> "ssl.SSLContext":
        import ssl  # noqa: PLC0415  (only https needs it, and it costs 10 ms)

        options = self.options
        bundle: Path | None = options.ca_file or options.ca_dir
        try:
            if bundle is not None:
                context = ssl.create_default_context(
                    cafile=options.ca_file and str(options.ca_file),
                    capath=options.ca_dir and str(options.ca_dir),
                )
            else:
                import truststore  # noqa: PLC0415  (with ssl; trusts what the system trusts)

                context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if bundle := options.extra_ca:
                context.load_verify_locations(cafile=str(bundle))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"cannot load certificates from {bundle}: {error}",
                hint="check SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS",
            ) from error
        return context


async def body_of(response: "httpx.Response", url: str) -> AsyncIterator[bytes]:
    """The answer's body, as it comes. Raises NetworkError."""
    httpx = _httpx()
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx.HTTPError as error:
        raise network_error(error, url) from error


def network_error(error: Exception, url: str) -> NetworkError | InvalidRequestError:
    """What httpx raised, as one of ours: what failed, with which host."""
    httpx = _httpx()
    where = _host(url)
    cause = _reason(error)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return InvalidRequestError(f"cannot send a request to {url!r}: {cause}")
    if isinstance(error, httpx.ConnectTimeout):
        return NetworkError(f"no connection to {where} in time (connect timeout)")
    if isinstance(error, httpx.TimeoutException):
        return NetworkError(f"no answer from {where} in time (idle timeout)")
    if isinstance(error, httpx.ProxyError):
        return NetworkError(f"the proxy gave no connection to {where}: {cause}")
    if isinstance(error, httpx.ConnectError):
        refused = NetworkError(f"cannot connect to {where}: {cause}")
        if "CERTIFICATE_VERIFY_FAILED" in cause:
            refused.retryable = False
            refused.hint = "name your organisation's CA bundle in NODE_EXTRA_CA_CERTS"
        return refused
    return NetworkError(f"the connection to {where} was lost: {cause}")


_loading = threading.Lock()


def _httpx() -> Any:
    with _loading:  # a module that another thread is loading is there, but not all of it
        if "httpx" not in sys.modules:
            # The package would import its own command line, and with it rich, pygments and click.
            sys.modules["httpx._main"] = None  # type: ignore[assignment]
            try:
                import httpx  # noqa: F401, PLC0415  (the network is used late, if at all)
            finally:
                del sys.modules["httpx._main"]
    return sys.modules["httpx"]


def _bad_port(port: int | None) -> bool:
    return port is not None and not 0 < port < 65536


def _encodable(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case, values as they can be sent: HTTP does not count blanks around them.

    A line end pasted with a key is such a blank. What cannot be sent is refused here: httpx would
    put the value, which may be a key, into its message.
    """
    encodable = {}
    for name, value in headers.items():
        value = value.strip(" \t\r\n")
        if any(char > "\xff" or (char < " " and char != "\t") or char == "\x7f" for char in value):
            raise InvalidRequestError(
                f"the value of header {name!r} holds characters that HTTP cannot carry",
                hint="check the API key and the headers of this provider for stray characters",
            )
        encodable[name.lower()] = value
    return encodable


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """As bytes: httpx takes ASCII alone for text."""
    sent = _encodable(headers)
    return {name.encode(): value.encode("latin-1") for name, value in sent.items()}


def _host(url: str) -> str:
    host = url.partition("://")[2] or url
    return host.partition("/")[0].rpartition("@")[2] or url


def _reason(error: BaseException) -> str:
    """The innermost text: httpx says "All connection attempts failed", the OS says why."""
    texts = []
    seen: BaseException | None = error
    while seen is not None:
        if text := _words(seen):
            texts.append(text)
        seen = seen.__cause__ or seen.__context__
    return texts[-1] if texts else type(error).__name__


def _words(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.errno and "Connect call failed" in text:
        return os.strerror(error.errno)  # for which asyncio has put a call and an address
    return text
