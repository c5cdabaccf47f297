"""How this process reaches the network: the settings' and the environment's part in one value."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pi.auth.oauth.base import Reply, Surroundings
from pi.config.environment import Environment
from pi.config.settings_types import Settings
from pi.errors import NetworkError
from pi.providers.http import HttpClient, HttpOptions, body_of

if TYPE_CHECKING:
    import httpx

__all__ = ["Sender", "http_options", "surroundings"]

REQUEST_TIMEOUT = 30.0
"""Seconds for a whole request that is not a model's."""

MAX_ANSWER = 32 * 1024 * 1024


def http_options(environment: Environment, settings: Settings) -> HttpOptions:
    """Proxy, certificates and time-out for every request of this run."""
    return HttpOptions(
        idle_timeout=settings.http_idle_timeout_ms / 1000 or None,
        proxy=settings.http_proxy,
        no_proxy=environment.no_proxy,
        ca_file=environment.ca_file,
        ca_dir=environment.ca_dir,
        extra_ca=environment.extra_ca,
    )


def surroundings(
    environment: Environment, settings: Settings, *, device_id: str = ""
) -> Surroundings:
    """What signing in and renewing work with."""
    return Surroundings(
        send=Sender(http_options(environment, settings)),
        callback_host=environment.variables.get("PI_OAUTH_CALLBACK_HOST", ""),
        device_id=device_id,
    )


class Sender:
    """Sends one request and waits for all of the answer: for threads without an event loop."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Reply:
        return self.fetch(method, url, headers, content)[0]

    def fetch(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> tuple[Reply, Mapping[str, str]]:
        """The answer and its headers, names in lower case. Raises NetworkError."""
        return asyncio.run(self._fetch(method, url, headers, content))

    async def _fetch(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[Reply, Mapping[str, str]]:
        client = HttpClient(self._options)
        try:
            async with (
                asyncio.timeout(REQUEST_TIMEOUT),
                client.stream(url, headers=headers, content=content, method=method) as response,
            ):
                body = await _read(response, url)
                return Reply(response.status_code, body), dict(response.headers)
        except TimeoutError:
            raise NetworkError(f"no answer from {url} within {REQUEST_TIMEOUT:g} s") from None
        finally:
            await client.aclose()


async def _read(response: "httpx.Response", url: str) -> bytes:
    body = bytearray()
    async for chunk in body_of(response, url):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise NetworkError(f"the answer from {url} is too large")
    return bytes(body)
