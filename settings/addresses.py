"""Addresses that people give, in the one form that we take; each fault in a sentence."""

from email.utils import parseaddr
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, SecretStr

OTHER_TOOLS_PARAMETERS = {"connection_limit", "pool_timeout", "pgbouncer", "prepared_statement_cache_size"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def plain_database_url(url: str) -> str:
    """Reduce the forms of a PostgreSQL URL that people have to the one that the driver takes.

    Accepts `postgres://`, `postgresql://` and `postgresql+<driver>://`; turns Prisma's `?schema=` into the
    `search_path`, and drops the parameters that only other tools' pools understand.
    """
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError("must begin with postgresql://, as in postgresql://user:password@host/name")
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in OTHER_TOOLS_PARAMETERS]
    query = [("search_path", v) if k == "schema" else (k, v) for k, v in query]
    return urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))


def redis_url(url: str) -> str:
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return url


def smtp_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must be as smtp://user:password@host:587 or smtps://user:password@host:465")
    return url


def amqp_url(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname or not _has_port_or_none(parts):
        raise ValueError(
            "must be as amqp://user:password@host:5672/vhost or amqps://user:password@host/vhost, "
            "with %2F for a slash in the password, and likewise for : @ # and ?"
        )
    return url


def web_url(url: str) -> str:
    parts = urlsplit(url)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ValueError("must begin with https:// (http:// is for this machine alone)")
    is_ascii = url.isascii() and url.isprintable() and " " not in url
    if not parts.hostname or parts.fragment or parts.username or not is_ascii or not _has_port_or_none(parts):
        raise ValueError("must be a plain address, as in https://id.example.com/realms/house")
    return url


def ticket_url(url: str) -> str:
    if "{ticket}" not in url or "{" in url.replace("{ticket}", ""):
        raise ValueError("must have {ticket} for the id, as in https://tickets.example.com/tickets/{ticket}")
    web_url(url.replace("{ticket}", "ticket"))
    return url


def mail_from(sender: str) -> str:
    if not sender.isprintable() or "@" not in parseaddr(sender)[1]:
        raise ValueError("must be an address, as in The House <tickets@house.example>")
    return sender


def _has_port_or_none(parts: SplitResult) -> bool:
    """Say whether what stands where the port does is one; it may be a part of a password."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


DatabaseUrl = Annotated[str, AfterValidator(plain_database_url)]
RedisUrl = Annotated[str, AfterValidator(redis_url)]
WebUrl = Annotated[str, AfterValidator(web_url)]
SmtpUrl = Annotated[SecretStr, AfterValidator(smtp_url)]
TicketUrl = Annotated[str, AfterValidator(ticket_url)]
MailFrom = Annotated[str, AfterValidator(mail_from)]
AmqpUrl = Annotated[SecretStr, AfterValidator(amqp_url)]
