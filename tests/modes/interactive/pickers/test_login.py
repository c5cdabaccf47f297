import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.auth.keys import ask_for_key
from pi.auth.oauth import flow_of
from pi.errors import AuthError
from pi.modes.interactive.pickers.login import LoginPanel, PanelPerson
from pi.modes.interactive.pickers.providers import (
    LoginChoice,
    LoginPicker,
    LogoutPicker,
    ProviderRow,
)
from pi.modes.interactive.pickers.stage import Stage
from pi.modes.interactive.pickers.trust import MissingFolderDialog, TrustAnswer, TrustDialog
from tests.auth.authorization_server import FakeClock, Server, around

from .conftest import Done, Loop, golden, press, screen, type_in

ROWS = [
    ProviderRow("anthropic", "Anthropic", account=True, headless=True, stored="account",
                status="signed in"),
    ProviderRow("xai", "xAI", account=True),
    ProviderRow("openai-codex", "OpenAI Codex", account=True, key=False),
    ProviderRow("groq", status="from GROQ_API_KEY"),
    ProviderRow("mock", stored="key", status="API key stored"),
]  # fmt: skip


def test_login_looks(stage: Stage, done: Done) -> None:
    golden(LoginPicker(stage, done, ROWS), "login")


def test_a_key(stage: Stage, done: Done) -> None:
    panel = LoginPicker(stage, done, ROWS)
    type_in(panel, "groq")
    press(panel, "enter")
    assert done.value == LoginChoice("groq", "key")


def test_an_account_with_two_ways(stage: Stage, done: Done) -> None:
    panel = LoginPicker(stage, done, ROWS)
    press(panel, "enter", "escape")
    assert done.values == []
    press(panel, "enter", "down", "enter")
    assert done.value == LoginChoice("anthropic", "account", headless=True)


def test_an_account_with_one_way(stage: Stage, done: Done) -> None:
    press(LoginPicker(stage, done, ROWS), "down", "enter")
    assert done.value == LoginChoice("xai", "account")


def test_one_provider_only(stage: Stage, done: Done) -> None:
    panel = LoginPicker(stage, done, ROWS, provider="xai")
    assert [choice.value for choice in panel.shown] == [("xai", "account"), ("xai", "key")]
    press(panel, "escape")
    assert done.value is None


def test_logout(stage: Stage, done: Done) -> None:
    panel = LogoutPicker(stage, done, ROWS)
    golden(panel, "logout")
    press(panel, "down", "enter")
    assert done.value == "mock"
    assert "Nothing is stored" in screen(LogoutPicker(stage, done, []))


# Steps


class Steps:
    """A panel with a flow in its thread."""

    def __init__(self, stage: Stage, loop: Loop, done: Done, work: Any) -> None:
        self.loop = loop
        self.copied: list[str] = []
        self.opened: list[str] = []
        self.panel = LoginPanel(
            stage, done, "Log in to X", work, copy=self.copied.append, browse=self.opened.append
        )
        self.done = done

    def until(self, text: str = "", *, ended: bool = False) -> str:
        deadline = time.monotonic() + 60
        while True:
            self.loop.run(0.01)
            shown = screen(self.panel)
            if self.done.values if ended else text in shown:
                return shown
            assert time.monotonic() < deadline, shown
            time.sleep(0.002)


@pytest.fixture
def begin(stage: Stage, loop: Loop, done: Done) -> Iterator[Callable[[Any], Steps]]:
    begun: list[Steps] = []

    def begin(work: Any) -> Steps:
        begun.append(Steps(stage, loop, done, work))
        return begun[-1]

    yield begin
    for steps in begun:
        steps.panel.close()
    for thread in threading.enumerate():
        if thread.name == "pi-login":
            thread.join(60)


def test_a_key_is_asked_for_without_showing_it(begin: Callable[[Any], Steps]) -> None:
    steps = begin(lambda person: ask_for_key("groq", person))
    steps.until("API key for groq")
    type_in(steps.panel, "sk-secret")
    shown = steps.until("•••••••••")
    assert "secret" not in shown
    golden(steps.panel, "login-key")
    press(steps.panel, "enter")
    steps.until(ended=True)
    assert steps.done.value == {"type": "api_key", "key": "sk-secret"}


def test_choices_and_several_questions(begin: Callable[[Any], Steps]) -> None:
    steps = begin(lambda person: ask_for_key("google-vertex", person))
    steps.until("How to sign in")
    golden(steps.panel, "login-choices")
    press(steps.panel, "down", "enter")
    steps.until("project ID")
    type_in(steps.panel, "proj")
    press(steps.panel, "enter")
    steps.until("location")
    type_in(steps.panel, "here")
    press(steps.panel, "enter")
    steps.until(ended=True)
    assert steps.done.value["env"] == {
        "GOOGLE_CLOUD_PROJECT": "proj",
        "GOOGLE_CLOUD_LOCATION": "here",
    }


def test_a_digit_chooses(begin: Callable[[Any], Steps]) -> None:
    steps = begin(lambda person: {"took": person.choose("Which?", ["a", "b", "c"])})
    steps.until("Which?")
    press(steps.panel, "9", "3", "enter")
    steps.until(ended=True)
    assert steps.done.value == {"took": 2}


