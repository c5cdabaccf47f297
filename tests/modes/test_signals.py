"""One signal ends a run in order, a second one at once."""

import asyncio
import os
import signal
import sys

import pytest

from pi.modes.signals import aborts_on_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_aborts(number: signal.Signals) -> None:
    async def main() -> int | None:
        ended = asyncio.Event()
        with aborts_on_signals(ended.set) as received:
            assert (received.number, received.exit_code) == (None, None)
            os.kill(os.getpid(), number)
            await asyncio.wait_for(ended.wait(), 10)
        assert received.number == number
        return received.exit_code

    assert asyncio.run(main()) == 128 + number


def test_a_second_signal_cancels_and_the_first_one_counts() -> None:
    codes = []

    async def main() -> None:
        aborts = []
        with aborts_on_signals(lambda: aborts.append(True)) as received:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGINT)
            try:
                await asyncio.sleep(10)
            finally:
                codes.append(received.exit_code)
                assert aborts == [True]

    with pytest.raises(SystemExit) as ended:
        asyncio.run(main())
    assert ended.value.code == 143
    assert codes == [143]


def test_handlers_are_put_back() -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}

    async def main() -> None:
        inside = signal.getsignal(signal.SIGINT)
        with aborts_on_signals(lambda: None):
            assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
        assert signal.getsignal(signal.SIGINT) is inside

    asyncio.run(main())
    assert {n: signal.getsignal(n) for n in before} == before


def test_what_the_parent_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    aborts = []

    async def main() -> None:
        with aborts_on_signals(lambda: aborts.append(True)) as received:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0)
        assert received.number is None

    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert aborts == []
