"""What every test may ask for: servers, started only for who asks; and properties that no slow machine fails."""

import os

import hypothesis

pytest_plugins = ["tests.servers.fixtures"]


def pytest_configure() -> None:
    # In CI the same examples every time: a change is refused for what it did, not for what chance turned up that day.
    hypothesis.settings.register_profile(
        "authcenter",
        deadline=None,
        derandomize=os.environ.get("CI") == "true",
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("authcenter")
