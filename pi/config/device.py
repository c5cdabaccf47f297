"""`deviceId` of settings.json: a random name for this installation, made when first asked for."""

import uuid
from typing import Any

from pi.config.documents import read_document
from pi.config.locks import update_json
from pi.config.paths import Paths

__all__ = ["device_id"]


def device_id(paths: Paths) -> str:
    """A UUID. Raises ConfigError when the settings cannot be read or written."""
    known = (read_document(paths.settings) or {}).get("deviceId")
    if isinstance(known, str) and known:
        return known

    def named(settings: dict[str, Any]) -> dict[str, Any]:
        # Another process may have made one meanwhile.
        present = settings.get("deviceId")
        return settings if isinstance(present, str) and present else {**settings, "deviceId": new}

    new = str(uuid.uuid4())
    return str(update_json(paths.settings, named, mode=None)["deviceId"])
