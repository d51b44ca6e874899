"""The history of the schema: `upgrade` brings a database from any earlier release to this one."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

_ONE_AT_A_TIME = 0x524F574C  # "ROWL": servers that start together migrate one after the other


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date inside the connection's transaction; do nothing when it is."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    command.upgrade(_config(connection), "head")


def is_current(connection: Connection) -> bool:
    """Say whether the database has exactly the migrations of this release."""
    heads = set(ScriptDirectory.from_config(_config(connection)).get_heads())
    return set(MigrationContext.configure(connection).get_current_heads()) == heads


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
