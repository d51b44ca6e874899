"""The embedded servers start, answer, keep what they are given, and stop, whatever becomes of their user."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from stat import S_IMODE

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

import embedded
from embedded import EmbeddedUnavailable, Servers, running, throwaway

IS_ROOT = os.geteuid() == 0
WAIT_SECONDS_MAX = 20
POLL_SECONDS = 0.02
SOMEBODY = """
import sys; sys.path.insert(0, sys.argv[1])
import embedded, pathlib, time
with embedded.running(pathlib.Path(sys.argv[2])) if sys.argv[2:] else embedded.throwaway() as servers:
    print(servers.database_url, flush=True)
    time.sleep(60)
"""
SOMEBODY_WITHOUT_WHEELS = """
import sys; sys.path.insert(0, sys.argv[1])
import embedded
try:
    embedded.throwaway().__enter__()
except embedded.EmbeddedUnavailable as error:
    print(error)
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with throwaway() as pair:
        yield pair


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for the tests that start its servers again and again."""
    home = tmp_path_factory.mktemp("checkout") / "home"
    yield home
    forget(home)


@pytest.fixture
def home_in_a_closed_folder(tmp_path: Path) -> Iterator[Path]:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    yield closed / "home"
    forget(closed / "home")


def forget(home: Path) -> None:
    """Remove what root has elsewhere, where pytest's own sweep would not find it."""
    if (home / "where").exists():
        rmtree((home / "where").read_text().strip())


