"""What every test may ask for: servers, started only for who asks; and properties that no slow machine fails."""

import hypothesis

pytest_plugins = ["tests.servers.fixtures"]


def pytest_configure() -> None:
    hypothesis.settings.register_profile(
        "authcenter", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("authcenter")
