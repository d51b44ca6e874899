"""How often one may try what a guesser would try for ever."""

from typing import Annotated

from limits import parse
from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings


def _rate(text: str) -> str:
    if text:
        try:
            parse(text)
        except ValueError:
            raise ValueError("must be a rate, as in 10/minute or 20/15 minutes; empty: none") from None
    return text


Rate = Annotated[str, AfterValidator(_rate)]


class Rates(BaseSettings):
    """Rates of tries, for an account and for an address; each try counts, not each request."""

    login_rate_per_account: Rate = Field(
        "10/5 minutes", description="Log-ins that fail, and changes of a password, for one account"
    )
    login_rate_per_address: Rate = Field("60/minute", description="The same, from one address")
    register_rate_per_address: Rate = Field("30/hour", description="New accounts from one address")
    refresh_rate_per_account: Rate = Field("30/minute", description="Refreshed sessions of one account")
    refresh_rate_per_address: Rate = Field("300/minute", description="Refreshed sessions from one address")
    code_rate_per_account: Rate = Field(
        "10/5 minutes", description="One-time codes that one account asks for or tries"
    )
    code_rate_per_address: Rate = Field("60/minute", description="The same, from one address")
    transfer_rate_per_account: Rate = Field(
        "60/day", description="Transfers that one account begins, at each of which a code may be guessed at"
    )
    client_rate_per_account: Rate = Field("60/minute", description="Tokens that one SERVICE client asks for")
    client_rate_per_address: Rate = Field("120/minute", description="The same, from one address")
    cost_per_minute_max: int = Field(
        1_000_000,
        ge=1_000,
        le=2**31 - 1,
        description="What all operations of one account, or of one address without one, may cost in a minute "
        "at one server process",
    )

    @property
    def rates(self) -> dict[str, str]:
        """The rates by their names."""
        return {name: getattr(self, name) for name in RATES}


RATES = tuple(name for name in Rates.model_fields if "_rate_per_" in name)
