"""Every setting of the house, read once from the environment and `.env`, checked before anything starts."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as NotReadable

from settings.addresses import AmqpUrl, DatabaseUrl, RedisUrl, WebUrl
from settings.limits import EndpointLimits
from settings.messages import Messages
from settings.providers import OidcIssuer
from settings.rates import Rates

DEFAULT_SECRET = "rowlock-development-secret-not-for-production"  # noqa: S105
SECRET_CHARACTERS_MIN = 32


class Mode(StrEnum):
    """What the server is run for; only `production` is fit for the open internet."""

    DEVELOPMENT = "development"
    DEMO = "demo"
    PRODUCTION = "production"


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one line for each of them."""


class Settings(Rates, EndpointLimits, Messages, BaseSettings):
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
    database_url: DatabaseUrl | None = Field(
        None, description="PostgreSQL 15 or newer; unset: an embedded one (not in production)"
    )
    redis_url: RedisUrl | None = Field(
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
    oidc_issuers: list[OidcIssuer] = Field(
        default_factory=list,
        description="OpenID Connect providers whose tokens are good here, as a JSON list; see docs/oidc.md",
    )
    code_seconds: int = Field(300, ge=60, le=3_600, description="How long a one-time code is good")
    code_pause_seconds: int = Field(
        30, ge=0, le=3_600, description="How soon a person may ask for another code for the same thing"
    )
    amqp_url: AmqpUrl | None = Field(
        None,
        description="A RabbitMQ that is told what webhooks are told, amqp://user:password@host/vhost or "
        "amqps://; needs `rowlock[amqp]`, see docs/rabbitmq.md; unset: none",
    )
    amqp_exchange: str = Field(
        "rowlock",
        pattern=r"^[\w.:-]{1,100}$",
        description="The topic exchange there, and what the names of our queues begin with",
    )
    hold_seconds: int = Field(
        300, ge=1, le=3_600, description="How long seats are held for a buyer who has not paid"
    )
    card_hold_seconds: int = Field(
        900,
        ge=1,
        le=3_600,
        description="How long in all seats are held, from `reserve` on, for a buyer who pays by card",
    )
    seats_per_order_max: int = Field(10, ge=1, le=50, description="Seats in one order")
    seats_per_buyer_max: int = Field(
        20, ge=1, le=100_000, description="Seats that one buyer may have at one event"
    )
    refund_hours_before_event: int = Field(
        24,
        ge=0,
        le=8_760,
        description="How many hours before an event its buyers can have their money back for the last time",
    )
    cancelled_tickets_paid_back: bool = Field(
        False, description="Pay back what `cancelTicket` cancels, as `refundTicket` does"
    )
    transfer_seconds: int = Field(
        900, ge=60, le=86_400, description="How long a transfer waits for the codes of both"
    )
    transfer_closes_minutes: int = Field(
        60, ge=0, le=525_600, description="How many minutes before an event its tickets change hands last"
    )
    transfers_per_ticket_max: int = Field(
        3, ge=0, le=1_000, description="How often one ticket may change hands; 0: never"
    )
    dispute_hours: int = Field(
        48, ge=0, le=8_760, description="How long after a transfer either of the two may dispute it"
    )
    frame_milliseconds: int = Field(
        50, ge=0, le=10_000, description="Watchers of an event get at most one update in this time"
    )
    credits_currency: str = Field(
        "EUR", pattern="^[A-Z]{3}$", description="ISO 4217 code of the currency that credits are in"
    )
    stripe_secret_key: SecretStr | None = Field(
        None,
        description="Stripe's secret key, for cards; unset: a provider that only plays, and in "
        "production none",
    )
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="The signing secret of Stripe's webhook to /webhooks/stripe"
    )
    stripe_url: WebUrl | None = Field(None, description="Where Stripe's API is, if it is a stand-in")
    top_up_min: Decimal = Field(Decimal("1.00"), gt=0, description="The least that credits are bought for")
    top_up_max: Decimal = Field(Decimal("10000.00"), le=10**9, description="The most, likewise")
    allowed_origins: list[str] = Field(
        default_factory=list, description="Web origins of front ends on other hosts, as a JSON list"
    )
    persisted_queries: bool = Field(
        True,
        description="Keep valid documents that come with their SHA-256, to be asked for by that alone",
    )
    docs: bool = Field(True, description="Show the documentation of the API at /docs, in production too")
    jobs_in_server: bool = Field(
        True,
        description="Have the background jobs done where a server runs too, not only by workers",
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR"
    )
    metrics: bool = Field(True, description="Count what goes on, and show it at /metrics")
    metrics_token: SecretStr | None = Field(
        None, description="Whoever reads /metrics sends this as a bearer; unset: only this machine may"
    )

    @property
    def is_production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def may_introspect(self) -> bool:
        return not self.is_production if self.introspection is None else self.introspection

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
        if (self.stripe_secret_key is None) != (self.stripe_webhook_secret is None):
            raise ValueError("STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET: set both, or neither")
        if self.top_up_min > self.top_up_max:
            raise ValueError("TOP_UP_MIN must not be more than TOP_UP_MAX")
        for told_by in ("name", "issuer"):
            told = [getattr(issuer, told_by) for issuer in self.oidc_issuers]
            if len(set(told)) < len(told):
                raise ValueError(f"OIDC_ISSUERS: two issuers have the same {told_by}")
        return self


def read_settings(**overrides: Any) -> Settings:
    """Read the settings, or raise `SettingsError` with a line for each that is missing or wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(e) for e in error.errors())) from None
    except NotReadable as error:
        name = str(error).partition('"')[2].partition('"')[0].upper()
        raise SettingsError(f"{name}: must be JSON") from None


def _problem(error: Any) -> str:
    setting, *inner = (str(part) for part in error["loc"] or [""])
    name = ".".join([setting.upper(), *inner])
    sentence = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {sentence}" if name else sentence
