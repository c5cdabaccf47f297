"""Sessions as a program has them: on a provider of the test's own, no wire in between."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import pi
from pi.session.store import SessionStore
from tests.scripted_provider import ScriptedProvider
from tests.session.export.test_export_document import parse

Answer = Callable[..., AsyncIterator[Any]]


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(limited())


def said(context: Any) -> str:
    message = [m for m in context.messages if m["role"] == "user"][-1]
    return str(message["content"][0]["text"])


async def echo(model: Any, context: Any, options: Any) -> AsyncIterator[Any]:
    """Says back what was said; "call NAME {…}" calls that tool, and then its result."""
    last = context.messages[-1]
    text = said(context)
    if last["role"] == "toolResult":
        yield "".join(block["text"] for block in last["content"])
    elif text.startswith("call "):
        _, name, arguments = text.split(" ", 2)
        yield pi.Call(name, json.loads(arguments))
    elif text == "for ever":
        while True:
            yield "."
            await asyncio.sleep(0)
    elif text == "fail":
        raise pi.ProviderError("no such luck")
    elif text == "break":
        raise ZeroDivisionError("a fault")
    elif text == "nonsense":
        yield 5
    else:
        yield "You said: "
        yield text


ECHO = pi.Provider("echo", ["e1", {"id": "e2", "reasoning": True, "contextWindow": 1000}], echo)


@pytest.fixture
def choices(home: Path, tmp_path: Path) -> dict[str, Any]:
    project = tmp_path / "project"
    project.mkdir()
    return {"model": "echo/e1", "providers": [ECHO], "cwd": project}


def test_a_prompt_iterated(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices) as session:
            kinds = [event["type"] async for event in session.prompt("hi")]
            assert kinds[0] == "agent_start" and kinds[-1] == "agent_settled"
            assert kinds.count("message_update") == 4
            assert session.last_text == "You said: hi"
            assert [m["role"] for m in session.messages] == ["system", "user", "assistant"]
            assert not session.is_running

    run(work())


def test_a_prompt_awaited(choices: dict[str, Any]) -> None:
    async def work() -> None:
        session = await pi.new_session(**choices, in_memory=True)
        try:
            reply = await session.prompt("hi")
            assert str(reply) == reply.text == "You said: hi"
            assert (reply.stop_reason, reply.aborted) == ("stop", False)
            assert reply.usage["totalTokens"] == 0
            assert session.path is None
        finally:
            await session.close()
        await session.close()

    run(work())


def test_a_loop_that_is_left_and_taken_up_again(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices) as session:
            prompt = session.prompt("hi")
            async for event in prompt:
                if event["type"] == "turn_start":
                    break
            rest = [event["type"] async for event in prompt]
            assert rest[-1] == "agent_settled"
            assert (await prompt).text == "You said: hi"

    run(work())


def test_failures(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices, settings={"retry": {"enabled": False}}) as session:
            with pytest.raises(pi.ReplyError, match="no such luck") as caught:
                await session.prompt("fail")
            assert caught.value.reply.stop_reason == "error"
            assert isinstance(caught.value, pi.PiError)
            with pytest.raises(pi.ReplyError, match="ZeroDivisionError: a fault"):
                await session.prompt("break")
            with pytest.raises(pi.ReplyError, match="yields text, calls or events, not 5"):
                await session.prompt("nonsense")
            # Iterated, a failure is an event like any other.
            events = [event async for event in session.prompt("fail")]
            assert events[-1]["type"] == "agent_settled"
            assert (await session.prompt("hi")).text == "You said: hi"

    run(work())


def test_abort_and_cancel(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices) as session:
            prompt = session.prompt("for ever")
            async for event in prompt:
                if event["type"] == "message_update":
                    with pytest.raises(pi.BusyError):
                        await session.prompt("and now?")
                    break
            await session.abort()
            assert (await prompt).aborted

            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await session.prompt("for ever")
            await session.wait()
            assert not session.is_running

            async def watch() -> None:
                async for _ in session.prompt("for ever"):
                    await asyncio.sleep(0)

            with pytest.raises(TimeoutError):
                await asyncio.wait_for(watch(), 0.1)
            await session.abort()
            assert (await session.prompt("hi")).text == "You said: hi"

    run(work())


def test_closing_ends_what_is_under_way(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices) as session:
            async for event in session.prompt("for ever"):
                if event["type"] == "message_update":
                    break
            path = session.path
        assert path is not None
        with SessionStore.open(path) as store:
            last = store.path_to()[-1]
        assert last["type"] == "message" and last["message"]["role"] == "assistant"
        assert last["message"]["stopReason"] == "aborted"

    run(work())


def test_queues(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices, settings={"steeringMode": "all"}) as session:
            await session.steer("a")
            await session.steer("b")
            await session.follow_up("c")
            assert session.queued == (["a", "b"], ["c"])
            assert session.clear_queue() == (["a", "b"], ["c"])
            await session.follow_up("later")
            seen: list[str] = []
            forget = session.subscribe(lambda event: seen.append(event["type"]))
            await session.prompt("first")
            forget()
            assert session.last_text == "You said: later"
            assert "queue_update" in seen

    run(work())


# Tools


@pi.tool
def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    Args:
        a: the first
        b: the second
    """
    return a + b


