"""Redis, PostgreSQL and Consul are killed, frozen and emptied under three instances that are at work.

DESIGN "When a part is gone", held to the letter: what still works worked, what is refused was refused with 503 and a
time to try again, and nothing that was acknowledged is missing anywhere afterwards.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import pytest

from tests.chaos.caller import Caller
from tests.chaos.fleet import DEPENDENCIES, POLICY, Fleet, fleet, gone_with
from tests.chaos.notes import INTROSPECT_REFRESH, INTROSPECT_REVOKED, PASSWORD_GRANT, REFRESH, REVOKE, Told
from tests.chaos.verdict import MOST_LINES, Marks, everywhere, require_kept, require_right, require_told_once
from tests.integration.service.api import until

# Of a case that takes a quarter of a minute; a machine may be busy with much else.
pytestmark = pytest.mark.timeout(400)

_DEGRADED_AND_RESTORED = ["revocation_degraded", "revocation_restored"]
_NEED_THE_RECORD = (PASSWORD_GRANT, REFRESH, REVOKE, INTROSPECT_REFRESH)


@dataclass(frozen=True, slots=True)
class Outage:
    """How a dependency goes and comes back, by names of its server's methods; and what is refused meanwhile."""

    dependency: str
    begin: str
    end: str
    refused: tuple[str, ...] = ()


