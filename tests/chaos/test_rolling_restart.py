"""Two servers on one database, stopped and started in turn under load: a client that tries the other one when its
connection is refused never sees a failure."""

import time
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.deployment import Deployment
from tests.chaos.load import require_kept, under_load
from tests.servers.postgres import PostgresServer

QUIET_SECONDS = 0.5


def test_no_request_fails(postgres_server: PostgresServer, tmp_path: Path) -> None:
    deployment = Deployment.start(tmp_path / "one", postgres_server.create_database(), mortal=False)
    one = deployment.server
    with ExitStack() as stack:
        stack.callback(one.stop)
        two = stack.enter_context(one.sibling(tmp_path / "two"))
        with under_load(deployment, urls=[one.url, two.url]) as told:
            for server in (one, two, one):
                assert server.stop() == 0
                server.start()
                time.sleep(QUIET_SECONDS)
        assert not told.wrong
        assert {status for _, _, status in told.answers} == {200}
        # By now both know of everything, and not only the one that was told.
        time.sleep(2)
        require_kept(deployment, told)
