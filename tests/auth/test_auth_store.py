"""auth.json as a file."""

import json
import os
from pathlib import Path

import pytest

from pi.auth.store import AuthStore
from pi.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent" / "auth.json"


def test_put_and_remove(path: Path) -> None:
    store = AuthStore(path)
    assert store.get("a") is None
    store.put("a", {"type": "api_key", "key": "k"})
    store.put("b", {"type": "api_key", "key": "l", "env": {"X": "1"}})
    assert list(json.loads(path.read_text())) == ["a", "b"]
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
    assert store.diagnostics() == ()
    found = AuthStore(path).get("b")
    assert found is not None
    assert (found.key, found.env) == ("l", {"X": "1"})
    store.remove("a")
    store.remove("never there")
    assert list(json.loads(path.read_text())) == ["b"]


def test_entries_we_do_not_know_survive(path: Path) -> None:
    path.parent.mkdir()
    old = {"x": {"type": "later", "more": [1]}, "y": 5}
    path.write_text(json.dumps(old))
    AuthStore(path).put("a", {"type": "api_key", "key": "k"})
    assert json.loads(path.read_text()) == {**old, "a": {"type": "api_key", "key": "k"}}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (5, "p: expected an object, found the number 5"),
        ({}, "p.type: missing"),
        ({"type": "x"}, 'p.type: expected "api_key" or "oauth"'),
        ({"type": "api_key", "key": 5}, "p.key: expected a string"),
        ({"type": "api_key", "key": "secret-key", "env": 5}, "p.env: expected an object"),
        ({"type": "api_key", "key": "secret-key", "env": {"A": 5}}, "p.env.A: expected a string"),
        ({"type": "oauth", "access": 5}, "p.access: expected a string"),
        ({"type": "oauth", "access": "secret-key", "expires": "soon"}, "p.expires: expected a num"),
    ],
)
def test_bad_entries(path: Path, entry: object, problem: str) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"p": entry, "good": {"type": "api_key", "key": "k"}}))
    path.chmod(0o600)
    store = AuthStore(path)
    with pytest.raises(ConfigError) as caught:
        store.get("p")
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert "secret-key" not in str(caught.value)
    assert store.diagnostics() == (str(caught.value),)
    good = store.get("good")
    assert good is not None
    assert good.key == "k"


@pytest.mark.parametrize("text", ["{bad", "[]", "null", "\xff"])
def test_bad_files(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    store = AuthStore(path)
    assert not store.readable()
    with pytest.raises(ConfigError, match=r"auth\.json"):
        store.get("p")
    assert len(store.diagnostics()) == 1
    with pytest.raises(ConfigError):
        store.put("a", {"type": "api_key", "key": "k"})
    assert path.read_bytes() == text.encode("latin-1")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_file_others_can_read_is_reported(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o644)
    assert "chmod 600" in AuthStore(path).diagnostics()[0]


def test_secrets_stay_out_of_representations(path: Path) -> None:
    store = AuthStore(path)
    store.put("a", {"type": "api_key", "key": "secret-key"})
    assert "secret-key" not in repr(store.get("a")) + repr(store)