@pi.tool(name="where", snippet="say where", rules=["Use where."], sequential=True)
async def place(context: pi.ToolContext) -> dict[str, str]:
    """Say where we are."""
    context.update(pi.ToolResult([{"type": "text", "text": "looking"}]))
    return {"cwd": str(context.cwd)}


@pi.tool
async def refuse(why: str) -> None:
    """Fail."""
    raise pi.ToolError(why)


def test_what_a_decorated_function_is() -> None:
    assert add(2, 3) == 5
    assert add.name == "add"
    assert add.description == "Add two numbers."
    assert add.parameters == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "the first"},
            "b": {"type": "integer", "description": "the second"},
        },
        "required": ["a"],
    }
    assert (place.name, place.snippet, place.rules) == ("where", "say where", ("Use where.",))
    assert place.parameters["properties"] == {}
    assert place.sequential is True


def test_functions_that_cannot_be_tools() -> None:
    def untyped(a) -> None:  # type: ignore[no-untyped-def]
        """Takes anything."""

    def undocumented(a: int) -> None:
        return

    def strange(a: set[int]) -> None:
        """Takes what JSON has not."""

    for function, text in (
        (untyped, "the parameter a needs a type"),
        (undocumented, "has no description"),
        (strange, "no type of JSON values"),
    ):
        with pytest.raises(pi.ConfigError, match=text):
            pi.tool(function)
    given = pi.tool(parameters={"type": "object"}, description="Anything.")(untyped)
    assert given.parameters == {"type": "object"}


def test_tools_are_declared_checked_and_run(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices, tools=["read", add, place, refuse]) as session:
            assert session.tools == ("read", "add", "where", "refuse")
            assert (await session.prompt('call add {"a": "2"}')).text == "3"
            assert str(choices["cwd"]) in (await session.prompt("call where {}")).text
            assert (await session.prompt('call refuse {"why": "no"}')).text == "no"
            assert "Arguments do not fit" in (await session.prompt("call add {}")).text
            results = [m for m in session.messages if m["role"] == "toolResult"]
            assert [m["isError"] for m in results] == [False, False, True, True]
            declared = session.messages[0]
            assert declared["role"] == "system"
            assert [t["name"] for t in declared["toolsAdded"]] == list(session.tools)
            session.set_tools(["add"])
            assert session.tools == ("add",)
            assert "no tool named" in (await session.prompt("call where {}")).text

    run(work())


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        (["+grep", "-bash", add], ("read", "edit", "write", "grep", "add")),
        ([add], ("add",)),
        ([], ()),
        (["*", add], ("read", "bash", "edit", "write", "grep", "find", "ls", "add")),
    ],
)
def test_which_tools_are_on(
    choices: dict[str, Any], tools: list[Any], names: tuple[str, ...]
) -> None:
    async def work() -> None:
        async with pi.new_session(**choices, tools=tools, in_memory=True) as session:
            assert session.tools == names

    run(work())


