"""Server processes to measure: ours as a user runs it, and a plain one by the same uvicorn."""

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import embedded

ROOT = Path(__file__).parent.parent
COST_PER_MINUTE_MAX = 2**31 - 1
SOCKETS_MAX = 10_000
START_SECONDS_MAX = 30
PLAIN = (
    "--factory bench.live_plain:create_app --loop uvloop --ws websockets-sansio --no-access-log "
    "--ws-per-message-deflate false --log-level warning --port"
)


@dataclass(frozen=True)
class Process:
    """A server process and where it answers."""

    pid: int
    port: int

    @property
    def cpu_seconds(self) -> float:
        """How much of a processor it has used so far."""
        used = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_bytes(self) -> int:
        """How much of the machine's memory it has now."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1_024 for line in lines if line.startswith("VmRSS:"))


def allow_many_connections() -> None:
    """Let this process, and those that it starts, have as many open files as the machine permits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextlib.asynccontextmanager
async def rowlock(servers: embedded.Servers, **settings: object) -> AsyncIterator[Process]:
    """`rowlock serve` on a free port, with these settings."""
    limits = {"cost_per_minute_max": COST_PER_MINUTE_MAX, "sockets_per_address_max": SOCKETS_MAX}
    settings = limits | settings
    environment = {name.upper(): str(value) for name, value in settings.items()}
    port = _free_port()
    command = [sys.executable, str(ROOT / "cli.py"), "serve"]
    async with _running(servers, port, command, environment | {"PORT": str(port)}) as process:
        yield process


@contextlib.asynccontextmanager
async def plain(servers: embedded.Servers) -> AsyncIterator[Process]:
    """A plain Starlette broadcast, by the same uvicorn."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", *PLAIN.split(), str(port)]
    async with _running(servers, port, command, {}) as process:
        yield process


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.asynccontextmanager
async def _running(
    servers: embedded.Servers, port: int, command: list[str], settings: dict[str, str]
) -> AsyncIterator[Process]:
    where = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url, "LOG_LEVEL": "WARNING"}
    environment = os.environ | where | settings
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        await _until_it_answers(port, process)
        yield Process(process.pid, port)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def _until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    async with asyncio.timeout(START_SECONDS_MAX):
        while process.poll() is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)
    raise SystemExit("A server did not start.")
