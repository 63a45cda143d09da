"""Which migration a database stands at, and bringing it to the newest."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from authcenter.stores.ports.schema import SchemaState
from authcenter.stores.sql.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as it is the same in every process: it names the lock, not the data.
_POSTGRES_LOCK = 0x61757468
_MIGRATION_SECONDS = 600.0


async def schema_state(database: Database) -> SchemaState:
    """Raises ``StoreUnavailable``."""
    async with database.reading() as connection:
        return await connection.run_sync(_state)


async def upgrade_schema(database: Database) -> SchemaState:
    """Run all pending migrations; of several processes that try at once, one does. Raises ``StoreUnavailable``."""
    # On a connection of its own: a statement may wait for another process's migrations, and rebuild a large table.
    patient = Database(database.url, statement_seconds=_MIGRATION_SECONDS)
    try:
        async with patient.writing() as connection:
            if patient.dialect == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})"))
            await connection.run_sync(_upgrade)
            return await connection.run_sync(_state)
    finally:
        await patient.close()


# Alembic is imported where it is used: it takes a tenth of a second, and only migrations need it.


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _state(connection: Connection) -> SchemaState:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    newest = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return SchemaState(MigrationContext.configure(connection).get_current_revision(), newest or "")


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(connection), "head")
