"""The image and the compose file speak of files, commands and settings that exist."""

import re
from pathlib import Path

from cli import cli
from settings import Settings

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker/compose.yaml").read_text(encoding="utf-8")


def test_what_the_image_copies_is_there_and_is_everything() -> None:
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert [name for name in copied if not (ROOT / name).exists()] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    modules = {path.name for path in ROOT.glob("*.py")}
    assert packages - {"bench"} | modules <= copied


def test_the_image_does_not_run_as_root_and_checks_its_health() -> None:
    assert re.search(r"^USER rowlock$", DOCKERFILE, re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE
    assert "--require-hashes -r requirements.lock" in DOCKERFILE


def test_the_services_run_commands_that_exist_with_settings_that_exist() -> None:
    known = {
        command.name or command.callback.__name__ for command in cli.registered_commands if command.callback
    }
    for command in re.findall(r'^    command: \["(\w[\w-]*)"\]', COMPOSE, re.MULTILINE):
        assert command in known
    names = {(f.validation_alias or name.upper()) for name, f in Settings.model_fields.items()}
    given = set(re.findall(r"^\s+([A-Z_]+): ", COMPOSE, re.MULTILINE)) - {
        "POSTGRES_USER",
        "POSTGRES_DB",
        "POSTGRES_PASSWORD",
    }
    assert given <= names
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ROWLOCK_MODE"} <= given
