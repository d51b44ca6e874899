"""A real RabbitMQ for the whole run: whoever needs it first starts it, and with its last user it is gone.

This file is its keeper too, as a small process. Users and keeper know of each other by locks on files, which
the kernel frees whatever kills them.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen, run
from typing import Any, TextIO

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
NOT_HERE = "rabbitmq-server is not installed here (Debian: apt-get install rabbitmq-server)"
LOOPBACK = "127.0.0.1"
START_SECONDS_MAX = 90.0
POLL_SECONDS = 0.1
LAST_WORDS_MAX = 2_000
READY = "Server startup complete"


def is_installed() -> bool:
    return SERVER.exists() and shutil.which("epmd") is not None


@contextmanager
def running(name: str) -> Iterator[str]:
    """The URL of the broker of this run, which all processes of the run share."""
    place = Path(tempfile.gettempdir()) / f"rowlock-rabbitmq-{name}"
    place.mkdir(exist_ok=True, mode=0o755)
    with (place / "users").open("w") as users:
        with _locked(place):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (place / "url").exists():
                _start_keeper(place)
            url = (place / "url").read_text()
        yield url


def _start_keeper(place: Path) -> None:
    done = run([sys.executable, __file__, str(place)], stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, text=True)
    assert (place / "url").exists(), done.stdout


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    with (place / "gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _go_apart(place: Path) -> None:
    """Keep it in a process that nobody waits for; return when it runs, or say why it does not."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as child:
            print(child.readline())  # noqa: T201
        return
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    with os.fdopen(writing, "w") as parent:
        try:
            _keep(place, parent)
        except BaseException as error:
            parent.write(repr(error))
            raise


def _keep(place: Path, parent: TextIO) -> None:
    """Run it until nobody uses it: a keeper's whole life."""
    epmd_port, port, between = _free_ports()
    environment = _environment(place, port) | {
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_DIST_PORT": str(between),
    }
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        said = stack.enter_context((place / "log").open("ab"))
        child: dict[str, Any] = {"cwd": place, "env": environment, "stdout": said, "stderr": said}
        for command in (["epmd", "-port", str(epmd_port)], [str(SERVER)]):
            process = Popen(command, **child, **_account())
            stack.callback(_kill, process)
            if command[0] == "epmd":  # else the server starts one, which nobody would stop
                _wait_for(place, process, lambda: _answers(epmd_port))
        _wait_for(place, process, lambda: READY in (place / "log").read_text(errors="replace"))
        password = environment["RABBITMQ_DEFAULT_PASS"]
        (place / "url").write_text(f"amqp://rowlock:{password}@{LOOPBACK}:{port}/")
        parent.write("It runs.\n")
        parent.flush()
        while not _is_left(place):
            time.sleep(POLL_SECONDS)


def _is_left(place: Path) -> bool:
    """Say whether nobody uses it any more; who comes later starts another."""
    with _locked(place), (place / "users").open("w") as users, suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (place / "url").unlink()
        return True
    return False


def _kill(process: "Popen[bytes]") -> None:
    """It has nothing to keep."""
    process.kill()
    process.wait()


def _wait_for(place: Path, process: "Popen[bytes]", is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not is_there():
        if process.poll() is not None or time.monotonic() > deadline:
            said = (place / "log").read_text(errors="replace")[-LAST_WORDS_MAX:]
            sys.exit(f"RabbitMQ did not start; its last words: {said}")
        time.sleep(POLL_SECONDS)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port)):
        return True
    return False


def _environment(place: Path, port: int) -> dict[str, str]:
    """A node of its own: name, ports and folders are nobody else's, and no file of the system's is read."""
    for folder in ("home", "mnesia", "logs"):
        (place / folder).mkdir()
    (place / "plugins").write_text("[].\n")
    if account := _account():
        for path in (place, *place.iterdir()):
            os.chown(path, account["user"], account["group"])
    return {
        "PATH": f"{os.defpath}:/usr/local/bin:/usr/sbin:/sbin",
        "LC_ALL": "C.UTF-8",
        "HOME": str(place / "home"),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the server, rather than wait for it
        "RABBITMQ_NODENAME": f"rowlock-{secrets.token_hex(8)}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DEFAULT_USER": "rowlock",
        "RABBITMQ_DEFAULT_PASS": secrets.token_hex(16),
        "RABBITMQ_MNESIA_BASE": str(place / "mnesia"),
        "RABBITMQ_LOG_BASE": str(place / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(place / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(place / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "plugins"),
    }


def _account() -> dict[str, Any]:
    """Who runs it for root."""
    if os.geteuid() != 0:
        return {}
    user, group = pwd.getpwnam("nobody")[2:4]
    return {"user": user, "group": group}


def _free_ports() -> list[int]:
    with ExitStack() as stack:
        finders = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(3)]
        return [int(finder.getsockname()[1]) for finder in finders]


if __name__ == "__main__":
    _go_apart(Path(sys.argv[1]))
