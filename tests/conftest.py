"""What every test may ask for: servers, started only for who asks; properties that fail nobody by chance; and logs in
which no secret of the run is found."""

from collections.abc import Iterator

import hypothesis
import pytest

from tests.servers.listening import listening
from tests.servers.log_search import THIS_RUN

pytest_plugins = ["tests.servers.fixtures"]

_EXAMPLES_OF_AN_EXPLORER = 1_000


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """The same examples in every run, so that what passes here passes there; ``--hypothesis-profile=exploring`` looks
    for others, and many more."""
    patient = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.register_profile("authcenter", patient, derandomize=True)
    hypothesis.settings.register_profile("exploring", patient, max_examples=_EXAMPLES_OF_AN_EXPLORER, print_blob=True)
    hypothesis.settings.load_profile("authcenter")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files marked ``long`` first: begun last, each would be waited for by everybody else."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def _no_secret_in_any_log() -> Iterator[None]:
    """Ends last of all, when every server has written its last line: an error of the last test is one of the run."""
    with listening(THIS_RUN):
        yield
    found = THIS_RUN.found()
    shown = "\n".join(found[:20])
    assert not found, f"secrets or tokens of this run are in {len(found)} places of its logs:\n{shown}"
