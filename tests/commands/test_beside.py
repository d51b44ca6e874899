"""The worker beside a server: it does the jobs, another one takes its place, and it ends with the server."""

import asyncio
import os
import signal
from contextlib import suppress
from itertools import chain
from pathlib import Path

import httpx2

from tests.shell import SECONDS_MAX, Shell, url_of

REGISTER = "mutation ($input: RegisterInput!) { register(input: $input) { __typename } }"


async def worker_beside(server: asyncio.subprocess.Process, but: int = 0) -> int:
    """The process that does the jobs of a server, and is not this one."""
    threads = Path(f"/proc/{server.pid}/task")
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            children = chain.from_iterable(c.read_text().split() for c in threads.glob("*/children"))
            for pid in map(int, children):
                with suppress(OSError):
                    if pid != but and b"--beside" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                        return pid
            await asyncio.sleep(0.05)


async def test_the_jobs_of_a_server_are_done_beside_it_also_when_their_worker_has_died(shell: Shell) -> None:
    assert (await shell.run("migrate"))[0] == 0
    server = await shell.start("serve", PORT="0", LOG_LEVEL="INFO")
    url = await url_of(server)
    first = await worker_beside(server)
    os.kill(first, signal.SIGKILL)
    account = {"email": "new@example.com", "password": "a long password"}
    async with httpx2.AsyncClient(base_url=url) as http, asyncio.timeout(SECONDS_MAX):
        answer = await http.post("/graphql", json={"query": REGISTER, "variables": {"input": account}})
        assert answer.json() == {"data": {"register": {"__typename": "SessionPayload"}}}
        while not (await http.get("/mailbox", params={"to": account["email"]})).json():
            await asyncio.sleep(0.05)
    second = await worker_beside(server, but=first)
    server.send_signal(signal.SIGTERM)
    async with asyncio.timeout(SECONDS_MAX):
        await server.communicate()
    assert server.returncode == 0
    assert not Path(f"/proc/{second}").exists()
