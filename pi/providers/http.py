"""The one place that makes HTTP clients: time-outs, proxies, trust, user agent."""

from dataclasses import dataclass

__all__ = ["HttpClient", "HttpOptions"]


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Seconds; None switches a time-out off. proxy: for http and https, over the environment."""

    idle_timeout: float | None = 300.0
    proxy: str | None = None


class HttpClient:
    """Opens its httpx.AsyncClient at the first request; close with `aclose`."""

    def __init__(self, options: HttpOptions | None = None) -> None:
        self.options = options or HttpOptions()

    async def aclose(self) -> None:
        """Close every connection."""
