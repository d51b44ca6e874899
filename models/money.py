"""Amounts: integers of a currency's smallest unit in the database, exact decimals at the edge."""

from decimal import Decimal

from moneyed import CURRENCIES

AMOUNT_MINOR_MAX = 10**15


def is_currency(code: str) -> bool:
    """Say whether this is the ISO 4217 code of a currency."""
    return code in CURRENCIES


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn major units into minor ones, exactly; ValueError says what is wrong with the amount."""
    minor = amount * CURRENCIES[currency].sub_unit
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency} has.")
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise ValueError("The amount is too large.")
    return int(minor)


def to_major(minor: int, currency: str) -> Decimal:
    """Turn minor units into major ones, with exactly the decimals that the currency has."""
    sub_unit = CURRENCIES[currency].sub_unit
    decimals = len(str(sub_unit)) - 1
    return Decimal(minor).scaleb(-decimals) if sub_unit == 10**decimals else Decimal(minor) / sub_unit
