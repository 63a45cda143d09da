"""A console on a database that has the schema already: migrating costs more than all else a command does."""

from pathlib import Path

import pytest

from tests.integration.cli.console import Console


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Console:
    """With the schema and nothing in it."""
    made = Console(tmp_path_factory.mktemp("migrated"))
    assert made.run("db", "upgrade").exit_code == 0
    return made


@pytest.fixture
def console(tmp_path: Path, migrated: Console) -> Console:
    return migrated.copied_to(tmp_path)
