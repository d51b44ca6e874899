"""Every setting of the house, read once from the environment and `.env`, checked before anything starts."""

from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_SECRET = "rowlock-development-secret-not-for-production"  # noqa: S105
SECRET_CHARACTERS_MIN = 32


class Mode(StrEnum):
    """What the server is run for; only `production` is fit for the open internet."""

    DEVELOPMENT = "development"
    DEMO = "demo"
    PRODUCTION = "production"


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one line for each of them."""


def plain_database_url(url: str) -> str:
    """Reduce the forms of a PostgreSQL URL that people have to the one that the driver takes.

    Accepts `postgres://`, `postgresql://` and `postgresql+<driver>://`; turns Prisma's `?schema=` into the
    `search_path`, and drops the parameters that only other tools' pools understand.
    """
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError("must begin with postgresql://, as in postgresql://user:password@host/name")
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in _OTHER_TOOLS_PARAMETERS]
    query = [("search_path", v) if k == "schema" else (k, v) for k, v in query]
    return urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))


_OTHER_TOOLS_PARAMETERS = {"connection_limit", "pool_timeout", "pgbouncer", "prepared_statement_cache_size"}


def _redis_url(url: str) -> str:
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return url


def _smtp_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must be as smtp://user:password@host:587 or smtps://user:password@host:465")
    return url


class Settings(BaseSettings):
    """What can be set, with its unit and its default; the environment's names are these in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    mode: Mode = Field(
        Mode.DEVELOPMENT, validation_alias="ROWLOCK_MODE", description="development, demo or production"
    )
    host: str = Field("127.0.0.1", description="The address that the server listens on")
    port: int = Field(8000, ge=0, le=65535, description="The port that the server listens on")
    database_url: Annotated[str, AfterValidator(plain_database_url)] | None = Field(
        None, description="PostgreSQL 15 or newer; unset: an embedded one (not in production)"
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = Field(
        None, description="Redis or Valkey, the bus between processes; unset: an embedded one, or none"
    )
    database_pool_size: int = Field(
        20, ge=2, le=500, description="Connections to PostgreSQL that one process may hold"
    )
    lock_timeout_ms: int = Field(
        2_000, ge=10, description="How long a transaction waits for a row before it answers BUSY"
    )
    statement_timeout_ms: int = Field(15_000, ge=100, description="How long one statement may run")
    idle_in_transaction_timeout_ms: int = Field(
        10_000, ge=100, description="How long an open transaction may do nothing"
    )
    secret_key: SecretStr = Field(
        SecretStr(DEFAULT_SECRET),
        description="Signs what people log in with: 32 characters or more, random, the same on every server",
    )
    other_secret_keys: list[SecretStr] = Field(
        default_factory=list,
        description="Keys that are accepted beside SECRET_KEY while it is being changed, as a JSON list",
    )
    token_issuer: str = Field("rowlock", description="The `iss` of our access tokens")
    token_audience: str = Field("rowlock-api", description="The `aud` of our access tokens")
    access_token_seconds: int = Field(
        900, ge=30, le=86_400, description="How long an access token is good for"
    )
    session_days: int = Field(
        30, ge=1, le=400, description="How long a session lasts that is not used: its refresh token's life"
    )
    refresh_repeat_seconds: int = Field(
        10,
        ge=0,
        le=60,
        description="How soon a refresh token may come once more and get the same answer, as two tabs do",
    )
    code_seconds: int = Field(300, ge=60, le=3_600, description="How long a one-time code is good")
    code_pause_seconds: int = Field(
        30, ge=0, le=3_600, description="How soon a person may ask for another code for the same thing"
    )
    smtp_url: Annotated[SecretStr, AfterValidator(_smtp_url)] | None = Field(
        None,
        description="The mail server, smtp://user:password@host:587 or smtps://; unset: a mailbox at "
        "/mailbox, and in production no mail at all",
    )
    mail_from: str = Field("Rowlock <noreply@localhost>", description="Who the e-mails of the house are from")
    hold_seconds: int = Field(
        300, ge=1, le=3_600, description="How long seats are held for a buyer who has not paid"
    )
    seats_per_order_max: int = Field(10, ge=1, le=50, description="Seats in one order")
    seats_per_buyer_max: int = Field(
        20, ge=1, le=100_000, description="Seats that one buyer may have at one event"
    )
    frame_milliseconds: int = Field(
        50, ge=0, le=10_000, description="Watchers of an event get at most one update in this time"
    )
    credits_currency: str = Field(
        "EUR", pattern="^[A-Z]{3}$", description="ISO 4217 code of the currency that credits are in"
    )
    allowed_origins: list[str] = Field(
        default_factory=list, description="Web origins of front ends on other hosts, as a JSON list"
    )
    jobs_in_server: bool = Field(
        True,
        description="Run the background jobs in every server process too, not only in workers",
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )

    @property
    def is_production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        secrets = [key.get_secret_value() for key in (self.secret_key, *self.other_secret_keys)]
        if any(len(secret) < SECRET_CHARACTERS_MIN for secret in secrets):
            raise ValueError(
                f"SECRET_KEY, OTHER_SECRET_KEYS: {SECRET_CHARACTERS_MIN} characters or more each"
            )
        if self.is_production and DEFAULT_SECRET in secrets:
            raise ValueError("SECRET_KEY must be set in production: the default is public knowledge")
        if self.is_production and not self.database_url:
            raise ValueError("DATABASE_URL must be set in production")
        return self


def read_settings(**overrides: Any) -> Settings:
    """Read the settings, or raise `SettingsError` with a line for each that is missing or wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(e) for e in error.errors())) from None


def _problem(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]).upper()
    sentence = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {sentence}" if name else sentence


def env_example() -> str:
    """The text of `.env.example`: every setting with what it is for, commented out at its default."""
    lines = [
        "# Generated from settings.py by `rowlock env-example`. Copy to .env and uncomment what you change.",
        "",
    ]
    for name, field in Settings.model_fields.items():
        lines += [
            f"# {field.description}.",
            f"# {field.validation_alias or name.upper()}={_shown(field)}",
            "",
        ]
    return "\n".join(lines)


def _shown(field: Any) -> str:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, SecretStr):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)
