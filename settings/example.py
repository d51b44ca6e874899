"""The text of `.env.example`."""

from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings


def env_example(settings: type[BaseSettings]) -> str:
    """Every setting with what it is for, commented out at its default."""
    lines = [
        "# Generated from the settings by `rowlock env-example`. Copy to .env and uncomment what you change.",
        "",
    ]
    names = sorted(settings.model_fields, key=lambda name: name not in settings.__annotations__)
    for name in names:  # what it has by itself before what it inherits
        field = settings.model_fields[name]
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
