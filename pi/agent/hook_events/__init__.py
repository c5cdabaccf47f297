"""What those who extend pi are told and asked: one class an event, and what may be answered.

Each docstring says when the event comes and which answer counts. Events without an answer are
notices: what their handlers return is ignored. Messages, entries and payloads inside are plain
dicts with the keys that sessions store. Names and order follow docs/extensions.md.
"""

# ruff: noqa: F403  (each module says which of its names are public)
from collections.abc import Mapping

from pi.agent.hook_events import base, requests, runs, sessions
from pi.agent.hook_events.base import *
from pi.agent.hook_events.requests import *
from pi.agent.hook_events.runs import *
from pi.agent.hook_events.sessions import *

__all__ = ["EVENTS"]
__all__ += base.__all__
__all__ += requests.__all__
__all__ += runs.__all__
__all__ += sessions.__all__

EVENTS: Mapping[str, type[base.Event]] = {kind.name: kind for kind in base.Event.__subclasses__()}
"""Every event by name."""
