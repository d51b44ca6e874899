"""Settings: the forms people have are taken, and what is wrong or unsafe is said at the start."""

from pathlib import Path

import pytest

from settings import DEFAULT_SECRET, SettingsError, env_example, plain_database_url, read_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "PORT",
        "SECRET_KEY",
        "OTHER_SECRET_KEYS",
        "ROWLOCK_MODE",
        "SMTP_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(str(tmp_path))


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("postgresql://u:p@h:5/d", "postgresql://u:p@h:5/d"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql://u@h/d"),
        ("postgresql+psycopg2://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("postgresql://u@h/d?schema=tickets", "postgresql://u@h/d?search_path=tickets"),
        ("postgresql://u@h/d?pgbouncer=true&connection_limit=5", "postgresql://u@h/d"),
    ],
)
def test_the_forms_of_a_database_url(given: str, plain: str) -> None:
    assert plain_database_url(given) == plain


def test_the_environment_and_the_env_file_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9000\nDATABASE_URL=postgres://u@h/d\nREDIS_URL=\n")
    settings = read_settings()
    assert (settings.port, settings.database_url, settings.redis_url) == (9000, "postgresql://u@h/d", None)
    monkeypatch.setenv("PORT", "9001")
    assert read_settings().port == 9001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u@h/d"),
        ("REDIS_URL", "http://h"),
        ("PORT", "many"),
        ("SMTP_URL", "http://h"),
        ("SMTP_URL", "smtp://"),
        ("CREDITS_CURRENCY", "euro"),
        ("SECRET_KEY", "short"),
        ("OTHER_SECRET_KEYS", '["short"]'),
        ("ROWLOCK_MODE", "party"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert name in str(error.value)
    assert value not in str(error.value) or name != "SECRET_KEY"


def test_production_refuses_a_secret_that_everybody_knows_and_no_database() -> None:
    for given in ({}, {"secret_key": DEFAULT_SECRET}, {"secret_key": "x" * 32}):
        with pytest.raises(SettingsError, match="production"):
            read_settings(mode="production", **given)
    with pytest.raises(SettingsError, match="production"):
        read_settings(
            mode="production",
            secret_key="x" * 32,
            other_secret_keys=[DEFAULT_SECRET],
            database_url="postgresql://u@h/d",
        )
    good = read_settings(mode="production", secret_key="x" * 32, database_url="postgresql://u@h/d")
    assert good.is_production


def test_every_setting_stands_in_the_example() -> None:
    text = env_example()
    assert DEFAULT_SECRET not in text
    assert {"# PORT=8000", "# ROWLOCK_MODE=development", "# SECRET_KEY="} <= set(text.splitlines())
