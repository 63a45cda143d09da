"""Running instances with their keys in Consul: rotated, cut off, restarted without it, emptied, tampered with."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authcenter.core.errors import StoreUnavailable
from authcenter.jose.algorithms import Alg
from tests.integration.policy.kv import read, settings, write
from tests.integration.service.api import Api, Credentials, until
from tests.integration.service.record import Operator
from tests.integration.service.running import Service
from tests.integration.service.test_rotation_under_load import Load
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.consul import ConsulServer
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.long

KEYS, POLICY = "authcenter/keys", "authcenter/policy"
DEFAULTS = "rate_limits: {token_per_client: 10000/second}"


@contextmanager
def serving(process: AuthcenterProcess) -> Iterator[Service]:
    with process, Api(process.url, process.ops_url, process.environment["AUTHCENTER_ISSUER"]) as api:
        yield Service(process, api, Operator(process.environment))


@pytest.fixture
def one(consul: ConsulServer, tmp_path: Path) -> Iterator[Service]:
    """On SQLite, with a Consul of the test's own."""
    write(consul, DEFAULTS, POLICY)
    with serving(AuthcenterProcess(tmp_path / "one", settings=settings(consul))) as service:
        yield service


@pytest.fixture
def pair(consul: ConsulServer, postgres_server: PostgresServer, tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """Two instances of one deployment, on PostgreSQL."""
    write(consul, DEFAULTS, POLICY)
    first = AuthcenterProcess(
        tmp_path / "one", database_url=postgres_server.create_database(), settings=settings(consul)
    )
    second = first.sibling(tmp_path / "two")
    second.environment.update(settings(consul))
    with serving(first) as one, serving(second) as two:
        yield one, two


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def signs(service: Service, client: Credentials) -> str:
    return kid_of(service.api.issue(client)["access_token"])


def up(service: Service, dependency: str = "consul_keys") -> float:
    return service.api.metric("authcenter_dependency_up", dependency=dependency)


def counted(service: Service, outcome: str) -> float:
    return service.api.metric("authcenter_config_reload_total", source="consul_keys", outcome=outcome)


def logged(service: Service, event: str) -> list[dict[str, Any]]:
    lines = map(json.loads, service.process.log.read_text().splitlines())
    return [line for line in lines if line.get("event") == event]


def copied_generation(service: Service) -> int:
    file = Path(service.process.environment["AUTHCENTER_STATE_DIR"]) / "keys.last.json"
    return int(json.loads(file.read_text())["document"]["generation"]) if file.exists() else 0


def generation(consul: ConsulServer) -> int:
    text = read(consul, KEYS)
    return int(json.loads(text)["document"]["generation"]) if text else 0


def rotate(service: Service) -> None:
    """As an operator does: on a machine that is too busy for the database's time limits, once more."""
    with suppress(StoreUnavailable):
        service.operator.act(lambda core: core.rotation.rotate(Alg.ES256, timedelta(0), "test"))
        return
    rotate(service)


def test_a_key_made_by_command_signs_everywhere(pair: tuple[Service, Service], consul: ConsulServer) -> None:
    one, two = pair
    client = one.operator.client("batch", "client_credentials")
    before = two.api.issue(client)["access_token"]
    key = one.process.cli_json("keys", "rotate", "--now")
    for service in pair:
        until(lambda service=service: signs(service, client) == key["kid"], "it signs")
        assert service.api.active(client, before)
        assert service.api.active(client, one.api.issue(client)["access_token"])
    assert one.api.kids() == two.api.kids() >= {key["kid"], kid_of(before)}
    assert "BEGIN ENCRYPTED PRIVATE KEY" in str(read(consul, KEYS))
    assert "BEGIN PRIVATE KEY" not in str(read(consul, KEYS))
    assert one.process.cli("keys", "revoke", kid_of(before), "--reason", "leaked", "--yes").returncode == 0
    for service in pair:
        until(lambda service=service: not service.api.active(client, before), "what a revoked key signed is refused")
        assert kid_of(before) not in service.api.kids()
    events = one.operator.rows("SELECT event FROM auth_audit WHERE event = 'key.revoked'")
    cuts = one.operator.rows("SELECT value, reason FROM revocation_cuts WHERE kind = 'kid'")
    assert (len(events), [tuple(cut) for cut in cuts]) == (1, [(kid_of(before), "leaked")])


def test_without_consul_tokens_go_on_and_no_key_is_changed(one: Service, consul: ConsulServer) -> None:
    client = one.operator.client("batch", "client_credentials")
    token = one.api.issue(client)["access_token"]
    kid = kid_of(token)
    until(lambda: copied_generation(one) == generation(consul) > 0, "the copy is kept")
    listed = one.process.cli_json("keys", "list")
    consul.kill()
    until(lambda: up(one) == up(one, "consul") == 0, "the outage is noticed")
    assert (signs(one, client), one.api.active(client, token)) == (kid, True)
    assert one.api.ops("/readyz").json()["status"] == "degraded"
    for command in (
        ("rotate", "--now"),
        ("retire", kid),
        ("revoke", kid, "--reason", "leaked", "--yes"),
        ("reencrypt",),
        ("restore", "--yes"),
    ):
        done = one.process.cli("keys", *command)
        # To retire the key that signs is refused before anything is written.
        refused = "Consul does not answer" if command[0] != "retire" else "is the key that signs"
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), (command, done)
        assert refused in done.stderr, command
    assert one.process.cli_json("keys", "list") == listed
    assert one.process.cli("keys", "plan").returncode == 0

    one.process.restart()
    assert (signs(one, client), one.api.active(client, token)) == (kid, True)

    consul.restart()
    until(lambda: up(one) == 1, "Consul is back")
    made = one.process.cli_json("keys", "rotate", "--now")["kid"]
    until(lambda: signs(one, client) == made, "the new key signs")
    assert one.api.active(client, token)


