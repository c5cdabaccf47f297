"""Values with indirection, as apiKey, headers and stored keys may hold them.

`$NAME` and `${NAME}` are replaced by variables, `$$` and `$!` stand for `$` and `!`, and a value
that starts with `!` is a shell command whose trimmed output is the value. Everything else is
literal. Messages name the place, variable or command, never a value. Source: docs/models.md.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

from pi.errors import ConfigError

__all__ = ["COMMAND_TIMEOUT", "UnresolvedValue", "can_resolve", "is_command", "resolve_value"]

COMMAND_TIMEOUT = 10.0
"""Seconds a `!command` may take."""

# Compiled by `re` at their first use: most runs get by without.
_REFERENCE = r"\$(?:([$!])|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})"
# What no HTTP header can carry, but for the blanks around a value, which do not count there.
_UNSENDABLE = r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]"


class UnresolvedValue(ConfigError):
    """A variable that is not set, or a command that gave nothing."""


def is_command(value: str) -> bool:
    return value.startswith("!")


def can_resolve(value: str, variables: Mapping[str, str]) -> bool:
    """Whether `resolve_value` should succeed. Commands are taken on trust, not run."""
    if is_command(value):
        return True
    return bool(value.strip()) and not _missing(value, variables)


def resolve_value(
    value: str, variables: Mapping[str, str], *, what: str, sendable: bool = True
) -> str:
    """The string `value` stands for.

    variables: an empty or blank one counts as unset. what: the value's name in messages, such as
    'the apiKey of provider "x" in models.json'. sendable: whether it goes into an HTTP header;
    blanks and line ends around it are then left out.
    Raises UnresolvedValue.
    """
    if is_command(value):
        result = _run(value[1:], variables, what)
    else:
        missing = _missing(value, variables)
        if missing:
            raise UnresolvedValue(
                f"{what} needs the environment variable {missing}, which is not set",
                hint="Set it, or write $$ where a plain dollar sign is meant.",
            )
        result = re.sub(
            _REFERENCE, lambda match: match[1] or variables[match[2] or match[3]], value
        )
    if sendable:
        result = result.strip(" \t\r\n")
        if re.search(_UNSENDABLE, result):
            raise UnresolvedValue(f"{what} holds characters that no HTTP header can carry")
    return result


def _missing(value: str, variables: Mapping[str, str]) -> str | None:
    names = (match[2] or match[3] for match in re.finditer(_REFERENCE, value))
    return next((name for name in names if name and not variables.get(name, "").strip()), None)


def _run(command: str, variables: Mapping[str, str], what: str) -> str:
    import signal  # noqa: PLC0415  (only when a value is a command)
    import subprocess  # noqa: PLC0415  (only when a value is a command)

    group: dict[str, Any] = {} if os.name == "nt" else {"start_new_session": True}
    with subprocess.Popen(
        command,
        shell=True,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        **group,
    ) as process:
        try:
            output, _ = process.communicate(timeout=COMMAND_TIMEOUT)
        except subprocess.TimeoutExpired:
            # The whole group: a child that keeps the pipe would hold us up.
            if os.name == "nt":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            raise UnresolvedValue(
                f"{what}: the command took longer than {COMMAND_TIMEOUT:g} s: {command}"
            ) from None
    if process.returncode != 0:
        raise UnresolvedValue(f"{what}: the command exited with {process.returncode}: {command}")
    text: str = output.decode("utf-8", "replace").strip()
    if not text:
        raise UnresolvedValue(f"{what}: the command printed nothing: {command}")
    return text
