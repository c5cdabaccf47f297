"""Renewing a stored sign-in: alone, refused, and with several processes wanting it."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pi.auth.credentials import Credentials
from pi.auth.renewal import fresh_entry
from pi.auth.store import AuthStore
from pi.errors import AuthError, NetworkError
from pi.wire.model import Model
from tests.auth.authorization_server import Answer, FakeClock, Recorded, Server, around

TOKEN = "/platform.claude.com/v1/oauth/token"
NOW = FakeClock().time


class Rotating:
    """A token endpoint that takes each refresh token once, and ends the sign-in on a second use."""

    def __init__(self, first: str = "R0", pause: float = 0.0) -> None:
        self.valid: str | None = first
        self.pause = pause
        self.count = 0
        self._lock = threading.Lock()

    def __call__(self, request: Recorded) -> Answer:
        with self._lock:
            if request.fields["refresh_token"] != self.valid:
                self.valid = None
                return 400, {"error": "invalid_grant", "error_description": "used twice"}
            self.count += 1
            self.valid = f"R{self.count}"
            answer = {
                "access_token": f"A{self.count}",
                "refresh_token": self.valid,
                "expires_in": 3600,
            }
        time.sleep(self.pause)
        return 200, answer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.json"


def write(path: Path, **fields: Any) -> dict[str, Any]:
    entry = {"type": "oauth", "access": "A0", "refresh": "R0", "expires": NOW - 1, **fields}
    entries = {"anthropic": entry, "groq": {"type": "api_key", "key": "k"}}
    path.write_text(json.dumps(entries))
    path.chmod(0o600)
    return entry


def on_disk(path: Path) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(path.read_text())["anthropic"]
    return entry


def test_a_good_token_is_used_as_it_is(path: Path) -> None:
    entry = write(path, expires=NOW + 31_000)
    before = path.stat().st_mtime_ns
    with Server() as server:
        assert fresh_entry(AuthStore(path), "anthropic", around(server)) == entry
        assert server.requests == []
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("left", [-3_600_000, 0, 29_000])
def test_an_ending_token_is_renewed_and_stored(path: Path, left: int) -> None:
    write(path, expires=NOW + left, kept="yes")
    with Server({TOKEN: Rotating()}) as server:
        entry = fresh_entry(AuthStore(path), "anthropic", around(server))
    assert entry == on_disk(path)
    assert entry == {
        "type": "oauth",
        "access": "A1",
        "refresh": "R1",
        "expires": NOW + 3_300_000,
        "kept": "yes",
    }
    assert json.loads(path.read_text())["groq"] == {"type": "api_key", "key": "k"}
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600
    assert not Path(f"{path}.lock").exists()


def test_credentials_renew_on_the_way(path: Path) -> None:
    write(path)
    model = Model(id="m", provider="anthropic", api="anthropic-messages", base_url="http://x")
    with Server({TOKEN: Rotating()}) as server:
        credentials = Credentials(AuthStore(path), {}, around=around(server))
        assert credentials.has_credential("anthropic")
        for _ in range(2):
            found = credentials.require(model)
            assert found.headers == {"Authorization": "Bearer A1"}
        assert len(server.requests) == 1


def test_another_process_was_faster(path: Path) -> None:
    write(path)
    store = AuthStore(path)
    assert store.get("anthropic") is not None  # the old entry is in memory now
    other = write(path, access="OTHER", refresh="R9", expires=NOW + 1e6)
    with Server({TOKEN: Rotating()}) as server:
        assert fresh_entry(store, "anthropic", around(server)) == other
        assert server.requests == []


def test_a_revoked_sign_in_stays_and_says_what_to_do(path: Path) -> None:
    entry = write(path, refresh="secret-refresh")
    answer = (400, {"error": "invalid_grant", "error_description": "secret-refresh is revoked"})
    with Server({TOKEN: [answer]}) as server:
        with pytest.raises(AuthError, match=r"no longer accepted.*invalid_grant") as caught:
            fresh_entry(AuthStore(path), "anthropic", around(server))
        assert len(server.requests) == 1
    assert caught.value.hint == "Sign in again: pi auth login anthropic"
    assert "secret-refresh" not in str(caught.value)
    assert on_disk(path) == entry
    assert not Path(f"{path}.lock").exists()


def test_a_server_in_trouble_is_asked_again(path: Path) -> None:
    write(path)
    clock = FakeClock()
    good = {"access_token": "A", "refresh_token": "R", "expires_in": 60}
    with Server({TOKEN: [(503, b"x"), (429, {}), (200, good)]}) as server:
        assert fresh_entry(AuthStore(path), "anthropic", around(server, clock))["access"] == "A"
    assert clock.slept == [1, 2]


def test_a_server_that_stays_in_trouble(path: Path) -> None:
    entry = write(path)
    with Server({TOKEN: [(503, b"x")]}) as server:
        with pytest.raises(AuthError, match="HTTP 503") as caught:
            fresh_entry(AuthStore(path), "anthropic", around(server))
        assert len(server.requests) == 3
    assert "Try again" in (caught.value.hint or "")
    assert on_disk(path) == entry


def test_nobody_answers(path: Path) -> None:
    entry = write(path)
    server = Server()
    server.__exit__()
    with pytest.raises(NetworkError):
        fresh_entry(AuthStore(path), "anthropic", around(server))
    assert on_disk(path) == entry


def test_a_token_that_has_not_ended_yet_is_used_when_renewing_fails(path: Path) -> None:
    entry = write(path, expires=NOW + 20_000)
    for answer in ((503, b"x"), (400, {"error": "invalid_grant"})):
        with Server({TOKEN: [answer]}) as server:
            clock = FakeClock()
            clock.sleep = lambda seconds: None  # type: ignore[method-assign]
            assert fresh_entry(AuthStore(path), "anthropic", around(server, clock)) == entry
            assert server.requests


def test_signed_out_meanwhile(path: Path) -> None:
    write(path)
    store = AuthStore(path)
    assert store.get("anthropic") is not None
    path.write_text("{}")
    with Server() as server, pytest.raises(AuthError, match="removed meanwhile"):
        fresh_entry(store, "anthropic", around(server))
    assert path.read_text() == "{}"


def test_without_a_refresh_token(path: Path) -> None:
    write(path, refresh="")
    with Server() as server, pytest.raises(AuthError, match="cannot be renewed"):
        fresh_entry(AuthStore(path), "anthropic", around(server))


def test_a_lock_lost_under_way_does_not_lose_the_tokens(path: Path) -> None:
    """Stopped for long, say: another process took the lock over, and left the entry as it was."""
    write(path)
    lock = Path(f"{os.path.realpath(path)}.lock")

    def answer(request: Recorded) -> Answer:
        lock.rmdir()
        return 200, {"access_token": "A1", "refresh_token": "R1", "expires_in": 60}

    with Server({TOKEN: answer}) as server:
        store = AuthStore(path)
        assert fresh_entry(store, "anthropic", around(server))["access"] == "A1"
    assert on_disk(path)["refresh"] == "R1"


def test_tokens_that_cannot_be_stored_serve_this_process(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = write(path)
    from pi.config import locks
    from pi.errors import ConfigError

    def full(*_: Any, **__: Any) -> None:
        raise ConfigError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(locks, "write_atomically", full)
    with Server({TOKEN: Rotating()}) as server:
        store = AuthStore(path)
        assert fresh_entry(store, "anthropic", around(server))["access"] == "A1"
        assert store.entry("anthropic")["refresh"] == "R1"
    assert on_disk(path) == entry
    assert "lasts for this run only" in caplog.text
    assert "A1" not in caplog.text
    assert "R1" not in caplog.text


RACER = """
import sys, time
from pathlib import Path
from pi.auth.oauth.base import Surroundings
from pi.auth.renewal import fresh_entry
from pi.auth.store import AuthStore
from pi.runtime.network import Sender
from pi.providers.http import HttpOptions