def test_a_frozen_consul_keeps_no_request_waiting_for_a_key(one: Service, consul: ConsulServer) -> None:
    client = one.operator.client("batch", "client_credentials")
    token = one.api.issue(client)["access_token"]
    stranger = jwt.encode({"sub": "x"}, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "k", "typ": "at+jwt"})
    consul.freeze()
    assert not one.api.active(client, stranger)
    assert one.api.active(client, token)
    until(lambda: up(one) == 0, "it is noticed")
    assert not one.api.active(client, stranger)
    consul.thaw()
    until(lambda: up(one) == 1, "it is back")


def test_an_emptied_consul_gets_its_keys_back(one: Service, consul: ConsulServer) -> None:
    client = one.operator.client("batch", "client_credentials")
    kid, before = signs(one, client), generation(consul)
    consul.restart_empty()
    until(lambda: generation(consul) == before, "the keys are there again")
    until(lambda: up(one) == 1, "and followed")
    assert len(logged(one, "keys_document_put_there")) == 1
    assert signs(one, client) == kid
    made = one.process.cli_json("keys", "rotate", "--now")["kid"]
    until(lambda: signs(one, client) == made, "the new key signs")


def test_a_document_that_somebody_edited_is_refused_until_an_operator_restores_it(
    one: Service, consul: ConsulServer
) -> None:
    client = one.operator.client("batch", "client_credentials")
    kid, good = signs(one, client), str(read(consul, KEYS))
    until(lambda: up(one) == 1, "it follows")
    accepted = counted(one, "accepted")
    write(consul, good.replace('"generation":', '"generation":9'), KEYS)
    until(lambda: up(one) == 0, "it is refused")
    assert (counted(one, "rejected"), up(one, "consul")) == (1, 1)
    answer = one.api.ops("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "HMAC" in logged(one, "keys_document_refused")[0]["hint"]
    assert signs(one, client) == kid
    refused = one.process.cli("keys", "rotate")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "keys restore" in refused.stderr
    assert one.process.cli("keys", "restore", "--yes").returncode == 0
    until(lambda: up(one) == 1, "the restored one is taken")
    assert (signs(one, client), counted(one, "accepted")) == (kid, accepted + 1)
    assert len(logged(one, "keys_document_refused")) == 1
    write(consul, good, KEYS)
    until(lambda: up(one) == 0, "the old one is refused")
    assert "is behind" in logged(one, "keys_document_refused")[1]["hint"]


def test_a_deployment_with_keys_in_its_record_takes_them_along(consul: ConsulServer, tmp_path: Path) -> None:
    process = AuthcenterProcess(tmp_path / "one")
    with serving(process) as before:
        client = before.operator.client("batch", "client_credentials")
        token, kids = before.api.issue(client)["access_token"], before.api.kids()
    write(consul, DEFAULTS, POLICY)
    process.environment.update(settings(consul))
    process.child.environment = process.environment
    with serving(process) as after:
        assert after.api.kids() == kids
        assert (signs(after, client), after.api.active(client, token)) == (kid_of(token), True)
        assert generation(consul) == 1


async def test_ten_rotations_through_consul_under_load_fail_nobody(pair: tuple[Service, Service]) -> None:
    one, two = pair
    client = one.operator.client("load", "client_credentials", audiences=["https://load.example"])
    urls = (one.api.url, two.api.url)
    async with aiohttp.ClientSession() as session:
        load = Load(client, session)
        tasks = [asyncio.create_task(load.run(urls[n], urls[1 - n])) for n in range(2)]
        for _ in range(10):
            await asyncio.to_thread(rotate, one)
            await asyncio.sleep(0.25)
            assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
        load.over.set()
        await asyncio.gather(*tasks)
    assert load.rounds > 10
    assert len(load.kids) > 2


async def test_keys_in_consul_rotate_by_policy(pair: tuple[Service, Service], consul: ConsulServer) -> None:
    one, two = pair
    client = one.operator.client("driven", "client_credentials", audiences=["https://load.example"])
    driven = "keys: {rotate_every: 3, publish_before_use: 2}\njwks: {max_age: 1}\n"
    urls = (one.api.url, two.api.url)
    async with aiohttp.ClientSession() as session:
        load = Load(client, session)
        tasks = [asyncio.create_task(load.run(urls[n], urls[1 - n])) for n in range(2)]
        await asyncio.to_thread(write, consul, driven + DEFAULTS, POLICY)
        async with asyncio.timeout(90):
            while len(load.kids) < 3:
                assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
                await asyncio.sleep(0.1)
        load.over.set()
        await asyncio.gather(*tasks)
    rows = one.operator.rows(
        "SELECT context FROM auth_audit WHERE event = 'key.created' AND actor = 'system' ORDER BY occurred_at"
    )
    begun = [json.loads(context) for (context,) in rows]
    instants = [each["signs_from"] for each in begun if each["alg"] == "ES256"]
    assert len(instants) == len(set(instants)) >= 3, "one key a period, though two instances make them"
