"""GraphQL clients of others, each in a process of its own that does what it is told and says what came."""

import asyncio
import fcntl
import os
import shutil
import subprocess
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.docs.pages import GUIDE, examples_of

FOLDER = Path(__file__).parent
PACKAGES = FOLDER / "node_modules"
PAGE = "docs/clients.md"
INSTALL_SECONDS_MAX = 120
COMPILE_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 30


def why_not() -> str | None:
    """Make the clients ready, once for all processes of the suite; say why that cannot be, if it cannot."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "node and npm are not installed"
    with (FOLDER / "package-lock.json").open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        if not _install(npm, locked.read()):
            return "npm could not install the clients"
        _copy_from_pages()
        compile_for_relay(node)
    return None


def _install(npm: str, wanted: bytes) -> bool:
    mark = PACKAGES / ".installed-lock"
    if mark.exists() and mark.read_bytes() == wanted:
        return True
    try:
        subprocess.run(
            [npm, "ci", "--silent"],
            cwd=FOLDER,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=INSTALL_SECONDS_MAX,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    mark.write_bytes(wanted)
    return True


def _copy_from_pages() -> None:
    """Write the modules of the pages for users where the programs find them, and they find the packages."""
    folder = PACKAGES / ".docs"
    folder.mkdir(exist_ok=True)
    modules = {example.note: example.text for example in examples_of(PAGE)}
    (modules["apply.mjs"],) = (example.text for example in examples_of(GUIDE) if example.note == "apply")
    for name, text in modules.items():
        new = folder / f"{name}.{os.getpid()}"
        new.write_text(text, encoding="utf-8")
        new.replace(folder / name)


def compile_for_relay(node: str) -> None:
    """Let Relay's compiler read our schema, which it refuses when it is not to Relay's specification."""
    (PACKAGES / ".relay").mkdir(exist_ok=True)
    subprocess.run(
        [
            node,
            PACKAGES / "relay-compiler/cli.js",
            "--noWatchman",
            "--output=quiet-with-errors",
            "relay.config.json",
        ],
        cwd=FOLDER,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=COMPILE_SECONDS_MAX,
    )


class Program:
    """One client; `sent` has its requests and sockets so far, as the program tells of them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._told: dict[int, deque[dict[str, Any]]] = {}
        self.sent: list[dict[str, Any]] = []

    async def ask(self, name: str, **variables: Any) -> dict[str, Any]:
        """Run a query or a mutation; its `data` or its `error`."""
        return await self.next(await self.begin("ask", name, **variables))

    async def watch(self, name: str, **variables: Any) -> int:
        """Begin a subscription; `next` has what it is told."""
        return await self.begin("watch", name, **variables)

    async def end(self, id: int) -> None:
        """End a subscription."""
        await self._say({"id": id, "act": "end"})
        while "ended" not in await self.next(id):
            pass

    async def begin(self, act: str, name: str, **variables: Any) -> int:
        id = len(self._told)
        self._told[id] = deque()
        await self._say({"id": id, "act": act, "name": name, "variables": variables})
        return id

    async def next(self, id: int) -> dict[str, Any]:
        """The next message on this."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while not self._told[id]:
                await self._read()
        return self._told[id].popleft()

    async def until_sockets(self, count: int) -> None:
        """Wait until the client has opened so many sockets."""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while len(self.sockets) < count:
                await self._read()

    @property
    def sockets(self) -> list[dict[str, Any]]:
        return [sent for sent in self.sent if sent["sent"] == "WebSocket"]

    async def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(orjson.dumps(message) + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        assert line, "the client has ended"
        message = orjson.loads(line)
        if "sent" in message:
            self.sent.append(message)
        else:
            self._told[message["id"]].append(message)


@asynccontextmanager
async def running(client: str, url: str, *tokens: str) -> AsyncIterator[Program]:
    """Run a client until the block ends, as a guest or with these tokens: each once, the last ever after."""
    given = {"ROWLOCK_CLIENT": client, "ROWLOCK_URL": f"{url}/graphql", "ROWLOCK_TOKENS": " ".join(tokens)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", FOLDER / "drive.mjs", env=os.environ | given, stdin=pipe, stdout=pipe
    )
    try:
        yield Program(process)
    finally:
        process.kill()
        await process.communicate()


async def audits(url: str) -> list[dict[str, str]]:
    """What the audits of graphql-http say of a server."""
    environment = os.environ | {"ROWLOCK_URL": f"{url}/graphql"}
    process = await asyncio.create_subprocess_exec(
        "node", FOLDER / "audit.mjs", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            out, _ = await process.communicate()
        return orjson.loads(out)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