# Sessions


def test_sessions_are_continued_opened_forked_and_branched(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices, name="one", id="my-id") as session:
            assert (session.id, session.name, session.cwd) == ("my-id", "one", choices["cwd"])
            await session.prompt("first")
            await session.prompt("second")
            path = session.path
            with pytest.raises(pi.SessionError):
                await pi.open_session(str(path), **choices)
        assert path is not None and path.exists()

        async with pi.continue_session(**choices) as session:
            assert session.path == path
            first = next(
                e["id"]
                for e in session.entries()
                if e["type"] == "message" and e["message"]["role"] == "user"
            )
            moved = await session.navigate(first, label="start")
            assert moved.text == "first"
            await session.prompt("instead")
            assert [m["role"] for m in session.messages].count("user") == 1
            session.label(first, None)
            assert await session.fork(first) == "first"
            assert session.path != path
            await session.switch(path)
            assert session.last_text == "You said: instead"
            await session.clone()
            assert session.last_text == "You said: instead"
            await session.renew()
            assert session.last_text == ""

        async with pi.open_session("my-i", **choices) as session:
            assert session.id == "my-id"
        async with pi.fork_session(path, **choices) as session:
            assert session.id != "my-id" and session.last_text == "You said: instead"
            page = await session.export_html("talk.html")
            assert page == choices["cwd"] / "talk.html" and b"instead" in page.read_bytes()
            shown = parse(page).index["leaf"]
            await session.navigate(first)
            assert parse(await session.export_html("talk.html")).index["leaf"] < shown
            copy = await session.export_jsonl("copy.jsonl")
        async with pi.open_session(copy, **choices) as session:
            assert session.last_text == "You said: instead"
            assert session.leaf is not None
            assert session.statistics()["userMessages"] == 3

    run(work())


def test_shell_and_compaction(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices) as session:
            out: list[str] = []
            done = await session.shell("echo hi", on_output=out.append)
            assert (done["output"], out) == ("hi\n", ["hi\n"])
            with pytest.raises(pi.PiError, match="nothing to compact"):
                await session.compact()

    run(work())


# Models, keys and settings


def test_models(choices: dict[str, Any]) -> None:
    async def work() -> None:
        async with pi.new_session(**choices) as session:
            assert [m.reference for m in session.models()] == ["echo/e1", "echo/e2"]
            assert session.set_model("e2:high").context_window == 1000
            assert session.thinking == "high"
            assert session.set_thinking("low") == "low"
            assert session.model is not None and session.model.id == "e2"
            with pytest.raises(pi.ModelError):
                session.set_model("nope/none")
            with pytest.raises(pi.AuthError):
                session.set_model("anthropic/claude-sonnet-4-5")

    run(work())


def test_a_virtual_model(choices: dict[str, Any]) -> None:
    asked: list[pi.RouteRequest] = []

    def route(request: pi.RouteRequest) -> pi.Route:
        asked.append(request)
        return pi.Route("echo/e2" if request.thinking == "high" else "echo/e1", "high", len(asked))

    auto = pi.VirtualModel("auto", "any", route, thinking_levels=("low", "high"))

    async def work() -> None:
        mine = {**choices, "model": "auto/any:low", "virtual_models": [auto]}
        async with pi.new_session(**mine) as session:
            first = await session.prompt("one")
            session.set_thinking("high")
            second = await session.prompt("two")
            assert session.model is not None and session.model.reference == "auto/any"
        answers = [(m["model"], m["thinkingLevel"]) for m in (first.message, second.message)]
        assert answers == [("e1", "off"), ("e2", "high")]

    run(work())
    assert [(r.reason, r.state) for r in asked] == [("user", None), ("user", 1)]
    assert asked[1].previous is not None and asked[1].previous.model.id == "e1"


