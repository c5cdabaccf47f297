"""Credentials: auth.json and the order in which a key is looked for."""

from pi.auth.credentials import Credential, Credentials
from pi.auth.store import AuthStore

__all__ = ["AuthStore", "Credential", "Credentials"]
