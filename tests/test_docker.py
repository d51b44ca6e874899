"""The image is whole, and its files speak of files, commands and settings that exist."""

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

from cli import cli
from routes.query_page import PACKAGED_FILES
from settings import DEFAULT_SECRET, Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / "docker/Dockerfile.dockerignore").read_text(encoding="utf-8").split()
DEMO = (ROOT / "docker/compose.yaml").read_text(encoding="utf-8")
PRODUCTION = (ROOT / "docker/compose.production.yaml").read_text(encoding="utf-8")
FINAL_STAGE = DOCKERFILE.rpartition("\nFROM ")[2]
OPTIONAL = {
    "AMQP_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "TICKET_URL",
    *(f"TWILIO_{what}" for what in ("ACCOUNT_SID", "AUTH_TOKEN", "FROM")),
}
SERVERS_OWN = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}
BUILD = "import setuptools.build_meta; print(setuptools.build_meta.build_wheel('.'))"


def passed_over(folder: str, names: list[str]) -> set[str]:
    """What the build does not get to see of a folder, as `.dockerignore` says."""
    anywhere = [pattern.removeprefix("**/") for pattern in IGNORED if pattern.startswith("**/")]
    patterns = [*anywhere, *(IGNORED if Path(folder) == ROOT else ())]
    return {name for name in names if any(fnmatch(name, pattern) for pattern in patterns)}


def test_the_wheel_of_the_image_has_everything_that_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "source", ignore=passed_over)
    built = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=tmp_path / "source", capture_output=True, text=True, check=True
    )
    with ZipFile(tmp_path / "source" / built.stdout.split()[-1]) as wheel:
        there = set(wheel.namelist())
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench"}
    wanted = {path.name for path in ROOT.glob("*.py")}
    wanted |= {
        str(path.relative_to(ROOT))
        for package in packages
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not {"__pycache__", "node_modules", ".npmrc"} & set(path.parts)
    }
    wanted |= {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert wanted <= there, wanted - there
    assert not any(name.startswith(("tests/", "bench/")) for name in there)


def test_what_the_image_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
    names = [name for line in copied for name in line.split()[:-1]]
    assert [name for name in names if not (ROOT / name).exists()] == []
    roots = {name.partition("/")[0] for name in names} - {"."}
    assert passed_over(str(ROOT), sorted(roots)) == set()
    assert re.findall(r"^ +node_modules/([^ \n]+)", DOCKERFILE, re.MULTILINE) == list(PACKAGED_FILES)


def test_the_image_installs_only_what_is_locked() -> None:
    installs = [line for line in DOCKERFILE.splitlines() if "pip" in line and " install " in line]
    assert all("--require-hashes" in line or "--no-deps --no-index" in line for line in installs)
    assert len(installs) == 3
    assert "--no-build-isolation" in DOCKERFILE
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    assert re.search(r"^setuptools==.*\n( +--hash.*\n)+    #", lock, re.MULTILINE)


def test_the_image_runs_a_python_that_the_project_takes_and_not_as_root() -> None:
    (version,) = re.findall(r"^ARG PYTHON=3\.(\d+)$", DOCKERFILE, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert int(version) >= int(project["requires-python"].removeprefix(">=3."))
    assert re.findall(r"^USER (\w+)$", FINAL_STAGE, re.MULTILINE) == ["rowlock"]
    assert "useradd --system --uid 10001 --no-create-home rowlock" in FINAL_STAGE
    assert "/health" in FINAL_STAGE.partition("HEALTHCHECK")[2]
    (entry,) = re.findall(r'^ENTRYPOINT \["(\w+)"\]$', FINAL_STAGE, re.MULTILINE)
    assert entry in project["scripts"]


def test_the_services_run_commands_that_exist_with_settings_that_exist() -> None:
    known = {
        command.name or command.callback.__name__ for command in cli.registered_commands if command.callback
    }
    for text, commands in ((DEMO, ["demo", "serve", "worker"]), (PRODUCTION, ["migrate"])):
        assert re.findall(r'^    command: \["(\w+)"\]', text, re.MULTILINE) == commands
        assert known.issuperset(commands)
    names = {(f.validation_alias or name.upper()) for name, f in Settings.model_fields.items()}
    given = set(re.findall(r"^\s+([A-Z_]+): ", DEMO + PRODUCTION, re.MULTILINE))
    assert given - SERVERS_OWN <= names
    assert set(re.findall(r"^ENV (.*)$", FINAL_STAGE, re.MULTILINE)[0].split()) >= {
        "HOST=0.0.0.0",
        "PORT=8000",
    }


def test_every_service_is_waited_for_until_it_is_healthy() -> None:
    assert len(re.findall(r"^    healthcheck:$", DEMO, re.MULTILINE)) == 3  # the server has the image's own
    assert DEMO.count("migrate: {condition: service_completed_successfully}") == 2
    assert DEMO.count("postgres: {condition: service_healthy}") == 1


def test_the_demo_is_open_to_this_machine_only_and_production_demands_secrets() -> None:
    assert re.findall(r'^      - "(127\.0\.0\.1:)?\$\{PORT:-8000\}:8000"$', DEMO, re.MULTILINE) == [
        "127.0.0.1:"
    ]
    assert "ROWLOCK_MODE: demo" in DEMO
    assert "ROWLOCK_MODE: production" in PRODUCTION
    taken = re.findall(r"\$\{(\w+)(\S\S)", PRODUCTION)
    assert {name for name, how in taken if how == ":?"} == {"SECRET_KEY", "POSTGRES_PASSWORD"}
    assert {name for name, how in taken if how == ":-"} == OPTIONAL
    assert {how for _, how in taken} == {":?", ":-"}
    assert DEFAULT_SECRET not in DEMO + PRODUCTION
    assert {"demo:/var/lib/postgresql", "production:/var/lib/postgresql"} <= set((DEMO + PRODUCTION).split())