def test_a_server_and_keys_that_are_given(choices: dict[str, Any]) -> None:
    async def work(server: ScriptedProvider) -> None:
        local = pi.Provider(
            "local", ["l1"], base_url=server.url, api="anthropic-messages", api_key="from-provider"
        )
        given = {**choices, "providers": [local], "model": "local/l1", "in_memory": True}
        async with pi.new_session(**given) as session:
            assert (await session.prompt("hi")).text == "hello"
        async with pi.new_session(**given, keys={"local": "by-name"}) as session:
            await session.prompt("hi")
        async with pi.new_session(**given, api_key="for-any") as session:
            await session.prompt("hi")
        keys = [request.headers["x-api-key"] for request in server.requests]
        assert keys == ["from-provider", "by-name", "for-any"]

    with ScriptedProvider([{"blocks": [{"text": "hello"}]}]) as server:
        run(work(server))


def test_instructions_settings_and_folders(choices: dict[str, Any], tmp_path: Path) -> None:
    async def work() -> None:
        (choices["cwd"] / "AGENTS.md").write_text("Mind the gap.\n")
        given = {**choices, "agent_dir": tmp_path / "agent", "session_dir": tmp_path / "kept"}
        async with pi.new_session(
            **given,
            system_prompt="You are a parrot.",
            append_system_prompt="Always.",
            settings={"defaultTools": ["read"], "defaultThinkingLevel": "off"},
        ) as session:
            await session.prompt("hi")
            system = json.dumps(session.messages[0])
            assert all(text in system for text in ("a parrot", "Always.", "Mind the gap."))
            assert session.tools == ("read",)
            assert session.path is not None and session.path.parent == tmp_path / "kept"
        async with pi.new_session(**given, context_files=False) as session:
            await session.prompt("hi")
            assert "Mind the gap." not in json.dumps(session.messages[0])
        assert not (tmp_path / "agent" / "sessions").exists()

    run(work())


def test_choices_that_are_wrong(choices: dict[str, Any]) -> None:
    async def work() -> None:
        with pytest.raises(TypeError, match="modle"):
            await pi.new_session(modle="x")  # type: ignore[call-arg]
        with pytest.raises(pi.ConfigError, match=r"retry\.enabled"):
            await pi.new_session(**choices, settings={"retry": {"enabled": "no"}})
        with pytest.raises(pi.ModelError):
            await pi.new_session(**{**choices, "model": "nope/none"})
        with pytest.raises(pi.ConfigError, match="it needs stream, or base_url and api"):
            await pi.new_session(**{**choices, "providers": [pi.Provider("p", ["m"])]})
        bad = pi.Provider("p", [{"id": "m", "contextWindow": "x"}], echo)
        with pytest.raises(pi.ConfigError, match="contextWindow"):
            await pi.new_session(**{**choices, "providers": [bad]})
        with pytest.raises(pi.SessionError):
            await pi.open_session("no-such-id", **choices)
        async with pi.new_session(cwd=choices["cwd"], in_memory=True) as session:
            assert session.model is None
            with pytest.raises(pi.AuthError, match="no model can be used"):
                await session.prompt("hi")
            with pytest.raises(pi.AuthError):
                async for _ in session.prompt("hi"):
                    pass

    run(work())


