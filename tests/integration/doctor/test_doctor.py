"""``authcenter doctor`` against real deployments: one that is well, one in which nearly all is wrong, and ones of which
parts are gone."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from sqlalchemy import text

from authcenter.stores.sql.database import Database
from tests.integration.cli.console import Console
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.redis_cluster import RedisCluster

BAD_POLICY = """
tokens: {access_ttl: 86400, refresh_max_lifetime: 63072000, authorization_code_ttl: 600, refresh_reuse_grace: 300}
revocation: {on_outage: open}
registration: {mode: open, unused_ttl: 0}
accounts: {signup: true}
fetch: {allow_private: [0.0.0.0/0]}
logging: {level: DEBUG}
"""
BCRYPT_OF_COST_4 = "$2b$04$uw3MoMdeRrGxOZyXQdPWEOKPZIsDFgw5fiN/jpjfQR5vYUXiyn.ZW"


def examined(console: Console, exit_code: int) -> dict[str, Any]:
    """What the doctor says as JSON; what it says to people must not be less."""
    done, told = console.run("doctor", "--json"), console.run("doctor")
    assert (done.exit_code, told.exit_code) == (exit_code, exit_code), done.err + told.err
    assert "Traceback" not in done.err + told.out + told.err
    report: dict[str, Any] = json.loads(done.out)
    for finding in report["findings"]:
        assert f"{finding['about']}  [{finding['check']}]" in told.out
        assert finding["remedy"] in told.out
    return report


def checks(report: dict[str, Any], *severities: str) -> set[str]:
    return {one["check"] for one in report["findings"] if not severities or one["severity"] in severities}


def change(console: Console, *statements: str) -> None:
    """In the database, as no command does."""

    async def act() -> None:
        database = Database(console.environment["AUTHCENTER_DATABASE_URL"])
        try:
            async with database.writing() as connection:
                for statement in statements:
                    await connection.execute(text(statement))
        finally:
            await database.close()

    asyncio.run(act())


def test_a_deployment_that_is_well(tmp_path: Path, production: Console, redis_server: RedisServer) -> None:
    production.environment["AUTHCENTER_REDIS_URL"] = redis_server.url
    production.told("clients", "create", "--id", "shop", "--grant", "client_credentials", "--scope", "read")
    with AuthcenterProcess(tmp_path / "serving", settings=production.environment | {"AUTHCENTER_PORT": "0"}) as process:
        assert process.answers()
        report = examined(production, 0)
    assert report["findings"] == []
    assert (report["errors"], report["warnings"], report["hints"]) == (0, 0, 0)
    assert report["checks"] > 30


def test_a_deployment_in_which_nearly_all_is_wrong(
    tmp_path: Path, production: Console, careless_redis: RedisServer
) -> None:
    console, state = production, tmp_path / "var"
    console.policy.write_text(BAD_POLICY)
    console.environment |= {
        "AUTHCENTER_REDIS_URL": careless_redis.url,
        "AUTHCENTER_KEY_PASSPHRASE": "changeme",
        "AUTHCENTER_OPS_HOST": "0.0.0.0",
    }
    console.told("keys", "rotate", "--now")
    change(
        console,
        "UPDATE signing_keys SET signs_from = signs_from - 34560000000000, created_at = created_at - 34560000000000",
    )
    console.told("clients", "create", "--id", "app", "--grant", "password", "--first-party")
    console.told("clients", "create", "--id", "theirs", "--grant", "password")
    code = (
        "--grant",
        "authorization_code",
        "--redirect-uri",
        "http://127.0.0.1/cb",
        "--redirect-uri",
        "https://x.example/*",
    )
    console.told("clients", "create", "--id", "party", "--profile", "oidc", *code)
    brought = {"client_id": "brought", "client_secret_hash": BCRYPT_OF_COST_4, "grant_types": ["client_credentials"]}
    (tmp_path / "clients.jsonl").write_text(json.dumps(brought))
    console.told("clients", "import", str(tmp_path / "clients.jsonl"))
    person = {"username": "bob", "email": "bob@example.com", "password_hash": BCRYPT_OF_COST_4}
    (tmp_path / "users.jsonl").write_text(json.dumps(person))
    console.told("users", "import", str(tmp_path / "users.jsonl"))
    change(console, "UPDATE auth_audit SET occurred_at = '2026-01-01T00:00:00.000000+00:00'")
    # What a development server once made here, and somebody took over.
    state.mkdir(exist_ok=True)
    (state / "secret_key").write_text(console.environment["AUTHCENTER_SECRET_KEY"] + "\n")
    spool = state / "audit-spool" / "gone.jsonl"
    spool.parent.mkdir()
    spool.write_text("{}\n")
    long_ago = (datetime.now(UTC) - timedelta(days=1)).timestamp()
    os.utime(spool, (long_ago, long_ago))
    console.environment["AUTHCENTER_TRUSTED_PROXIES"] = ""

    report = examined(console, 1)

    assert checks(report, "error") == {
        "proxies.untrusted",
        "redis.evicts",
        "keys.overdue",
        "secret.passphrase_guessable",
        "secret.of_development",
        "client.password_grant",
        "client.redirect_wildcard",
        "signup.no_mail",
        "fetch.wide",
        "audit.spool",
    }
    assert checks(report, "warning") == {
        "redis.forgets",
        "audit.no_checkpoint",
        "client.password_grant",
        "client.redirect_loopback",
        "client.secret_cheap",
        "secret.cheap_hashes",
        "registration.open",
        "registration.unused_stay",
        "logging.debug",
        "lifetime.tokens.access_ttl",
        "lifetime.tokens.refresh_max_lifetime",
        "lifetime.tokens.refresh_reuse_grace",
        "revocation.open_and_long",
    }
    assert checks(report, "hint") == {
        "operations.public",
        "client.pkce_optional",
        "lifetime.tokens.authorization_code_ttl",
    }
    about = {one["about"]: one["severity"] for one in report["findings"] if one["check"] == "client.password_grant"}
    assert about == {"client app": "warning", "client theirs": "error"}
    assert all(one["reference"] for one in report["findings"])
    for secret in ("SECRET_KEY", "KEY_PASSPHRASE"):
        assert console.environment[f"AUTHCENTER_{secret}"] not in json.dumps(report)


def test_a_developer_is_only_told_what_does_not_matter_yet(console: Console) -> None:
    console.told("keys", "rotate", "--now")
    assert checks(examined(console, 0)) == {"issuer.http"}


def test_a_development_server_for_the_world(console: Console) -> None:
    console.told("keys", "rotate", "--now")
    console.environment["AUTHCENTER_ISSUER"] = "http://auth.example"
    assert checks(examined(console, 1), "error") == {"issuer.http", "env.development"}


def test_pending_migrations_and_a_look_that_changes_nothing(production: Console, postgres_url: str) -> None:
    production.environment["AUTHCENTER_DATABASE_URL"] = postgres_url
    assert checks(examined(production, 1)) == {"database.pending_migrations"}
    assert production.run("db", "current").exit_code == 1


def test_clocks_that_differ_from_those_of_database_and_redis(production: Console, redis_server: RedisServer) -> None:
    production.environment["AUTHCENTER_REDIS_URL"] = redis_server.url
    production.told("keys", "rotate", "--now")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True):
        report = examined(production, 1)
    skews = [one for one in report["findings"] if one["check"] == "clock.skew"]
    assert {(one["about"], one["severity"]) for one in skews} == {("the database", "error"), ("Redis", "error")}
    assert all(" ahead of " in one["problem"] for one in skews)


def test_whoever_does_not_answer_is_a_finding(production: Console) -> None:
    nobody = free_port()
    production.environment |= {
        "AUTHCENTER_DATABASE_URL": f"postgresql+asyncpg://app:hunter2hunter2@127.0.0.1:{nobody}/app",
        "AUTHCENTER_REDIS_URL": f"redis://:hunter2hunter2@127.0.0.1:{nobody}/0",
        "AUTHCENTER_CONSUL_URL": f"http://127.0.0.1:{nobody}",
    }
    report = examined(production, 1)
    assert checks(report) == {"database.unanswered", "redis.unanswered", "consul.unanswered"}
    assert "hunter2" not in json.dumps(report)


def test_whoever_is_silent_is_a_finding(tmp_path: Path, production: Console) -> None:
    production.told("keys", "rotate", "--now")
    with PostgresServer() as database, RedisServer(tmp_path / "silent") as silent:
        production.environment["AUTHCENTER_REDIS_URL"] = silent.url
        silent.freeze()
        assert checks(examined(production, 1)) == {"redis.unanswered"}
        silent.thaw()
        production.environment["AUTHCENTER_DATABASE_URL"] = database.create_database()
        database.freeze()
        assert checks(examined(production, 1)) == {"database.unanswered"}
        database.thaw()


def test_a_redis_that_forbids_to_look_at_its_configuration(production: Console, redis_server: RedisServer) -> None:
    with redis.Redis(port=redis_server.port) as admin:
        admin.execute_command("ACL SETUSER app on >a-long-password ~* &* +@all -config")
    production.told("keys", "rotate", "--now")
    production.environment["AUTHCENTER_REDIS_URL"] = f"redis://app:a-long-password@127.0.0.1:{redis_server.port}/0"
    assert checks(examined(production, 0)) == set()


def test_every_primary_of_a_cluster_is_looked_at(tmp_path: Path, production: Console) -> None:
    production.told("keys", "rotate", "--now")
    with RedisCluster(tmp_path / "cluster") as cluster:
        careless = cluster.nodes[1]
        with redis.Redis(port=careless.port) as admin:
            admin.config_set("maxmemory-policy", "allkeys-random")
        production.environment["AUTHCENTER_REDIS_URL"] = cluster.url
        report = examined(production, 0)
    assert [(one["check"], one["about"]) for one in report["findings"]] == [
        ("redis.evicts", f"Redis 127.0.0.1:{careless.port}")
    ]


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_settings_that_cannot_be_used_are_wrong_usage(console: Console, arguments: tuple[str, ...]) -> None:
    console.policy.write_text("tokens: {access_ttl: for ever}")
    assert "tokens.access_ttl" in console.refused("doctor", *arguments, exit_code=2)
