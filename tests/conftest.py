"""What every test may ask for: servers, started only for who asks; and properties that fail nobody by chance."""

import hypothesis
import pytest

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
