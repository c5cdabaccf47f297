"""The compiled twin has the pure one's interface."""

from pi._speedups._sse import SseDecoder as SseDecoder
