"""One server for all rows of the certification profiles; a browser of its own for each."""

from collections.abc import Iterator

import pytest

from tests.integration.conformance.browser import Browser
from tests.integration.conformance.deployment import POLICY_FILE, Deployment, prepared
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.registration import registered
from tests.integration.service.running import serving
from tests.servers.authcenter import AuthcenterProcess


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """On SQLite, prepared for a run of the suite as the README says."""
    process = AuthcenterProcess(tmp_path_factory.mktemp("conformance"))
    process.policy_file.write_text(POLICY_FILE.read_text())
    for service in serving(process):
        yield prepared(service)


@pytest.fixture
def browser(deployment: Deployment) -> Iterator[Browser]:
    with Browser(deployment.issuer) as browser:
        yield browser


@pytest.fixture
def flow(deployment: Deployment, browser: Browser) -> Flow:
    """Client 1, as an operator made it, and the person, who has never been at this browser."""
    return Flow(deployment, deployment.client, deployment.person(browser))


@pytest.fixture
def dynamic_flow(deployment: Deployment, browser: Browser) -> Iterator[Flow]:
    """A client that has just registered itself, and is gone afterwards."""
    with registered(deployment) as client:
        yield Flow(deployment, client, deployment.person(browser))
