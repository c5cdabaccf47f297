"""The catalogue, models.json, and how a pattern becomes a model."""

from pi.models.listing import list_models
from pi.models.registry import ModelRegistry
from pi.models.resolution import Resolved, Scope, resolve_model, resolve_scope
from pi.models.selection import Selection, SessionModel, select_model

__all__ = [
    "ModelRegistry",
    "Resolved",
    "Scope",
    "Selection",
    "SessionModel",
    "list_models",
    "resolve_model",
    "resolve_scope",
    "select_model",
]
