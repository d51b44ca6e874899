"""A server in a process of its own, to be killed and started again at the same address."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import closing, suppress
from pathlib import Path

import httpx2

from settings import Settings

ROOT = Path(__file__).parent.parent.parent
START_SECONDS_MAX = 60


class Killable:
    """`rowlock serve`, on a port that stays the same over its deaths."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._environment = os.environ | {
            "JOBS_IN_SERVER": "false",
            "DATABASE_URL": settings.database_url or "",
            "REDIS_URL": settings.redis_url or "",
            "PORT": str(port),
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, ROOT / "cli.py", "serve", cwd=self._folder, env=self._environment
        )
        async with asyncio.timeout(START_SECONDS_MAX), httpx2.AsyncClient(base_url=self.url) as http:
            while True:
                with suppress(httpx2.TransportError):
                    if (await http.get("/health")).is_success:
                        return
                assert self._process.returncode is None, "the server has not started"
                await asyncio.sleep(0.05)

    async def end(self, how: signal.Signals) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.send_signal(how)
            await process.wait()
