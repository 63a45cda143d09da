"""Policies and keys change under three instances that are at work, and not one request fails by it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from authcenter.settings.policy import parse_policy
from tests.chaos.caller import Caller
from tests.chaos.commands import CommandLine
from tests.chaos.fleet import POLICY, Fleet, Instance, fleet
from tests.chaos.notes import INTROSPECT_REVOKED, Told
from tests.chaos.verdict import everywhere, require_kept, require_right
from tests.integration.service.api import until

# Of a case that takes a quarter of a minute; a machine may be busy with much else.
pytestmark = pytest.mark.timeout(400)

_CHANGES, _ROTATIONS = 100, 10
_BETWEEN_SECONDS = 0.06
_LIFETIME, _FIRST_LIFETIME = 900, 700


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


def reloads(instance: Instance, outcome: str) -> float:
    return instance.api.metric("authcenter_config_reload_total", source="consul", outcome=outcome)


def require_all_granted(told: Told) -> None:
    require_right(told)
    assert not [note for note in told.notes if note.status != 200]


def test_a_policy_with_a_wrong_field_changes_nothing(running: Fleet) -> None:
    logs, versions = running.log_sizes(), [one.policy_version for one in running.instances]
    refused = [reloads(one, "rejected") for one in running.instances]
    with running.traffic() as traffic:
        traffic.until_answered(time.monotonic(), but=INTROSPECT_REVOKED)
        running.push("tokens: {access_ttl: 701, leeway: -1}")
        for one, before in zip(running.instances, refused, strict=True):
            until(lambda one=one, before=before: reloads(one, "rejected") > before, "it is refused")
        traffic.until_answered(time.monotonic())
        for one, caller in zip(running.instances, running.callers, strict=True):
            assert one.readiness()[0] == 200
            assert (
                Caller.granted(caller.post("/oauth/token", grant_type="client_credentials"))["expires_in"] == _LIFETIME
            )
    running.push(POLICY)
    require_all_granted(traffic.told)
    assert [one.policy_version for one in running.instances] == versions
    for one, since in zip(running.instances, logs, strict=True):
        (line,) = (line for line in one.log_lines(since) if line["event"].startswith("policy_"))
        assert (line["event"], line["level"], line["in_force"]) == ("policy_rejected", "error", versions[0])
        (problem,) = line["problems"]
        assert problem.startswith("tokens.leeway: ")
    require_kept(running, traffic.told)


def test_a_hundred_policies_and_ten_rotations_fail_no_request(running: Fleet) -> None:
    refused = [reloads(one, "rejected") for one in running.instances]
    accepted = [reloads(one, "accepted") for one in running.instances]
    kids = running.instances[0].api.kids()
    with commands_of(running) as commands, running.traffic() as traffic, ThreadPoolExecutor(1) as thread:
        traffic.until_answered(time.monotonic(), but=INTROSPECT_REVOKED)
        pushing = thread.submit(push_all, running)
        signing = [str(commands.json("keys", "rotate", "--now")["kid"]) for _ in range(_ROTATIONS)]
        last = pushing.result()
        for one in running.instances:
            until(lambda one=one: one.policy_version == last, "the last policy")
            until(lambda one=one: one.api.kids() >= {*kids, *signing}, "the last key")
        traffic.until_answered(time.monotonic())
    told = traffic.told
    require_all_granted(told)
    assert [reloads(one, "rejected") for one in running.instances] == refused
    # Of changes that follow closely an instance may see only the last.
    for one, before in zip(running.instances, accepted, strict=True):
        assert 1 < reloads(one, "accepted") - before <= _CHANGES
    assert len(set(signing)) == _ROTATIONS
    for caller in running.callers:
        assert jwt.get_unverified_header(caller.own_token())["kid"] == signing[-1]
    require_kept(running, told)
    everywhere(running, Caller.active, told.living, "whatever key signed it")
    made = {json.loads(row.context)["kid"] for row in running.record.audit() if row.event.startswith("key.")}
    assert made >= set(signing)


def push_all(running: Fleet) -> str:
    """The version of the last one."""
    document = ""
    for number in range(_CHANGES):
        document = POLICY.replace("tokens: {", f"tokens: {{access_ttl: {_FIRST_LIFETIME + number}, ")
        running.push(document)
        time.sleep(_BETWEEN_SECONDS)
    return parse_policy(document, source="consul").version


def commands_of(running: Fleet) -> CommandLine:
    return CommandLine(running.directory, running.instances[0].process.environment)
