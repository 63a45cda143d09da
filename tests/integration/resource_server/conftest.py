"""An authorization server whose tests kill it: of this directory alone."""

from collections.abc import Iterator

import pytest

from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    yield from serving(AuthcenterProcess(tmp_path_factory.mktemp("resource-server")))