def somebody(*home: Path, code: str = SOMEBODY, flags: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Another process, at the head of a process group of its own, that uses the servers."""
    root = Path(embedded.__file__).parent
    command = [sys.executable, *flags, "-c", code, str(root), *map(str, home)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def ask(database_url: str, sql: str) -> object:
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def data_of(database_url: str) -> Path:
    return Path(str(await ask(database_url, "SHOW data_directory")))


async def pids_of(servers: Servers) -> tuple[int, int]:
    data = await data_of(servers.database_url)
    async with Redis.from_url(servers.redis_url) as redis:
        valkey = await redis.info("server")
    return int(first_word(data / "postmaster.pid")), int(valkey["process_id"])


def first_word(path: Path) -> str:
    return path.read_text().split()[0]


def exists(path: Path) -> bool:
    return path.exists()


async def until_gone(path: Path) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while exists(path):
            await asyncio.sleep(POLL_SECONDS)


def owner_of(path: Path) -> int:
    return path.stat().st_uid


def modes_of(*paths: Path) -> list[int]:
    return [S_IMODE(path.stat().st_mode) for path in paths]


async def test_both_servers_answer(servers: Servers) -> None:
    assert await ask(servers.database_url, "SELECT 1") == 1
    assert await ask(servers.database_url, "SHOW server_encoding") == "UTF8"
    assert await ask(servers.database_url, "SELECT upper('é')") == "É"
    async with Redis.from_url(servers.redis_url) as redis:
        assert await redis.ping()


def test_the_tools_of_postgres_come_along(servers: Servers) -> None:
    psql = [str(servers.bin_dir / "psql"), servers.database_url, "-Atc", "SELECT current_database()"]
    assert subprocess.check_output(psql) == b"rowlock\n"


async def test_nobody_comes_in_without_the_password(servers: Servers) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(servers.database_url.replace("@", "x@"), "SELECT 1")
    async with Redis.from_url(servers.redis_url.replace("@", "x@")) as redis:
        with pytest.raises(AuthenticationError):
            await redis.ping()


async def test_a_throwaway_pair_leaves_nothing_behind() -> None:
    with throwaway() as servers:
        place = (await data_of(servers.database_url)).parent
        assert exists(place)
        assert await ask(servers.database_url, "SHOW synchronous_commit") == "on"
    assert not exists(place)


async def test_what_was_written_survives_a_stop_and_a_start(home: Path) -> None:
    with running(home) as servers:
        assert await ask(servers.database_url, "SHOW fsync") == "on"
        await ask(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(servers.database_url, "SELECT 1")
    with running(home) as servers:
        assert await ask(servers.database_url, "SELECT answer FROM kept") == 42


async def test_servers_that_were_killed_start_again_with_what_they_had_promised(home: Path) -> None:
    with running(home) as servers:
        await ask(servers.database_url, "CREATE TABLE promised AS SELECT 42 AS answer")
        for pid in await pids_of(servers):
            os.kill(pid, signal.SIGKILL)
    with running(home) as servers:
        assert await ask(servers.database_url, "SELECT answer FROM promised") == 42
        async with Redis.from_url(servers.redis_url) as redis:
            assert await redis.ping()


async def test_a_pid_file_that_names_a_stranger_is_no_obstacle_and_the_stranger_lives(home: Path) -> None:
    with running(home) as servers:
        data = await data_of(servers.database_url)
        pid_file = (data / "postmaster.pid").read_text()
        server = pid_file.partition("\n")[0]
    owner = data.stat()
    stranger = subprocess.Popen(  # noqa: ASYNC220
        ["sleep", "60"], user=owner.st_uid, group=owner.st_gid, extra_groups=[] if IS_ROOT else None
    )
    try:
        (data / "postmaster.pid").write_text(pid_file.replace(server, str(stranger.pid), 1))
        for name in ("postgres", "valkey"):
            (data.parent / f"{name}.lock").write_text(f"{stranger.pid} 1")
        with running(home) as servers:
            assert await ask(servers.database_url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_two_homes_at_once_do_not_meet(home: Path, home_in_a_closed_folder: Path) -> None:
    with running(home) as ours, running(home_in_a_closed_folder) as theirs:
        await ask(ours.database_url, "CREATE TABLE ours ()")
        assert await ask(theirs.database_url, "SELECT to_regclass('ours')") is None
        assert await data_of(ours.database_url) != await data_of(theirs.database_url)
        async with (
            Redis.from_url(ours.redis_url) as our_redis,
            Redis.from_url(theirs.redis_url) as their_redis,
        ):
            await our_redis.set("ours", "1")
            assert await their_redis.get("ours") is None


async def test_users_of_one_home_share_its_servers_until_the_last_one_leaves(home: Path) -> None:
    with running(home) as latecomer:
        with running(home) as servers:
            assert servers == latecomer
        assert await ask(latecomer.database_url, "SELECT 1") == 1
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(latecomer.database_url, "SELECT 1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
async def test_servers_stop_when_whoever_uses_them_is_stopped(home: Path, number: signal.Signals) -> None:
    with somebody(home) as user:
        data = await data_of(first_line(user))
        assert exists(data / "postmaster.pid")
        os.killpg(user.pid, number)
    await until_gone(data / "postmaster.pid")


async def test_a_throwaway_pair_leaves_nothing_behind_when_its_user_is_killed() -> None:
    with somebody() as user:
        place = (await data_of(first_line(user))).parent
        user.kill()
    await until_gone(place)


async def test_an_interrupt_does_not_cut_postgres_short(home: Path, servers: Servers) -> None:
    with somebody(home) as user:
        data = await data_of(first_line(user))
        assert os.getpgid(int(first_word(data / "postmaster.pid"))) != os.getpgid(user.pid)
        os.killpg(user.pid, signal.SIGINT)
    state = subprocess.check_output([servers.bin_dir / "pg_controldata", data], text=True)  # noqa: ASYNC221
    assert "shut down\n" in state


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who the children of a process are")
async def test_servers_that_lost_their_keeper_are_taken_over(home: Path) -> None:
    with somebody(home) as user:
        data = await data_of(first_line(user))
        keeper = int(first_word(Path(f"/proc/{user.pid}/task/{user.pid}/children")))
        os.kill(keeper, signal.SIGKILL)
        user.kill()
    server = first_word(data / "postmaster.pid")
    with running(home) as servers:
        assert first_word(data / "postmaster.pid") == server
        assert await ask(servers.database_url, "SELECT 1") == 1
    assert not exists(data / "postmaster.pid")


def test_no_folder_that_was_there_gets_another_mode(home_in_a_closed_folder: Path) -> None:
    home = home_in_a_closed_folder
    home.mkdir()
    home.chmod(0o750)
    before = modes_of(home, *home.parents)
    with running(home):
        assert modes_of(home, *home.parents) == before
    assert modes_of(home, *home.parents) == before


def test_a_new_home_is_closed_to_everybody_else(home: Path) -> None:
    with running(home):
        assert modes_of(home) == [0o700]


@pytest.mark.skipif(not IS_ROOT, reason="only root may become somebody else")
async def test_for_root_the_servers_are_run_by_somebody_else_where_the_home_says(home: Path) -> None:
    with running(home) as servers:
        data = await data_of(servers.database_url)
        owners = [owner_of(Path(f"/proc/{pid}")) for pid in await pids_of(servers)]
    assert (home / "where").read_text() == f"{data.parent}\n"
    assert owners == [owner_of(data)] * 2
    assert 0 not in owners


def test_a_home_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    with (
        pytest.raises(EmbeddedUnavailable, match=r"No such file.* Set DATABASE_URL"),
        running(tmp_path / "no" / "home"),
    ):
        pass


def test_without_the_wheels_the_answer_says_what_to_set_or_install() -> None:
    with somebody(code=SOMEBODY_WITHOUT_WHEELS, flags=("-I", "-S")) as user:
        said = first_line(user)
    assert "Set DATABASE_URL and REDIS_URL" in said
    assert "rowlock[embedded]" in said
