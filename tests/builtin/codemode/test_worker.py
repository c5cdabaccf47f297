"""Scripts that do harm, and processes that must be gone afterwards."""

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from pi.builtin.codemode import worker as module
from pi.builtin.codemode.worker import answer, worker
from pi.extensions import ToolFailure
from tests.waiting import is_alive

pytest.importorskip("_quickjs")

LIMITS = {"value": 1000, "values": 2000}
ENDLESS = (
    "while (true) {}",
    "await tools.wait({}); for (;;) try { for (;;) {} } catch {}",
    "const f = () => Promise.resolve().then(f); await f()",
    "/(x+x+)+y/.test('x'.repeat(64))",
    "while (true) tools.wait({});",
)


def setup(source: str) -> Mapping[str, Any]:
    return {
        "source": source,
        "tools": {"wait": "wait", "echo": "echo"},
        "some": ["wait", "echo"],
        "names": [],
        "store": {},
        "limits": LIMITS,
    }


async def ended(source: str, env: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The end of a script whose calls all give back their arguments."""
    async with worker(setup(source), env) as process:
        async for record in process.records():
            if record["kind"] == "call":
                await process.send(answer(record["n"], record["args"]))
            last = record
    return last


@pytest.mark.parametrize("source", ENDLESS)
def test_whatever_a_script_does_it_ends_when_it_is_told_to(source: str) -> None:
    async def play() -> int:
        async with worker(setup(f"text('begun'); {source}"), os.environ) as process:
            records = process.records()
            assert (await anext(records))["value"] == "begun"
            pid = process._process.pid
            await records.aclose()  # type: ignore[attr-defined]
        return pid

    assert not is_alive(asyncio.run(play()))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("let a = []; for (;;) a.push('x'.repeat(1e6) + a.length)", "out of memory"),
        ("let a = [1]; for (;;) a = [...a, ...a]", "out of memory"),
        ("new ArrayBuffer(2 ** 31)", "Error"),
        ("'x'.repeat(2 ** 29)", "Error"),
        ("function f() { f() } f()", "Maximum call stack size exceeded"),
        ("let s = 'x'.repeat(1e6); for (;;) text(s)", "more than 16777216 characters"),
        ("for (;;) text('')", "more than 16777216 characters or 100000 items"),
        ("for (;;) console.log()", "100000 items"),
        ("await tools.echo({s: 'x'.repeat(17e6)})", "16777216 characters"),
        ("let d = []; for (let i = 0; i < 1e5; i++) d = [d]; await tools.echo({d})", "Error"),
        ("let d = []; for (let i = 0; i < 900; i++) d = [d]; await tools.echo({d})", ""),
        ("throw {toString() { throw 1 }, toJSON() { throw 2 }}", "Error"),
        ("throw Object.assign(new Error('x'), {name: {toString() { throw 3 }}})", "be shown"),
        ("await new Promise(() => {})", "nothing can settle"),
        ("Promise.prototype.then = () => {}; await tools.echo({})", ""),
        ("tools.echo = 1; delete tools.echo; Object.freeze(tools); return tools.echo", "Error"),
    ],
)
def test_harm_stays_inside(source: str, said: str) -> None:
    end = asyncio.run(ended(source))
    if said:
        assert not end["ok"]
        assert said in end["error"]
    else:
        assert end["kind"] == "end"


def test_what_a_script_changes_is_its_own() -> None:
    source = """
        JSON.stringify = JSON.parse = Map.prototype.get = Map.prototype.set = () => { throw 1 };
        Array.prototype.map = Reflect.ownKeys = Error = TypeError = null;
        Object.prototype.kind = "end"; Object.prototype.name = "wait";
        const got = await tools.echo({a: 1});
        return got;
    """
    end = asyncio.run(ended(source))
    assert (end["kind"], end["ok"]) == ("end", True)


def test_a_script_that_breaks_its_own_results_fails() -> None:
    source = "store('k', 1); store('k'); Object.prototype.toJSON = Array.prototype.toJSON = () => 1"
    end = asyncio.run(ended(source))
    assert not end["ok"]
    assert "changed what its own results" in end["error"]


def test_a_thousand_calls_at_once() -> None:
    source = """
        const all = await Promise.all(Array.from({length: 1000}, (_, n) => tools.echo({n})));
        if (all.some((each, n) => each.n !== n)) throw new Error("mixed up");
        await Promise.all(Array.from({length: 64}, () => tools.echo({s: "x".repeat(100000)})));
    """
    assert asyncio.run(ended(source))["ok"]


def test_a_script_that_loses_its_process_is_told_so() -> None:
    async def play() -> dict[str, Any]:
        async with worker(setup("await tools.wait({})"), os.environ) as process:
            async for record in process.records():
                if record["kind"] == "call":
                    os.kill(process._process.pid, 9)
                last = record
        return last

    end = asyncio.run(play())
    assert not end["ok"]
    assert "ended by itself" in end["error"]


def test_the_process_knows_nothing_of_the_environment() -> None:
    async def play() -> bytes:
        env = {**os.environ, "SECRET_KEY": "xyzzy"}
        async with worker(setup("await tools.wait({})"), env) as process:
            await anext(process.records())
            with open(f"/proc/{process._process.pid}/environ", "rb") as file:
                return file.read()

    if not os.path.isdir("/proc/self"):
        pytest.skip("there is no /proc")
    assert asyncio.run(play()) == b""


@pytest.mark.parametrize("most", ["1", "2"])
def test_few_run_at_once_and_the_others_wait_in_order(most: str) -> None:
    env = {**os.environ, "PI_CODEMODE_MAX_WORKERS": most}
    order: list[int] = []

    async def one(number: int, alive: list[int]) -> None:
        async with worker(setup("return 1"), env) as process:
            alive.append(number)
            assert len(alive) <= int(most)
            order.append(number)
            async for _ in process.records():
                pass
            alive.remove(number)

    async def play() -> None:
        alive: list[int] = []
        tasks = [asyncio.create_task(one(number, alive)) for number in range(5)]
        await asyncio.sleep(0)
        tasks[-2].cancel()  # while it waits
        await asyncio.wait(tasks)
        for task in tasks[:-2]:
            task.result()
        async with worker(setup("return 1"), env):
            pass

    asyncio.run(play())
    assert sorted(order) == [0, 1, 2, 4]
    assert module._alive == 0


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    env = {**os.environ, "PI_CODEMODE_MAX_WORKERS": "1"}

    async def play() -> None:
        async with worker(setup("await tools.wait({})"), env):
            with pytest.raises(ToolFailure, match="no sandbox was free"):
                async with worker(setup("return 1"), env):
                    pass

    asyncio.run(play())
    assert module._alive == 0


def test_answers_may_hold_anything() -> None:
    value = {"a": ["\ud800", None, 1e300, "\u2028\n"]}
    assert json.loads(answer(3, value)) == {"n": 3, "ok": True, "value": value}
    assert b"\n" not in answer(3, value)[:-1]
