"""A shell for tests: commands on a database of their own, in this process or in one that serves or works."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx2
from asyncpg import connect

import embedded
from tests.saying import said

ROOT = Path(__file__).parent.parent
SECONDS_MAX = 60


class Shell:
    """Runs commands with one database of their own."""

    def __init__(self, servers: embedded.Servers, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.started: list[asyncio.subprocess.Process] = []
        self.database_url = database_url
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": servers.redis_url,
            "PYTHONPATH": str(ROOT),
        }

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "cli.py"),
            *arguments,
            cwd=self.folder,
            env=self.environment | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.started.append(process)
        return process

    async def stop(self) -> None:
        """End whatever a test that failed has left running."""
        for process in self.started:
            if process.returncode is None:
                process.terminate()
                await process.wait()

    async def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit status, and all that was said by a command that is run in this process."""
        return await said(self.environment | environment, *arguments)

    async def run_apart(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The same by a process of its own; never a traceback."""
        process = await self.start(*arguments, **environment)
        async with asyncio.timeout(SECONDS_MAX):
            out, err = await process.communicate()
        said = out.decode() + err.decode()
        assert "Traceback" not in said
        return process.returncode or 0, said


@asynccontextmanager
async def shell_in(servers: embedded.Servers, folder: Path) -> AsyncIterator[Shell]:
    """A shell in this folder, with an empty database, until the block ends."""
    name = f"cli_{uuid4().hex}"
    admin = await connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    shell = Shell(servers, servers.database_url.rpartition("/")[0] + f"/{name}", folder)
    yield shell
    await shell.stop()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def url_of(server: asyncio.subprocess.Process) -> str:
    """Where a server answers, once it says so and does."""
    assert server.stderr
    said = ""
    async with asyncio.timeout(SECONDS_MAX):
        while "running on http" not in said:
            said += (await server.stderr.readline()).decode()
        url = said.rpartition("running on ")[2].split()[0]
        while True:
            with suppress(httpx2.ConnectError):
                async with httpx2.AsyncClient(base_url=url) as http:
                    await http.get("/health")
                    return url
            await asyncio.sleep(0.05)
