"""Settings: the forms people have are taken, and what is wrong or unsafe is said at the start."""

from pathlib import Path

import orjson
import pytest

from settings import DEFAULT_SECRET, Settings, SettingsError, read_settings
from settings.addresses import plain_database_url
from settings.example import env_example
from tests.docs.pages import examples_of


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    names = "DATABASE_URL REDIS_URL PORT SECRET_KEY OTHER_SECRET_KEYS ROWLOCK_MODE OIDC_ISSUERS SMTP_URL"
    names += " STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET STRIPE_URL TOP_UP_MIN TOP_UP_MAX"
    for name in names.split():
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
        ("AMQP_URL", "http://h"),
        ("AMQP_URL", "amqp://"),
        ("AMQP_URL", "amqp://rowlock:half/other@broker.example/"),
        ("AMQP_URL", "amqp://broker.example:99999/"),
        ("AMQP_EXCHANGE", "two words"),
        ("CREDITS_CURRENCY", "euro"),
        ("STRIPE_SECRET_KEY", "sk_without_the_other"),
        ("STRIPE_URL", "http://elsewhere"),
        ("TICKET_URL", "https://tickets.example/without-a-place-for-the-id"),
        ("MAIL_FROM", "The House"),
        ("MAIL_FROM", "The House\r\nBcc: all <tickets@house.example>"),
        ("MAIL_TEMPLATES", "/there-is-no-such-folder"),
        ("TWILIO_FROM", "+4930123456"),
        ("TWILIO_ACCOUNT_SID", "somebody"),
        ("TOP_UP_MIN", "0"),
        ("TOP_UP_MIN", "10001"),
        ("TOP_UP_MAX", "lots"),
        ("SECRET_KEY", "short"),
        ("OTHER_SECRET_KEYS", '["short"]'),
        ("ROWLOCK_MODE", "party"),
        ("OIDC_ISSUERS", "https://id.example"),
        ("OIDC_ISSUERS", '{"name": "house"}'),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert name in str(error.value)
    assert value not in str(error.value) or name != "SECRET_KEY"
    assert "half" not in str(error.value)  # of a password


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
    text = env_example(Settings)
    assert DEFAULT_SECRET not in text
    assert {"# PORT=8000", "# ROWLOCK_MODE=development", "# SECRET_KEY="} <= set(text.splitlines())


ISSUER = {"name": "house", "issuer": "https://id.example", "audiences": ["rowlock-api"]}
LOGIN = {"client_id": "web", "redirect_uri": "https://tickets.example/oidc/house/callback"}


def test_issuers_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [ISSUER | {"login": LOGIN | {"client_secret": "hidden"}}, {**ISSUER, **ANOTHER}]
    monkeypatch.setenv("OIDC_ISSUERS", orjson.dumps(said).decode())
    issuers = read_settings().oidc_issuers
    assert [issuer.name for issuer in issuers] == ["house", "another"]
    assert issuers[0].login
    assert issuers[0].login.scopes == ["openid", "profile", "email"]
    assert (issuers[0].trust_custom_id, issuers[0].trust_email) == (False, False)
    assert "hidden" not in repr(issuers)


def test_the_configurations_of_the_docs_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = examples_of("docs/oidc.md")
    assert [example.note for example in examples] == ["configuration"] * 2
    for example in examples:
        monkeypatch.setenv("OIDC_ISSUERS", example.text)
        assert read_settings().oidc_issuers[0].login


ANOTHER = {"name": "another", "issuer": "http://127.0.0.1:8080/realms/house"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": "http://id.example"}, "https://"),
        ({"issuer": "id.example"}, "https://"),
        ({"issuer": "https://"}, "plain address"),
        ({"issuer": "https://id.example#x"}, "plain address"),
        ({"name": "Our House"}, "name"),
        ({"audiences": []}, "audiences"),
        ({"roles": {"door": "SERVICE"}}, "roles"),
        ({"roles": {"door": "BOSS"}}, "roles"),
        ({"trusts": True}, "trusts"),
        ({"login": {"client_id": "web"}}, "redirect_uri"),
        ({"login": LOGIN | {"scopes": ["email"]}}, "openid"),
        ({"login": LOGIN | {"redirect_uri": "https://tickets.example/callback"}}, "/oidc/house/callback"),
        ({"login": LOGIN | {"return_urls": ["javascript:alert(1)"]}}, "https://"),
    ],
)
def test_an_issuer_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], said: str
) -> None:
    monkeypatch.setenv("OIDC_ISSUERS", orjson.dumps([ISSUER | changes]).decode())
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert str(error.value).startswith("OIDC_ISSUERS.0")
    assert said in str(error.value)


def test_two_issuers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for twin, said in (
        (ISSUER | {"name": "other"}, "same issuer"),
        (ANOTHER | {"name": "house"}, "same name"),
    ):
        monkeypatch.setenv("OIDC_ISSUERS", orjson.dumps([ISSUER, {"audiences": ["a"], **twin}]).decode())
        with pytest.raises(SettingsError, match=said):
            read_settings()
