import pytest


@pytest.fixture
def project(run, put):
    put(".gitignore", "node_modules/\n*.log\n")
    for name in (
        "src/a.ts",
        "src/c.js",
        "src/deep/b.ts",
        "node_modules/p/i.js",
        ".hidden/h.txt",
        ".env",
        "x.log",
        "Upper.TXT",
        "upper2.txt",
        "Cap/Src/A.ts",
    ):
        put(name)
    (run.cwd / ".git").mkdir()
    put(".git/HEAD")
    return run


def names(run, pattern: str, **args) -> list[str]:
    text = run("find", pattern=pattern, **args).text
    return [] if text.startswith("No files") else text.split("\n")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.ts", ["Cap/Src/A.ts", "src/a.ts", "src/deep/b.ts"]),
        ("**/*.ts", ["Cap/Src/A.ts", "src/a.ts", "src/deep/b.ts"]),
        ("src/*.js", ["src/c.js"]),
        ("src/*.ts", ["Cap/Src/A.ts", "src/a.ts"]),  # no capitals: case does not count
        ("Src/*.ts", ["Cap/Src/A.ts"]),
        ("./src/*.ts", []),
        ("src/", []),
        ("deep", ["src/deep/"]),
        ("src/deep/**", ["src/deep/b.ts"]),
        ("**/deep/*", ["src/deep/b.ts"]),
        ("*.{js,txt}", [".hidden/h.txt", "Upper.TXT", "src/c.js", "upper2.txt"]),
        ("[!a].ts", ["src/deep/b.ts"]),
        ("?.js", ["src/c.js"]),
        ("upper*", ["Upper.TXT", "upper2.txt"]),
        ("Upper*", ["Upper.TXT"]),
        (".*", [".env", ".git/", ".gitignore", ".hidden/"]),
        ("HEAD", [".git/HEAD"]),
        ("*.log", []),
        ("i.js", []),
        ("/src/*.ts", []),
        ("src/{c,deep/b}.{js,ts}", ["src/c.js", "src/deep/b.ts"]),
    ],
)
def test_patterns(project, pattern: str, expected: list[str]) -> None:
    assert names(project, pattern) == expected


def test_folders_are_marked_and_paths_relative(project) -> None:
    ran = project("find", pattern="*", path="src")
    assert ran.text == "a.ts\nc.js\ndeep/\ndeep/b.ts"
    assert ran.details is None
    assert names(project, "deep/*.ts", path="src") == ["deep/b.ts"]
    assert names(project, "src/*.ts", path="src") == ["a.ts"]
    assert names(project, f"{project.cwd.as_posix()}/src/*.ts") == ["src/a.ts"]


def test_an_ignored_folder_can_be_asked_for(project) -> None:
    assert names(project, "*", path="node_modules") == ["p/", "p/i.js"]


def test_gitignore_counts_outside_a_repository(run, put) -> None:
    put("plain/.gitignore", "*.log\n")
    put("plain/a.log")
    put("plain/b")
    assert names(run, "*", path="plain") == [".gitignore", "b"]


@pytest.mark.parametrize(
    ("limit", "shown", "reached"),
    [(2.9, 2, True), (0, 1, True), (-1, 1, True), ("3", 3, True), (4, 4, False), (5, 4, False)],
)
def test_limits(run, put, limit, shown: int, reached: bool) -> None:
    for number in range(4):
        put(f"{number}.dat")
    ran = run("find", pattern="*.dat", limit=limit)
    assert sum(line.endswith(".dat") for line in ran.text.split("\n")) == shown
    assert ran.details == ({"resultLimitReached": shown} if reached else None)


def test_much_output_is_cut_at_50_kb(run, put) -> None:
    for number in range(260):
        put(f"{'x' * 240}{number:03}")
    ran = run("find", pattern="x*")
    assert list(ran.details) == ["truncation"]
    assert ran.details["truncation"]["outputLines"] == 209
    assert "50.0KB" in ran.text


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"pattern": "["}, "Not a glob: '[': "),
        ({"pattern": "{a"}, "closed"),
        ({"pattern": "(a){" * 200}, "deep"),
        ({"pattern": "*", "path": "missing"}, "missing"),
        ({"pattern": "*", "path": "upper2.txt"}, "Not a folder"),
    ],
)
def test_errors(project, args, reason: str) -> None:
    ran = project("find", **args)
    assert ran.is_error
    assert reason in ran.text


def test_links_are_listed_not_followed(run, put) -> None:
    put("real/a")
    try:
        (run.cwd / "link").symlink_to("real")
    except OSError:
        pytest.skip("no symbolic links here")
    assert names(run, "*") == ["link", "real/", "real/a"]
