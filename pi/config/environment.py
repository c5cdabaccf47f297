"""The process environment, read once into one value.

Only this module and `pi.auth` look at os.environ. Source: docs/environment-variables.md.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Environment", "mark_process", "read_environment"]

_ESCAPE_WAIT, _ESCAPE_WAIT_AFAR = 0.05, 0.1


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Environment:
    """What the variables say, before any setting or option.

    variables: the whole environment, for interpolation, keys and child processes.
    agent_dir: PI_CODING_AGENT_DIR. session_dir: PI_CODING_AGENT_SESSION_DIR.
    cache_retention: PI_CACHE_RETENTION; anything but "long" and "none" is "short".
    telemetry: PI_TELEMETRY, None when unset or neither a yes nor a no.
    clear_on_shrink, hardware_cursor: PI_CLEAR_ON_SHRINK and PI_HARDWARE_CURSOR are 1; settings go
    over both. escape_wait: PI_TUI_ESC_TIMEOUT in seconds: how long a lone ESC may be the beginning
    of something else; by default longer over SSH, where the rest may come later.
    no_proxy: NO_PROXY, hosts that no proxy is used for; the proxies' own variables are httpx's.
    ca_file, ca_dir: SSL_CERT_FILE and SSL_CERT_DIR, trusted instead of the system's certificates.
    extra_ca: NODE_EXTRA_CA_CERTS, a file trusted besides.
    models_url: PI_MODELS_URL, where `pi update --models` asks instead of the usual place.
    log: PI_LOG, what to log and where (see pi.cli.diagnostics). debug: PI_DEBUG, tracebacks wanted.
    """

    variables: Mapping[str, str]
    home: Path
    agent_dir: str | None = None
    session_dir: str | None = None
    offline: bool = False
    skip_version_check: bool = False
    telemetry: bool | None = None
    clear_on_shrink: bool = False
    hardware_cursor: bool = False
    escape_wait: float = _ESCAPE_WAIT
    cache_retention: Literal["none", "short", "long"] = "short"
    no_proxy: tuple[str, ...] = ()
    ca_file: Path | None = None
    ca_dir: Path | None = None
    extra_ca: Path | None = None
    editor: str | None = None
    models_url: str | None = None
    log: str | None = None
    debug: bool = False


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """`variables`: the process's own when absent. Empty variables count as unset."""
    env = dict(os.environ if variables is None else variables)

    def first(*names: str) -> str | None:
        return next((env[name] for name in names if env.get(name)), None)

    def path(name: str) -> Path | None:
        return Path(env[name]) if env.get(name) else None

    retention = env.get("PI_CACHE_RETENTION", "").lower()
    return Environment(
        variables=env,
        home=_home(env),
        agent_dir=first("PI_CODING_AGENT_DIR"),
        session_dir=first("PI_CODING_AGENT_SESSION_DIR"),
        offline=_yes(env.get("PI_OFFLINE")),
        skip_version_check=bool(env.get("PI_SKIP_VERSION_CHECK")),
        telemetry=_yes_or_no(env.get("PI_TELEMETRY")),
        clear_on_shrink=env.get("PI_CLEAR_ON_SHRINK") == "1",
        hardware_cursor=env.get("PI_HARDWARE_CURSOR") == "1",
        escape_wait=_escape_wait(env),
        cache_retention="long"
        if retention == "long"
        else "none"
        if retention == "none"
        else "short",
        no_proxy=tuple((first("no_proxy", "NO_PROXY") or "").replace(",", " ").split()),
        ca_file=path("SSL_CERT_FILE"),
        ca_dir=path("SSL_CERT_DIR"),
        extra_ca=path("NODE_EXTRA_CA_CERTS"),
        editor=first("VISUAL", "EDITOR"),
        models_url=first("PI_MODELS_URL"),
        log=first("PI_LOG"),
        debug=_yes(env.get("PI_DEBUG")),
    )


def mark_process() -> None:
    """Let every program that this process starts see who started it."""
    os.environ.update({"AI_AGENT": "pi", "PI_CODING_AGENT": "true"})


def _home(env: Mapping[str, str]) -> Path:
    name = "USERPROFILE" if os.name == "nt" else "HOME"
    return Path(env[name]) if env.get(name) else Path.home()


def _escape_wait(env: Mapping[str, str]) -> float:
    given = env.get("PI_TUI_ESC_TIMEOUT", "").strip()
    if given.isascii() and given.isdigit():
        return int(given[:6]) / 1000
    afar = any(env.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))
    return _ESCAPE_WAIT_AFAR if afar else _ESCAPE_WAIT


def _yes(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true", "yes")


def _yes_or_no(value: str | None) -> bool | None:
    if _yes(value):
        return True
    return False if (value or "").lower() in ("0", "false", "no") else None
