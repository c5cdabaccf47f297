"""Folders, environment, and JSON files with their errors."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.config.documents import parse_document, read_document
from pi.config.environment import read_environment
from pi.config.paths import find_paths
from pi.errors import ConfigError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_defaults_and_overrides(tmp_path: Path) -> None:
    env = read_environment({"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)})
    paths = find_paths(env, tmp_path / "work")
    assert paths.auth == tmp_path / ".pi" / "agent" / "auth.json"
    assert paths.project_settings == tmp_path / "work" / ".pi" / "settings.json"
    moved = read_environment(
        {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "PI_CODING_AGENT_DIR": "~/other"}
    )
    assert find_paths(moved, tmp_path).models == tmp_path / "other" / "models.json"


def test_session_folder_precedence(tmp_path: Path) -> None:
    env = read_environment({"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)})
    paths = find_paths(env, tmp_path)
    assert paths.session_storage(flag=None, variable=None, setting=None) is None
    assert paths.session_storage(flag=None, variable=None, setting="s") == tmp_path / "s"
    assert paths.session_storage(flag=None, variable="~/v", setting="s") == tmp_path / "v"
    assert paths.session_storage(flag="../f", variable="v", setting="s") == tmp_path.parent / "f"


def test_environment_values() -> None:
    env = read_environment(
        {
            "PI_OFFLINE": "1",
            "PI_CACHE_RETENTION": "long",
            "PI_TELEMETRY": "no",
            "NO_PROXY": "upper.test",
            "no_proxy": "a.test, .b.test c.test",
            "SSL_CERT_FILE": "/a.pem",
            "SSL_CERT_DIR": "/certs",
            "NODE_EXTRA_CA_CERTS": "/b.pem",
            "EDITOR": "ed",
            "PI_CODING_AGENT_SESSION_DIR": "",
        }
    )
    assert env.offline
    assert env.cache_retention == "long"
    assert env.telemetry is False
    assert env.no_proxy == ("a.test", ".b.test", "c.test")
    assert (env.ca_file, env.ca_dir) == (Path("/a.pem"), Path("/certs"))
    assert env.extra_ca == Path("/b.pem")
    assert env.editor == "ed"
    assert env.session_dir is None
    assert read_environment({}).telemetry is None


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, 0.05),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, 0.1),
        ({"SSH_TTY": "/dev/pts/1", "PI_TUI_ESC_TIMEOUT": "400"}, 0.4),
        ({"PI_TUI_ESC_TIMEOUT": "0"}, 0),
        ({"PI_TUI_ESC_TIMEOUT": "soon"}, 0.05),
        ({"PI_TUI_ESC_TIMEOUT": "-1"}, 0.05),
        ({"PI_TUI_ESC_TIMEOUT": "9" * 5000}, 999.999),
    ],
)
def test_how_long_escape_is_waited_for(variables: dict[str, str], seconds: float) -> None:
    assert read_environment(variables).escape_wait == seconds


def test_environment_comes_from_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PI_DEBUG", "1")
    assert read_environment().debug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": 1,\n "b" 2}', "line 2 column"),
        (b"[]", "expected an object, found a list"),
        (b"null", "expected an object, found null"),
        (b'{"a": "\xff"}', "not UTF-8 text, line 1"),
        (b'{"a": 1,}', "line 1"),
        (b'// no\n{"a": 1}', "line 1"),
    ],
)
def test_bad_files_say_where(tmp_path: Path, text: bytes, expected: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        read_document(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == text


def test_missing_empty_and_marked_files(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    assert read_document(path) is None
    path.write_bytes(b" \n")
    assert read_document(path) is None
    path.write_bytes(b'\xef\xbb\xbf{"a": "\\ud83d"}')
    assert read_document(path) == {"a": "\ud83d"}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    with pytest.raises(ConfigError, match="cannot read"):
        read_document(tmp_path / "x.json")


def test_comments_and_trailing_commas() -> None:
    text = b"""// first
    {"url": "http://x//y", // after, with ] and ,}
     "text": "a, ] \\" // b", "list": [1, 2, // last
     ],
    }
    """
    assert parse_document(text, Path("m.json"), relaxed=True) == {
        "url": "http://x//y",
        "text": 'a, ] " // b',
        "list": [1, 2],
    }
    with pytest.raises(ConfigError, match="line 2 column"):
        parse_document(b'// a\n{"b": }', Path("m.json"), relaxed=True)


@given(value=st.dictionaries(st.text(), JSON, max_size=4))
def test_relaxed_reading_changes_no_plain_json(value: dict[str, object]) -> None:
    strict = json.dumps(value).encode()
    assert parse_document(strict, Path("m"), relaxed=True) == value
    commented = strict[:1] + b" // c ,]\n" + strict[1:-1] + (b"," if value else b"") + b"\n}"
    assert parse_document(commented, Path("m"), relaxed=True) == value


@pytest.mark.skipif(os.name == "nt", reason="no permissions to take away")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")
    with pytest.raises(ConfigError, match="cannot read"):
        read_document(path)
