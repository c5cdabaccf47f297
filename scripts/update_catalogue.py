#!/usr/bin/env python3
"""Rebuild pi/models/data from a folder of catalogue files.

    python scripts/update_catalogue.py FOLDER [--check]

FOLDER holds one JSON file a provider, `{api: {"chat:<id>": record, …}, …}`, such as the folder
`dist/providers/data` of the package @earendil-works/pi-ai. The result depends on nothing but these
files. With --check nothing is written; the exit code says whether the data is up to date.

Written: NAME.json for each provider with chat models, `[{"shared": {…}, "models": [{…}, …]}, …]`,
one group an API, where `shared` are the fields all models of the group have in common;
operations.json, `{provider: [group, …]}`, for models that are not for chat, with their `type`;
index.json, `{provider: [[api, [[id, name], …]], …]}`, in the order of the catalogue; and
stamp.json, `{"generatedAt": …}`, the folder's own date, from its .manifest.json: newer lists that
a person fetches go over the data, older ones do not.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "pi" / "models" / "data"
# The file and the group say these already, or nobody reads them.
OPERATIONS = ("image", "classifier")
DROPPED = {"provider", "type", "lab", "enabled", "providers", "free"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Rebuild the model catalogue.")
    parser.add_argument("folder", type=Path, help="catalogue files, one JSON file a provider")
    parser.add_argument("--check", action="store_true", help="write nothing, compare only")
    options = parser.parse_args()
    files = build(options.folder)
    if options.check:
        return 0 if files == {path.name: path.read_text() for path in DATA.glob("*.json")} else 1
    for old in DATA.glob("*.json"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (DATA / name).write_text(text)
    sys.stderr.write(f"{len(files) - 3} providers in {DATA}\n")
    return 0


def build(folder: Path) -> dict[str, str]:
    """File name to content."""
    files: dict[str, str] = {}
    index: dict[str, list[Any]] = {}
    operations: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name.startswith("."):
            continue
        groups = []
        for api, records in json.loads(path.read_text()).items():
            chat = [record for key, record in records.items() if key.startswith("chat:")]
            others = [record for record in records.values() if record.get("type") in OPERATIONS]
            if others:
                operations.setdefault(path.stem, []).append(group(others, DROPPED - {"type"}))
            if chat:
                groups.append(group(chat))
                names = [[record["id"], record["name"]] for record in chat]
                index.setdefault(path.stem, []).append([api, names])
        if groups:
            files[path.name] = lines(groups)
    files["index.json"] = compact(index) + "\n"
    parts = (f"{compact(name)}:{lines(groups).strip()}" for name, groups in operations.items())
    files["operations.json"] = "{" + ",\n".join(parts) + "}\n"
    manifest = folder / ".manifest.json"
    dated = json.loads(manifest.read_text()) if manifest.exists() else {}
    stamp = dated.get("generatedAt", "1970-01-01T00:00:00.000Z")
    files["stamp.json"] = compact({"generatedAt": stamp}) + "\n"
    return files


def group(records: list[dict[str, Any]], dropped: set[str] = DROPPED) -> dict[str, Any]:
    """The records of one API, what they have in common taken out."""
    kept = [{k: v for k, v in record.items() if k not in dropped} for record in records]
    first = kept[0]
    shared = {
        key: value
        for key, value in first.items()
        if key not in ("id", "name") and all(r.get(key, kept) == value for r in kept)
    }
    models = [{k: v for k, v in record.items() if k not in shared} for record in kept]
    return {"shared": shared, "models": models}


def lines(groups: list[dict[str, Any]]) -> str:
    """One model a line, for readable diffs."""
    parts = []
    for item in groups:
        models = ",\n".join(compact(model) for model in item["models"])
        parts.append(f'{{"shared":{compact(item["shared"])},"models":[\n{models}]}}')
    return "[" + ",\n".join(parts) + "]\n"


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
