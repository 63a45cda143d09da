"""Keys in Consul pass the suite that keys in memory and in SQL pass."""

from tests.integration.stores.test_key_succession import *  # noqa: F403
from tests.integration.stores.test_keys import *  # noqa: F403
