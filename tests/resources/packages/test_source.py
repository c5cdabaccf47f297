"""Sources of packages, as people write them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi.config.paths import Paths
from pi.errors import ConfigError
from pi.resources.packages.places import Places
from pi.resources.packages.source import (
    GitSource,
    LocalSource,
    NpmSource,
    PipSource,
    distribution_name,
    identity,
    parse_source,
)

BASE, HOME = Path("/base"), Path("/home/me")


@pytest.mark.parametrize(
    ("text", "name", "version", "pinned"),
    [
        ("npm:tools", "tools", None, False),
        ("npm: @team/tools ", "@team/tools", None, False),
        ("npm:@team/tools@1.2.3", "@team/tools", "1.2.3", True),
        ("npm:tools@1.2.3-rc.1+x", "tools", "1.2.3-rc.1+x", True),
        ("npm:tools@^1.2", "tools", "^1.2", False),
        ("npm:tools@>=1 <2", "tools", ">=1 <2", False),
        ("npm:tools@latest", "tools", "latest", False),
    ],
)
def test_npm(text: str, name: str, version: str | None, pinned: bool) -> None:
    source = parse_source(text)
    assert isinstance(source, NpmSource)
    assert (source.name, source.version, source.pinned) == (name, version, pinned)


@pytest.mark.parametrize(
    ("text", "repo", "place", "ref"),
    [
        ("git:github.com/a/b", "https://github.com/a/b", "github.com/a/b", None),
        ("git:github.com/a/b@v1", "https://github.com/a/b", "github.com/a/b", "v1"),
        ("git:github.com/a/b.git", "https://github.com/a/b.git", "github.com/a/b", None),
        ("git:a/b", "https://github.com/a/b", "github.com/a/b", None),
        ("git:github:a/b@x/y", "https://github.com/a/b", "github.com/a/b", "x/y"),
        ("git:git@host.org:a/b", "git@host.org:a/b", "host.org/a/b", None),
        ("git:git@host.org:a/b.git@v2", "git@host.org:a/b.git", "host.org/a/b", "v2"),
        ("https://host.org/a/b/c.git", "https://host.org/a/b/c.git", "host.org/a/b/c", None),
        ("https://host.org:81/a/b@v1", "https://host.org:81/a/b", "host.org/a/b", "v1"),
        ("https://me:pw@host.org/a/b", "https://me:pw@host.org/a/b", "host.org/a/b", None),
        ("https://github.com/a/b#dev", "https://github.com/a/b", "github.com/a/b", "dev"),
        ("https://github.com/a/b/tree/dev", "https://github.com/a/b", "github.com/a/b", "dev"),
        ("ssh://git@host.org/a/b@v1", "ssh://git@host.org/a/b", "host.org/a/b", "v1"),
        ("git://host.org/a/b/", "git://host.org/a/b", "host.org/a/b", None),
        ("git:https://host.org/a/b", "https://host.org/a/b", "host.org/a/b", None),
        ("git:localhost/a/b", "https://localhost/a/b", "localhost/a/b", None),
        (
            "https://gist.host.org/12ab@34cd",
            "https://gist.host.org/12ab",
            "gist.host.org/12ab",
            "34cd",
        ),
        ("git:gist.host.org/12ab", "https://gist.host.org/12ab", "gist.host.org/12ab", None),
    ],
)
def test_git(text: str, repo: str, place: str, ref: str | None) -> None:
    source = parse_source(text)
    assert isinstance(source, GitSource)
    assert (source.repo, f"{source.host}/{source.path}", source.ref) == (repo, place, ref)


@pytest.mark.parametrize(
    ("text", "name", "limits", "pinned"),
    [
        ("pip:tools", "tools", "", False),
        ("pip:Team_Tools.x==1.2", "team-tools-x", "==1.2", True),
        ("pip:tools[extra, more]>=1,<2", "tools", ">=1,<2", False),
        ("pip:tools ~= 1.0", "tools", "~= 1.0", False),
        ("pip:tools==1.*", "tools", "==1.*", False),
    ],
)
def test_pip(text: str, name: str, limits: str, pinned: bool) -> None:
    source = parse_source(text)
    assert isinstance(source, PipSource)
    assert (source.name, source.limits, source.pinned) == (name, limits, pinned)


@pytest.mark.parametrize("text", ["./x", "x", "/x/y", "~/x", "C:\\x", "file:///x", "../a b"])
def test_paths(text: str) -> None:
    assert parse_source(text) == LocalSource(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "a\0b", "npm:", "npm:@x", "npm:-x", "npm:../x", "npm:a/b", "npm:a b", "npm:.x"),
        *(
            "pip:",
            "pip:-r",
            "pip:a @ https://x",
            "pip:a; os_name",
            "pip:a/b",
            "pip:a b",
            "pip:a==1 -r",
        ),
        *("git:", "git:x", "git:-x/y/z", "git:host.org/a", "git:host.org/a/../../b", "git:../x"),
        *("https://host.org/a", "https:///a/b", "https://host.org/a/%2e%2e/%2e%2e/b", "https://[x"),
        *("git:git@-host:a/b", "git:host.org/a/b@--upload-pack=x", "git:host.org/-a/b"),
        *("https://host.org/a/b#-x", "git:host.org/a\\b/c", "git:ext::sh -c x/y/z"),
    ],
)
def test_nonsense(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_source(text)


@pytest.mark.parametrize(
    "same",
    [
        ["npm:a", "npm:a@1.0.0", "npm:a@^2"],
        ["git:host.org/a/b", "https://host.org/a/b.git", "git:git@host.org:a/b@v1"],
        ["pip:A_b", "pip:a-b==1", "pip:a.b[x]>2"],
        ["./x", "x/", "/base/x", "y/../x", "file:///base/x"],
        ["~/x", "/home/me/x"],
    ],
)
def test_identity(same: list[str]) -> None:
    assert len({identity(parse_source(text), BASE, HOME) for text in same}) == 1


def test_places_are_those_of_the_reference() -> None:
    agent = Path("/home/me/.pi/agent")
    places = Places(Paths(agent=agent, cwd=Path("/project"), home=HOME))

    def place(text: str, scope: str) -> str:
        return str(places.installed(parse_source(text), scope))  # type: ignore[arg-type]

    assert place("npm:@a/b@1", "user") == f"{agent}/npm/node_modules/@a/b"
    assert place("npm:a", "project") == "/project/.pi/npm/node_modules/a"
    assert place("git:h.org/a/b@v1", "user") == f"{agent}/git/h.org/a/b"
    assert place("./x", "user") == f"{agent}/x"
    assert place("./x", "project") == "/project/.pi/x"
    assert place("./x", "temporary") == "/project/x"
    temporary = f"{agent}/tmp/extensions"
    assert place("npm:a", "temporary") == f"{temporary}/npm/f35b2129/node_modules/a"
    assert place("git:h.org/a/b@v1", "temporary") == f"{temporary}/git-h.org/42929e72/a/b"


@given(st.text(st.sampled_from("npmgitp:@/.-a~#%2e\\ "), max_size=14))
def test_nothing_leaves_its_folder(text: str) -> None:
    places = Places(Paths(agent=Path("/agent"), cwd=Path("/project"), home=HOME))
    try:
        source = parse_source(text)
    except ConfigError:
        return
    if not isinstance(source, LocalSource):
        assert places.installed(source, "user").is_relative_to(places.root(source, "user"))
        assert ".." not in places.installed(source, "temporary").parts


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Pi_coding.agent-py>=0.1", "pi-coding-agent-py"),
        (" a [x] ; y", "a"),
        ("-r x", ""),
        ("", ""),
    ],
)
def test_names_of_distributions(requirement: str, name: str) -> None:
    assert distribution_name(requirement) == name
