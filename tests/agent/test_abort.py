"""Abort ends the run's own waits, and leaves everybody else's cancellation alone."""

import asyncio

import pytest

from pi.agent.abort import Abort, Aborted


async def forever() -> None:
    await asyncio.Event().wait()


async def answer() -> int:
    return 42


def test_the_result_passes() -> None:
    assert asyncio.run(Abort().wait(answer())) == 42


def test_an_error_passes() -> None:
    async def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        asyncio.run(Abort().wait(broken()))


def test_a_wait_is_cut_short() -> None:
    async def main() -> bool:
        abort = Abort()
        asyncio.get_running_loop().call_later(0.01, abort.trigger)
        with pytest.raises(Aborted):
            await abort.wait(forever())
        await asyncio.sleep(0)  # the task itself goes on uncancelled
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0
        return abort.triggered

    assert asyncio.run(main())


def test_later_waits_end_at_once_and_start_nothing() -> None:
    started = []

    async def work() -> None:
        started.append(True)

    async def main() -> None:
        abort = Abort()
        abort.trigger()
        for _ in range(2):
            with pytest.raises(Aborted):
                await abort.wait(work())

    asyncio.run(main())
    assert not started


def test_triggered_twice_is_triggered_once() -> None:
    async def main() -> None:
        abort = Abort()
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, lambda: (abort.trigger(), abort.trigger()))
        with pytest.raises(Aborted):
            await abort.wait(forever())
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0

    asyncio.run(main())


def test_what_is_waited_for_may_clean_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def main() -> None:
        abort = Abort()
        asyncio.get_running_loop().call_later(0.01, abort.trigger)
        with pytest.raises(Aborted):
            await abort.wait(work())

    asyncio.run(main())
    assert cleaned


def test_a_result_that_came_in_spite_of_it_counts() -> None:
    """What finishes although it was cancelled has its result used, and no cancellation is left."""

    async def stubborn() -> str:
        try:
            await forever()
        except asyncio.CancelledError:
            return "done anyway"
        return "never"

    async def main() -> str:
        abort = Abort()
        asyncio.get_running_loop().call_later(0.01, abort.trigger)
        result = await abort.wait(stubborn())
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None and task.cancelling() == 0
        return result

    assert asyncio.run(main()) == "done anyway"


@pytest.mark.parametrize("abort_too", [False, True])
def test_a_cancellation_from_outside_passes_through(abort_too: bool) -> None:
    async def main() -> None:
        abort = Abort()
        task = asyncio.create_task(abort.wait(forever()))
        await asyncio.sleep(0.01)
        if abort_too:
            abort.trigger()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_trigger_between_waits_cancels_nobody() -> None:
    async def main() -> None:
        abort = Abort()
        assert await abort.wait(answer()) == 42
        abort.trigger()
        await asyncio.sleep(0)

    asyncio.run(main())
