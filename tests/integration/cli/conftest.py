"""A console on a database that has the schema already: migrating costs more than all else a command does."""

import shutil
from pathlib import Path

import pytest

from tests.integration.cli.console import Console


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and nothing in it."""
    console = Console(tmp_path_factory.mktemp("migrated"))
    assert console.run("db", "upgrade").exit_code == 0
    return console.database


@pytest.fixture
def console(tmp_path: Path, migrated: Path) -> Console:
    made = Console(tmp_path)
    shutil.copy(migrated, made.database)
    return made
