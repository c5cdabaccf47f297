"""Fetching lists of models into models-store.json. `pi.models.fetched` reads them.

Each provider's list is an object of its own behind one address; it is asked for with the mark of
what is there already, so that an unchanged list costs one small answer.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote

from pi.config.documents import read_document
from pi.config.locks import update_json
from pi.errors import PiError
from pi.models.catalogue import catalogue_records, generated_at
from pi.models.personal import Access, gateway_list, openrouter_list
from pi.wire import jsonio

__all__ = ["DEFAULT_URL", "Fetch", "Fetched", "refresh"]

DEFAULT_URL = "https://pi.dev/api/models/providers"

# The file is shared with programs that want the other kinds too.
_TYPES = "chat,image,classifier"
_ATTEMPTS = 3
_AT_ONCE = 6


@dataclass(frozen=True, slots=True, repr=False)
class Fetched:
    """An answer. headers: names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Fetch(Protocol):
    """A GET. Raises PiError when there is no answer."""

    def __call__(self, url: str, headers: Mapping[str, str], /) -> Fetched: ...


def refresh(
    path: Path,
    providers: Iterable[str],
    fetch: Fetch,
    *,
    url: str = DEFAULT_URL,
    access: Mapping[str, Access] = MappingProxyType({}),
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Ask for each provider's list and store what came. Gives what failed, a line each.

    access: for the providers whose list depends on who asks (pi.models.personal).

    A provider whose list could not be had keeps the one it has. Raises ConfigError when the file
    cannot be read or written; it is replaced as a whole or not at all.
    """
    known = read_document(path) or {}

    def one(provider: str) -> tuple[str, dict[str, Any] | None, str | None]:
        old = known.get(provider)
        old = old if isinstance(old, dict) else {}
        try:
            if provider in access:
                own = _personal(provider, access[provider], url, fetch, sleep)
                return provider, {"models": own, "checkedAt": int(time.time() * 1000)}, None
            return provider, _entry(old, _get(url, provider, old, fetch, sleep)), None
        except PiError as error:
            return provider, None, f"{provider}: {error}"

    with ThreadPoolExecutor(_AT_ONCE, "pi-models") as pool:
        results = list(pool.map(one, providers))
    entries = {provider: entry for provider, entry, _ in results if entry is not None}
    if entries:
        update_json(path, lambda old: {**old, **entries})
    return [problem for _, _, problem in results if problem is not None]


def _personal(
    provider: str,
    access: Access,
    url: str,
    fetch: Fetch,
    sleep: Callable[[float], None],
) -> list[Mapping[str, Any]]:
    def get(address: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        answer = fetch(address, headers)
        return answer.status, answer.body

    if provider == "radius":
        return gateway_list(access, get)
    answer = _get(url, provider, {}, fetch, sleep)
    latest = [] if answer.status in (404, 501) else _entry({}, answer)["models"]
    known = {
        record["id"]: {**record, "provider": provider, "type": "chat"}
        for record in catalogue_records(provider)
    }
    newer = _modified(answer.headers.get("last-modified")) > generated_at()
    others = []
    for model in latest:
        if model.get("type", "chat") != "chat":
            others.append(model)
        elif newer:
            known[model["id"]] = model
    return openrouter_list([*known.values(), *others], access, get)


def _get(
    url: str,
    provider: str,
    old: Mapping[str, Any],
    fetch: Fetch,
    sleep: Callable[[float], None],
) -> Fetched:
    """The answer, after up to three tries while the server has trouble."""
    headers = {"Accept": "application/json"}
    etag = old.get("etag")
    if isinstance(etag, str) and isinstance(old.get("models"), list):
        headers["If-None-Match"] = etag
    where = f"{url.rstrip('/')}/{quote(provider, safe='')}?types={quote(_TYPES, safe='')}"
    for attempt in range(1, _ATTEMPTS + 1):
        answer = fetch(where, headers)
        if answer.status < 500 and answer.status != 429:
            break
        if attempt < _ATTEMPTS:
            sleep(0.25 * 2**attempt)
    return answer


def _entry(old: Mapping[str, Any], answer: Fetched) -> dict[str, Any]:
    """The entry to store. Raises PiError for an answer that is none."""
    checked = {"checkedAt": int(time.time() * 1000)}
    if answer.status == 304:
        return {**old, **checked}
    if answer.status == 404:  # the service has no list for this provider
        return {"models": [], "lastModified": 0, **checked}
    if answer.status != 200:
        raise PiError(f"the server answered HTTP {answer.status}")
    entry: dict[str, Any] = {
        "models": _models(answer.body),
        "lastModified": _modified(answer.headers.get("last-modified")),
    }
    if etag := answer.headers.get("etag"):
        entry["etag"] = etag
    return {**entry, **checked}


def _models(body: bytes) -> list[Any]:
    """A list, `{"models": list}`, or an object of models by key."""
    try:
        value = jsonio.loads(body)
    except jsonio.JSONError:
        raise PiError("the answer is not JSON") from None
    if isinstance(value, dict) and "models" in value:
        value = value["models"]
    if isinstance(value, dict):
        value = [*value.values()]
    if not isinstance(value, list):
        raise PiError("the answer holds no list of models")
    return [
        model for model in value if isinstance(model, dict) and isinstance(model.get("id"), str)
    ]


def _modified(header: str | None) -> int:
    """Unix ms; 0 for none, which never counts as newer."""
    try:
        return int(parsedate_to_datetime(header or "").timestamp() * 1000)
    except ValueError:
        return 0