def test_images(choices: dict[str, Any], tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.png"
    Image.new("RGB", (3, 3)).save(path)
    block = pi.image(path)
    assert block == pi.image(path.read_bytes())
    with pytest.raises(pi.PiError, match="no image"):
        pi.image(b"nothing of the kind")

    async def work() -> None:
        async with pi.new_session(**choices, in_memory=True) as session:
            await session.prompt("look", [block])
            content = session.messages[1]["content"]  # type: ignore[typeddict-item]
            assert [part["type"] for part in content] == ["text", "image"]  # type: ignore[index]

    run(work())


@pytest.mark.parametrize("saved", [True, False])
def test_lines_of_a_session_are_copied_as_they_are(choices: dict[str, Any], saved: bool) -> None:
    async def work() -> None:
        async with pi.new_session(**choices, in_memory=not saved) as session:
            if saved:
                with pytest.raises(pi.SessionError, match="nothing to export"):
                    await session.export_html("early.html")
            await session.prompt("hi")
            await session.export_jsonl("copy.jsonl")
            await session.prompt("more")
            copy = await session.export_jsonl("copy.jsonl")
            with pytest.raises(pi.SessionError, match="is a folder"):
                await session.export_jsonl(choices["cwd"])
            if saved:
                assert session.path is not None
                assert copy.read_bytes() == session.path.read_bytes()
        if os.name == "posix":
            assert copy.stat().st_mode & 0o77 == 0, "nobody else's to read"
        async with pi.open_session(copy, **choices) as session:
            assert session.last_text == "You said: more"

    run(work())


def test_sessions_are_listed_and_searched(choices: dict[str, Any], tmp_path: Path) -> None:
    async def work() -> None:
        here: pi.Place = {"cwd": choices["cwd"]}
        other: pi.Place = {"cwd": tmp_path}
        assert await pi.list_sessions(**here) == []
        async with pi.new_session(**choices, name="birds") as session:
            await session.prompt("about parrots")
            await session.prompt("and owls")
            path, first = session.path, session.questions()[0]
            # Also while it is open.
            (info,) = await pi.list_sessions(**here)
        assert first[1] == "about parrots"
        assert (info.path, info.title, info.name, info.messages) == (path, "birds", "birds", 5)
        assert info.cwd == choices["cwd"] and info.id == session.id
        assert info.used.tzinfo is not None
        async with pi.new_session(**{**choices, "cwd": tmp_path}) as session:
            await session.prompt("nothing about PARROTS here")

        (found,) = await pi.search_sessions("parrot", **here)
        assert (found.path, found.excerpt, found.entry) == (path, "about parrots", first[0])
        (found,) = await pi.search_sessions('"about parrots"', **other)
        assert found.title == "nothing about PARROTS here" == found.excerpt
        both = await pi.search_sessions("parrots", everywhere=True, **here)
        assert {one.path for one in both} == {path, found.path}
        assert len(await pi.search_sessions("parrots", everywhere=True, limit=1, **here)) == 1
        assert [one.path for one in await pi.list_sessions(everywhere=True)] == [found.path, path]
        async with pi.open_session(both[0].path, **{**choices, "cwd": tmp_path}) as session:
            assert "parrots" in session.questions()[0][1].lower()

        with pytest.raises(pi.SessionError, match="no word to search for"):
            await pi.search_sessions(" ", **here)
        with pytest.raises(TypeError, match="unexpected: model"):
            await pi.list_sessions(model="m")  # type: ignore[call-arg]
        elsewhere = tmp_path / "agent"
        assert await pi.list_sessions(everywhere=True, agent_dir=elsewhere, **here) == []
        (elsewhere / "sessions" / "x").mkdir(parents=True)
        (elsewhere / "sessions" / "x" / "bad.jsonl").write_text("garbage\n")
        assert await pi.list_sessions(everywhere=True, agent_dir=elsewhere, **here) == []

    run(work())


@pytest.mark.parametrize("how", ["fails", "cancelled", "left", "ended"])
def test_a_block_ends_its_run(choices: dict[str, Any], how: str) -> None:
    """As with a socket that the events go to, which breaks or whose task is cancelled."""

    async def send(session: pi.Session) -> None:
        async with session.prompt("hi" if how == "ended" else "for ever") as run:
            async for event in run:
                if event["type"] != "message_update" or how == "ended":
                    continue
                if how == "fails":
                    raise ConnectionResetError
                if how == "left":
                    break
                await asyncio.sleep(60)

    async def work() -> None:
        async with pi.new_session(**choices) as session:
            task = asyncio.create_task(send(session))
            if how == "cancelled":
                while session.messages[-1:] == [] or session.messages[-1]["role"] != "user":
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)
                task.cancel()
            _, failure = await asyncio.gather(asyncio.sleep(0), task, return_exceptions=True)
            expected = {"fails": ConnectionResetError, "cancelled": asyncio.CancelledError}
            assert type(failure) is expected.get(how, type(None))
            assert not session.is_running
            message = session.messages[-1]
            assert message["role"] == "assistant"
            assert message["stopReason"] == ("stop" if how == "ended" else "aborted")
            assert (await session.prompt("and now?")).text == "You said: and now?"

    run(work())