def test_an_empty_answer_cancels(begin: Callable[[Any], Steps]) -> None:
    steps = begin(lambda person: ask_for_key("groq", person))
    steps.until("API key")
    press(steps.panel, "enter")
    steps.until(ended=True)
    assert steps.done.value is None


def test_a_device_code(begin: Callable[[Any], Steps]) -> None:
    answers: list[Any] = [(400, {"error": "authorization_pending"})]
    code = {
        "device_code": "DC",
        "user_code": "ABCD-EFGH",
        "verification_uri": "https://x.example/device",
        "interval": 1,
        "expires_in": 600,
    }
    flow = flow_of("xai")
    assert flow is not None
    with Server(
        {"/auth.x.ai/oauth2/device/code": [(200, code)], "/auth.x.ai/oauth2/token": answers}
    ) as server:
        place = around(server, FakeClock())
        steps = begin(lambda person: flow.sign_in(person, person.around(place), "browser"))
        shown = steps.until("ABCD-EFGH")
        assert "https://x.example/device" in shown
        assert steps.opened == ["https://x.example/device"]
        assert "\x1b]8;;https://x.example/device" in "".join(steps.panel.render(80))
        press(steps.panel, "ctrl+x")
        assert steps.copied == ["https://x.example/device"]
        golden_text = steps.until("Copied.")
        assert "waiting" in golden_text
        answers[:] = [(200, {"access_token": "AT", "refresh_token": "RT", "expires_in": 900})]
        steps.until(ended=True)
    assert steps.done.value["access"] == "AT"


def test_leaving_ends_the_wait(begin: Callable[[Any], Steps]) -> None:
    ended = threading.Event()

    def work(person: PanelPerson) -> Any:
        try:
            person.say("Waiting for you")
            person.sleep(3600)
        finally:
            ended.set()

    steps = begin(work)
    steps.until("Waiting for you")
    press(steps.panel, "escape")
    assert ended.wait(60)
    assert steps.done.value is None


def test_an_answer_that_comes_another_way(begin: Callable[[Any], Steps]) -> None:
    stop = threading.Event()

    def work(person: PanelPerson) -> Any:
        person.show_address("https://x.example/" + "a" * 300, note="Sign in there.")
        return {"pasted": person.paste("Paste the address: ", stop)}

    steps = begin(work)
    steps.until("Paste the address")
    golden(steps.panel, "login-paste")
    type_in(steps.panel, "half an addr")
    stop.set()
    steps.until(ended=True)
    assert steps.done.value == {"pasted": None}


def test_a_pasted_redirect(begin: Callable[[Any], Steps]) -> None:
    steps = begin(lambda person: {"pasted": person.paste("Paste: ", threading.Event())})
    steps.until("Paste:")
    type_in(steps.panel, "http://localhost/?code=1")
    press(steps.panel, "enter")
    steps.until(ended=True)
    assert steps.done.value == {"pasted": "http://localhost/?code=1"}


@pytest.mark.parametrize("error", [AuthError("denied"), RuntimeError("a fault")])
def test_what_goes_wrong_is_the_result(begin: Callable[[Any], Steps], error: Exception) -> None:
    def work(person: PanelPerson) -> Any:
        raise error

    steps = begin(work)
    steps.until(ended=True)
    assert isinstance(steps.done.value, AuthError) and str(error) in str(steps.done.value)


def test_hostile_words_of_a_server(begin: Callable[[Any], Steps]) -> None:
    def work(person: PanelPerson) -> Any:
        person.show_address("https://x\x1b]0;title\x07.example/\x1b[2J", note="a\x1b[2Jb\nc")
        person.sleep(3600)

    steps = begin(work)
    steps.until("c")
    text = "".join(steps.panel.render(80))
    assert "\x1b[2J" not in text and "\x1b]0;" not in text


# Folders


def test_trust_at_the_start(stage: Stage) -> None:
    folder = Path("/home/me/project")
    for digit, answer in enumerate(
        (
            TrustAnswer(True, folder),
            TrustAnswer(True, folder.parent),
            TrustAnswer(True, None),
            TrustAnswer(False, folder),
            TrustAnswer(False, None),
        ),
        1,
    ):
        done = Done()
        panel = TrustDialog(stage, done, folder, found=[".pi/settings.json", ".pi/extensions"])
        golden(panel, "trust")
        press(panel, *["down"] * (digit - 1), "enter")
        assert done.value == answer
        done = Done()
        press(TrustDialog(stage, done, folder), str(digit))
        assert done.value == answer


def test_trust_later(stage: Stage, done: Done) -> None:
    folder = Path("/home/me/project")
    panel = TrustDialog(stage, done, folder, later=True, saved=False, trusted=True)
    golden(panel, "trust-later")
    press(panel, "3")
    assert done.value == TrustAnswer(False, folder)


def test_trust_at_the_root_and_cancelled(stage: Stage, done: Done) -> None:
    panel = TrustDialog(stage, done, Path("/"))
    assert "all of" not in screen(panel)
    press(panel, "escape")
    assert done.value is None


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["enter"], "continue"), (["2"], "fork"), (["up", "enter"], None), (["escape"], None)],
)
def test_a_folder_that_is_gone(stage: Stage, done: Done, keys: list[str], answer: Any) -> None:
    panel = MissingFolderDialog(stage, done, "/home/me/moved", Path("/home/me/now"))
    if keys == ["enter"]:
        golden(panel, "missing-folder")
    press(panel, *keys)
    assert done.value == answer
