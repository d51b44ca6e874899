"""Messages to people: by whom they leave, what they are made of, and where they lead."""

from typing import Self

from pydantic import DirectoryPath, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from settings.addresses import MailFrom, SmtpUrl, TicketUrl, WebUrl


class Messages(BaseSettings):
    """E-mail and SMS."""

    smtp_url: SmtpUrl | None = Field(
        None,
        description="The mail server, smtp://user:password@host:587 or smtps://; unset: a mailbox at "
        "/mailbox, and in production no mail at all",
    )
    mail_from: MailFrom = Field(
        "Rowlock <noreply@localhost>", description="Who the e-mails of the house are from"
    )
    mail_templates: DirectoryPath | None = Field(
        None, description="A folder with templates that take the place of ours; see docs/messages.md"
    )
    ticket_url: TicketUrl | None = Field(
        None,
        description="The page that shows a ticket and its live code, with {ticket} for its id; unset: "
        "letters have no link to it",
    )
    twilio_account_sid: str | None = Field(
        None,
        pattern="^AC[0-9a-fA-F]{32}$",
        description="Twilio's account, for SMS; unset: as for e-mail, and in production codes go by e-mail",
    )
    twilio_auth_token: SecretStr | None = Field(None, description="The account's token")
    twilio_from: str | None = Field(
        None, description="The number or name that an SMS is from, or the SID of a messaging service, MG…"
    )
    twilio_url: WebUrl | None = Field(None, description="Where Twilio's API is, if it is a stand-in")

    @model_validator(mode="after")
    def _twilio_is_whole(self) -> Self:
        needed = self.twilio_account_sid, self.twilio_auth_token, self.twilio_from
        if any(needed) and not all(needed):
            raise ValueError("TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_FROM: set all of them, or none")
        return self
