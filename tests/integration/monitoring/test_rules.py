"""Rules and alerts in ``deploy/prometheus``, as Prometheus's own tool judges them."""

import pytest

from tests.servers.deployed import DEPLOY
from tests.servers.prometheus import promtool

RULES = DEPLOY / "prometheus"

CHECKS = [
    pytest.param(("check", "rules", "--lint=all", "--lint-fatal", RULES / "recording.yaml"), id="recording rules"),
    pytest.param(("check", "rules", "--lint=all", "--lint-fatal", RULES / "alerts.yaml"), id="alerts"),
    pytest.param(("check", "config", RULES / "prometheus.yaml"), id="configuration"),
    pytest.param(("test", "rules", RULES / "alerts.test.yaml"), id="tests of the alerts"),
]


@pytest.mark.parametrize("arguments", CHECKS)
def test_promtool_has_nothing_to_say_against(arguments: tuple[str, ...]) -> None:
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
