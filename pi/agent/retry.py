"""When a failed request is asked again, and how long to wait first."""

from typing import NamedTuple

from pi.errors import ProviderError

__all__ = ["RetryPolicy"]


class RetryPolicy(NamedTuple):
    """Settings `retry.*`. Delays are seconds; they double from `base_delay` up to `max_delay`."""

    enabled: bool = True
    max_retries: int = 3
    base_delay: float = 2.0
    max_delay: float = 60.0

    def allows(self, failure: Exception | None, attempts: int) -> bool:
        """Whether to try again after this failure, `attempts` retries having been made."""
        return (
            self.enabled
            and attempts < self.max_retries
            and isinstance(failure, ProviderError)
            and failure.retryable
        )

    def delay(self, failure: Exception | None, attempt: int) -> float:
        """Seconds before retry number `attempt` (from 1).

        A server that names a longer wait is obeyed, within `max_delay`.
        """
        backoff = self.base_delay * 2.0 ** (attempt - 1)
        asked = failure.retry_after if isinstance(failure, ProviderError) else None
        return min(max(backoff, asked or 0.0), self.max_delay)
