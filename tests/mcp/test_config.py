"""mcp.json: what is read, what is refused, and how it is changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from pi.config.environment import read_environment
from pi.config.paths import Paths, find_paths
from pi.errors import ConfigError
from pi.mcp.config import (
    Server,
    Servers,
    add_server,
    change_server,
    load_servers,
    project_file,
    remove_server,
    user_file,
)
from pi.mcp.shapes import problem_of


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    work = tmp_path / "work"
    work.mkdir()
    return find_paths(read_environment(), work)


def put(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def load(paths: Paths, user: Any = None, project: Any = None, *, trusted: bool = True) -> Servers:
    if user is not None:
        put(user_file(paths), user)
    if project is not None:
        put(project_file(paths), project)
    return load_servers(paths, trusted=trusted)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, 'needs "command"'),
        (3, "expected an object"),
        ({"type": "sse", "url": "http://a/sse"}, "SSE"),
        ({"type": "other", "url": "http://a"}, "needs"),
        ({"type": "http", "command": "x"}, "needs"),
        ({"command": "x", "args": "y"}, "args: expected a list"),
        ({"command": "x", "args": [1]}, "args[0]: expected a string"),
        ({"command": "x", "env": {"A": 1}}, "env.A: expected a string"),
        ({"url": "ftp://x"}, "url: expected an http"),
        ({"url": "http://a:x/"}, "url: expected an http"),
        ({"command": "x", "exposure": "loud"}, "exposure: expected"),
        ({"command": "x", "toolExposure": {"a": "loud"}}, "toolExposure.a: expected"),
        ({"command": "x", "timeout": 0}, "timeout: expected a number above 0"),
        ({"command": "x", "enabled": "no"}, "enabled: expected true or false"),
        ({"url": "http://a", "oauth": {"callbackPort": 70000}}, "oauth.callbackPort"),
        ({"url": "http://a", "oauth": {"callbackUrl": "https://a/b"}}, "oauth.callbackUrl"),
        ({"url": "http://a", "oauth": {"callbackUrl": "http://localhost/b?c"}}, "callbackUrl"),
        ({"url": "http://a", "oauth": {"authServerMetadataUrl": "http://a"}}, "https URL"),
        ({"url": "http://a", "oauth": {"clientRegistration": "cimd", "clientId": "a"}}, "neither"),
        ({"url": "http://a/", "auth": {"provider": "x"}}, "auth needs an https URL"),
        ({"url": "https://a/", "auth": {}}, "auth.provider: missing"),
    ],
)
def test_refused_entries(entry: Any, says: str) -> None:
    problem = problem_of("s", entry)
    assert problem is not None and says in problem and 'server "s"' in problem


@pytest.mark.parametrize("name", ["", "a b", "é", "a.b"])
def test_refused_names(name: str) -> None:
    assert "invalid server name" in str(problem_of(name, {"command": "x"}))


def test_bad_entries_do_not_keep_others_out(paths: Paths) -> None:
    found = load(paths, {"mcpServers": {"bad": {}, "good": {"command": "x"}}})
    assert [each.name for each in found.servers] == ["good"]
    (error,) = found.errors
    assert error.startswith(f'{user_file(paths)}: server "bad"')


@pytest.mark.parametrize("text", ["{", "[]", '{"mcpServers": []}', '{"mcpServers": 5}'])
def test_bad_files_are_named(paths: Paths, text: str) -> None:
    found = load(paths, text)
    (error,) = found.errors
    assert str(user_file(paths)) in error


def test_a_byte_order_mark_and_nothing_are_fine(paths: Paths) -> None:
    assert load(paths, '\ufeff{"mcpServers": {"a": {"command": "x"}}}').find("a") is not None
    assert load(paths, "").servers == ()


def test_names_that_cannot_be_told_apart(paths: Paths) -> None:
    found = load(paths, {"mcpServers": {"a-b": {"command": "x"}, "a_b": {"command": "y"}}})
    assert [each.name for each in found.servers] == ["a-b"]
    assert len(found.errors) == 1


def test_a_project_replaces_overrides_and_is_not_read_untrusted(paths: Paths) -> None:
    user = {
        "mcpServers": {
            "a": {"command": "x", "env": {"K": "v"}, "toolExposure": {"t": "direct"}},
            "b": {"command": "y"},
        }
    }
    project = {
        "mcpServers": {
            "a": {"enabled": False, "exposure": "direct", "timeout": 3},
            "b": {"url": "http://b/"},
            "c": {"enabled": True},
            "d": {"url": "https://d/", "auth": {"provider": "p"}},
        },
        "autoEnableCodemode": False,
    }
    found = load(paths, user, project)
    a, b = found.servers
    assert (a.enabled, a.exposure, a.timeout, a.scope) == (False, "direct", 60, "global")
    assert a.entry["env"] == {"K": "v"}
    assert a.override == str(project_file(paths))
    assert (b.scope, b.url) == ("project", "http://b/")
    assert [('server "c"' in e, 'server "d"' in e) for e in found.errors] == [
        (True, False),
        (False, True),
    ]
    assert not found.auto_codemode
    plain = load_servers(paths, trusted=False)
    assert plain.auto_codemode and not plain.errors
    assert plain.servers[1].url is None


def test_exposure_of_tools() -> None:
    chosen = {"get_*": "codemode", "get_all": "hidden", "*": "deferred"}
    server = Server("s", {"command": "x", "exposure": "direct", "toolExposure": chosen})
    assert server.exposure_of("get_all") == "hidden"
    assert server.exposure_of("get_one") == "codemode"
    assert server.exposure_of("other") == "deferred"
    assert Server("s", {"command": "x"}).exposure_of("t") == "codemode"


def test_aliases(paths: Paths) -> None:
    entry = {"command": "x", "exposure": "codemode-deferred"}
    assert load(paths, {"mcpServers": {"a": entry}}).servers[0].exposure == "codemode"


TEXT = """{
    "other": [1, 2],
    "mcpServers": {
        "a": {"command": "x", "exposure": "direct"}
    }
}
"""


def test_changes_keep_the_rest_of_the_file(paths: Paths) -> None:
    path = user_file(paths)
    put(path, TEXT)
    assert not add_server(path, "b", {"url": "http://b/"})
    assert add_server(path, "b", {"url": "http://c/"})
    assert path.read_text().startswith(TEXT[: TEXT.index("\n    }\n}")])
    assert remove_server(path, "b")
    assert not remove_server(path, "b")
    assert path.read_text() == TEXT
    (server,) = load_servers(paths, trusted=True).servers
    change_server(server, {"exposure": "codemode", "enabled": False})
    entry = json.loads(path.read_text())["mcpServers"]["a"]
    assert entry == {"command": "x", "enabled": False}
    change_server(server, {"enabled": True})
    assert json.loads(path.read_text())["mcpServers"]["a"] == {"command": "x"}


def test_a_change_for_the_project(paths: Paths) -> None:
    put(user_file(paths), TEXT)
    (server,) = load_servers(paths, trusted=True).servers
    change_server(server, {"enabled": False}, project_file(paths))
    assert user_file(paths).read_text() == TEXT
    (server,) = load_servers(paths, trusted=True).servers
    assert not server.enabled and server.override == str(project_file(paths))
    change_server(server, {"enabled": True})
    written = json.loads(project_file(paths).read_text())
    assert written == {"mcpServers": {"a": {"enabled": True}}}


def test_a_file_that_cannot_be_read_is_not_written(paths: Paths) -> None:
    path = user_file(paths)
    put(path, "{broken")
    with pytest.raises(ConfigError):
        add_server(path, "a", {"command": "x"})
    assert path.read_text() == "{broken"
