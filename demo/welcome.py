"""What a person sees who starts the demo: where to click, who to be, and a first query to paste."""

from demo.load import ACCOUNTS, PASSWORD

FIRST_QUERY = """{
  events {
    nodes { id name startsAt availableSeats pricingTiers { name price { amount currency } } }
  }
}"""

SECOND_STEP = """mutation {
  login(input: {email: "alice@example.com", password: "rowlock-demo"}) {
    ... on SessionPayload { session { accessToken user { creditBalance { amount currency } } } }
    ... on Refusal { code message }
  }
}"""


def welcome(url: str) -> str:
    """The text that `rowlock serve --demo` prints."""
    accounts = "\n".join(f"    {email:24}{name}" for email, (name, _) in ACCOUNTS.items())
    return f"""
Rowlock serves the demo. Ctrl-C stops it and all that it started; the data stays.

  Click here:   {url}/graphql
  Read here:    {url}/docs
  Health:       {url}/health
  Mailbox:      {url}/mailbox

  Accounts, all with the password {PASSWORD}:
{accounts}

  A first query to paste:

{_indented(FIRST_QUERY)}

  Then log in, and send the token as a header: {{"Authorization": "Bearer <accessToken>"}}

{_indented(SECOND_STEP)}
"""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
