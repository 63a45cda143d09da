"""A running authorization server, and resource servers beside it."""

from collections.abc import Iterator

import pytest

from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """On SQLite, with the default policy."""
    yield from serving(AuthcenterProcess(tmp_path_factory.mktemp("sdk")))