path, address = sys.argv[1:]
sender = Sender(HttpOptions(idle_timeout=20))

def send(method, url, headers, content=b""):
    return sender(method, f"{address}/{url.removeprefix('https://')}", headers, content)

store = AuthStore(Path(path))
store.get("anthropic")
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
sys.stdout.write(fresh_entry(store, "anthropic", Surroundings(send=send))["access"])
"""


def test_processes_never_use_one_refresh_token_twice(path: Path) -> None:
    write(path, expires=1)
    rotating = Rotating(pause=0.2)
    with Server({TOKEN: rotating}) as server:
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACER, str(path), server.address],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("\n")
            racer.stdin.flush()
        said = [racer.communicate(timeout=60)[0] for racer in racers]
        assert [racer.returncode for racer in racers] == [0, 0, 0]
        assert said == ["A1"] * 3
        assert len(server.requests) == 1
    assert (on_disk(path)["access"], on_disk(path)["refresh"]) == ("A1", rotating.valid)


def test_threads_never_do_either(path: Path) -> None:
    write(path)
    model = Model(id="m", provider="anthropic", api="anthropic-messages", base_url="http://x")
    found: list[Any] = []
    with Server({TOKEN: Rotating(pause=0.1)}) as server:
        credentials = Credentials(AuthStore(path), {}, around=around(server))
        threads = [
            threading.Thread(target=lambda: found.append(credentials.require(model).headers))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 1
    assert found == [{"Authorization": "Bearer A1"}] * 4
