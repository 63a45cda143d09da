"""What every test may ask for: servers, started only for who asks."""

pytest_plugins = ["tests.servers.fixtures"]
