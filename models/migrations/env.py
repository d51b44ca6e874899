"""How Alembic runs our migrations: on the connection that `upgrade` was given, in its transaction."""

from alembic import context
from sqlmodel import SQLModel

import models  # noqa: F401  (fills the metadata)

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True)
context.run_migrations()
