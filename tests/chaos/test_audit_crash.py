"""``kill -9`` under load: what an answer waited for is in the audit log, what none waited for is there but for the
newest rows, and the chains hold; with PostgreSQL gone meanwhile, the next process brings the rows from the spool."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.proven import POLICY, USER, Work
from tests.integration.service.api import Api, until
from tests.integration.service.record import Operator
from tests.integration.service.running import Service
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer

# Of a case that takes a quarter of a minute; a machine may be busy with much else.
pytestmark = pytest.mark.timeout(600)

_TOKENS, _REVOCATIONS, _SIGN_INS = 60, 20, 4
_PATIENCE_SECONDS = 240


@contextmanager
def working(directory: Path, database_url: str | None) -> Iterator[Work]:
    process = AuthcenterProcess(directory, database_url=database_url)
    process.policy_file.write_text(POLICY)
    operator = Operator(process.environment)
    with process, Api(process.url, process.ops_url, process.url) as api:
        operator.user(USER)
        yield Work(Service(process, api, operator), operator.client("worker", "client_credentials", scopes=["read"]))


@pytest.fixture(params=["sqlite", "postgres"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Work]:
    url = None
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    with working(tmp_path, url) as made:
        yield made


def require_prefix(work: Work, kept: set[str]) -> int:
    """Of each program the newest tokens may be missing, and none else; how many are."""
    missing = 0
    for mine in work.done.issued:
        there = [jti in kept for jti in mine]
        first = there.index(False) if False in there else len(there)
        assert not any(there[first:]), "a row is missing between others"
        missing += len(there) - first
    return missing


def test_a_kill_under_load_loses_nothing_that_was_answered_for(work: Work) -> None:
    with work.under_way(issuing=2, revoking=2, signing_in=2) as done:

        def enough() -> bool:
            issued = all(len(mine) >= _TOKENS for mine in done.issued)
            return issued and len(done.revoked) >= _REVOCATIONS and len(done.signed_in) >= _SIGN_INS

        until(enough, "much is under way", _PATIENCE_SECONDS)
        # Rows come to rest while the load goes on: in the database, or in the spool.
        first = {mine[_TOKENS // 2] for mine in done.issued}
        until(lambda: first <= work.tokens_at_rest() | work.spooled(), "rows at rest", _PATIENCE_SECONDS)
    work.service.process.start()
    work.until_drained()

    assert set(done.revoked) <= work.at_rest("request_id", "token.revoked")
    assert set(done.signed_in) <= work.at_rest("request_id", "session.started")
    kept = work.tokens_at_rest()
    assert first <= kept
    assert require_prefix(work, kept) < done.tokens
    work.require_verified()


def test_with_postgresql_gone_rows_wait_in_the_spool_for_the_next_process(tmp_path: Path) -> None:
    with PostgresServer(durable=True) as postgres, working(tmp_path, postgres.create_database()) as work:
        assert work.service.api.ask(work.client).status_code == 200
        with work.under_way(issuing=2) as done:
            until(lambda: all(len(mine) >= _TOKENS for mine in done.issued), "tokens are issued", _PATIENCE_SECONDS)
            postgres.kill()
            before = [len(mine) for mine in done.issued]
            until(
                lambda: all(len(mine) >= count + _TOKENS for mine, count in zip(done.issued, before, strict=True)),
                "tokens are issued without a database",
                _PATIENCE_SECONDS,
            )
            # A token of after the outage began, of each program: with its row all older ones are at rest.
            reached = [len(mine) - 1 for mine in done.issued]
            marks = {mine[last] for mine, last in zip(done.issued, reached, strict=True)}
            until(lambda: marks <= work.spooled(), "the rows are in the spool", _PATIENCE_SECONDS)
        older = {jti for mine, last in zip(done.issued, reached, strict=True) for jti in mine[: last + 1]}
        postgres.start()
        work.service.process.start()
        work.until_drained()

        kept = work.tokens_at_rest()
        assert older <= kept
        require_prefix(work, kept)
        work.require_verified()
        until(lambda: work.service.api.metric("authcenter_audit_queue_depth") == 0, "nothing waits")