OUTAGES = [
    pytest.param(Outage("redis", "kill", "start"), id="redis killed"),
    pytest.param(Outage("redis", "freeze", "thaw"), id="redis frozen"),
    pytest.param(Outage("redis", "kill", "restart_empty"), id="redis emptied"),
    pytest.param(Outage("database", "kill", "start", _NEED_THE_RECORD), id="postgres killed"),
    pytest.param(Outage("database", "freeze", "thaw", _NEED_THE_RECORD), id="postgres frozen"),
    pytest.param(Outage("consul", "kill", "start"), id="consul killed"),
    pytest.param(Outage("consul", "freeze", "thaw"), id="consul frozen"),
    pytest.param(Outage("consul", "kill", "restart_empty"), id="consul emptied"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.mark.parametrize("outage", OUTAGES)
def test_the_table_holds_and_nothing_is_lost(running: Fleet, outage: Outage) -> None:
    running.until_well()
    in_force = running.instances[0].policy_version
    server, before = running.servers[outage.dependency], running.log_sizes()
    with running.traffic() as traffic:
        # Not yet: revocations that are old enough to be known everywhere.
        traffic.until_answered(time.monotonic(), but=INTROSPECT_REVOKED)
        begins = time.monotonic()
        getattr(server, outage.begin)()
        gone = time.monotonic()
        try:
            with refused_push(running) if outage.dependency == "consul" else nullcontext():
                running.until_up(outage.dependency, up=False)
                traffic.until_answered(time.monotonic())
                until_told(running, outage.dependency)
                if outage.dependency == "database":
                    require_refused_revocation_spread(running)
        finally:
            marks, returns = Marks(before, running.log_sizes()), time.monotonic()
            getattr(server, outage.end)()
        running.until_well()
        well = time.monotonic()
        traffic.until_answered(well)

    told = traffic.told
    require_right(told)
    require_refused(told, outage.refused, begins, gone, returns, well)
    require_kept(running, told)
    require_told_once(running, marks, outage.dependency)
    if outage.dependency == "consul":
        # One that was emptied has to be told again; until then the last good policy stays.
        assert [one.policy_version for one in running.instances] == [in_force] * len(running.instances)
        running.push(POLICY)


def test_without_redis_and_the_record_who_wants_to_be_sure_is_refused_and_the_others_go_on(running: Fleet) -> None:
    running.until_well()
    before = running.log_sizes()
    token = running.callers[0].own_token()
    strict = [Caller(one.api.url, running.closed.client_id, str(running.closed.secret)) for one in running.instances]
    assert all(caller.active(token) for caller in strict)
    with running.traffic() as traffic:
        traffic.until_answered(time.monotonic(), but=INTROSPECT_REVOKED)
        # What was acknowledged has been announced, and read, when Redis goes too.
        begins = time.monotonic()
        running.servers["database"].kill()
        gone = time.monotonic()
        running.until_up("database", up=False)
        traffic.until_answered(time.monotonic())
        running.servers["redis"].kill()
        running.until_up("redis", up=False)
        for one, caller in zip(running.instances, strict, strict=True):
            until(lambda one=one: one.degraded, "the gauge to tell that revocations do not get here")
            until(lambda caller=caller: cannot_tell(caller, token), "'cannot tell' once it is too long ago")
        traffic.until_answered(time.monotonic())
        assert all(cannot_tell(caller, token) for caller in strict)
        down = (200, "degraded", {name: "up" if "consul" in name else "down" for name in DEPENDENCIES})
        assert [one.readiness() for one in running.instances] == [down] * len(running.instances)
        returns = time.monotonic()
        for name in ("redis", "database"):
            running.servers[name].start()
        running.until_well()
        well = time.monotonic()
        assert all(caller.active(token) for caller in strict)
        traffic.until_answered(well)

    told = traffic.told
    require_right(told)
    require_refused(told, _NEED_THE_RECORD, begins, gone, returns, well)
    require_kept(running, told)
    for one, since in zip(running.instances, before, strict=True):
        lines = [line["event"] for line in one.log_lines(since)]
        told_of = [line for line in lines if line in _DEGRADED_AND_RESTORED]
        # Once; a Redis that was slow while the record was gone already was one time more.
        assert told_of == _DEGRADED_AND_RESTORED * (len(told_of) // 2 or 1), lines
        assert len(lines) <= MOST_LINES, lines


def cannot_tell(caller: Caller, token: str) -> bool:
    answer = caller.post("/oauth/introspect", token=token)
    if answer.status == 200:
        assert answer.json["active"]
        return False
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    return True


def require_refused(
    told: Told, refused: tuple[str, ...], begins: float, gone: float, returns: float, well: float
) -> None:
    """These kinds were, from ``gone`` until what was gone was let come back; nothing else was, and at no other time."""
    for note in told.notes:
        if note.kind not in refused or note.ended < begins or note.sent > well:
            assert note.status == 200, note
    meanwhile = [note for note in told.of(since=gone, until=returns) if note.kind in refused]
    assert {note.kind for note in meanwhile} == set(refused)
    assert {note.status for note in meanwhile} <= {503}


def require_refused_revocation_spread(running: Fleet) -> None:
    """Without the record a revocation is not acknowledged, but Redis is told all the same, and by it the others."""
    token = running.callers[0].own_token()
    assert running.callers[0].revoke(token).status == 503
    everywhere(
        running, lambda caller, token: not caller.active(token), [token], "a token that should be revoked is refused"
    )


def until_told(running: Fleet, gone: str) -> None:
    """Readiness and gauges tell what is gone, and of nothing else."""
    expected = (200, "degraded", {name: "down" if name in gone_with(gone) else "up" for name in DEPENDENCIES})
    down = gone_with(gone)
    for one in running.instances:
        until(lambda one=one: one.readiness() == expected, f"{expected}")
        until(lambda one=one: [name for name in DEPENDENCIES if not one.up(name)] == down, f"{gone} alone to be down")
        # With either Redis or the record, what is revoked gets around as the policy demands.
        until(lambda one=one: not one.degraded, "revocations that get here")


@contextmanager
def refused_push(running: Fleet) -> Iterator[None]:
    """While the block runs a policy is pushed, in vain."""
    document = running.directory / "pushed.yaml"
    document.write_text(POLICY + "logging: {level: DEBUG}\n")
    with ThreadPoolExecutor(1) as thread:
        pushed = thread.submit(running.instances[0].process.cli, "policy", "push", str(document), "--yes")
        yield
        assert pushed.result().returncode == 1
        assert "Consul does not answer" in pushed.result().stderr
