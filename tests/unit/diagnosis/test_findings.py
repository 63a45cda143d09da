"""Each check: what it finds, how grave that is, and that it finds nothing in a deployment that is well."""

import inspect
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from authcenter import diagnosis
from authcenter.core.client import AuthMethod, ClientSecret, Profile
from authcenter.core.relying_party import RelyingParty
from authcenter.diagnosis import lifetimes
from authcenter.diagnosis.facts import AuditFacts, DatabaseFacts, Facts, SpoolFile, Unanswered
from authcenter.diagnosis.hashes import is_cheap
from authcenter.diagnosis.judging import CHECKS, diagnose
from authcenter.keys.ring import EMPTY_RING, KeyRing
from authcenter.stores.ports.condition import ClockReading
from authcenter.stores.ports.schema import SchemaState
from tests.unit.diagnosis.deployments import IN_STEP, PRODUCTION, REDIS, client, deployment, key, record
from tests.workbench import START

LONG_AGO = START - timedelta(days=400)
DEVELOPMENT = {**PRODUCTION, "ENV": "development"}
SIGN_UP = "accounts: {signup: true}"
OPEN = "registration: {mode: open, unused_ttl: 0}"
DAYS = 86_400


def with_client(**changes: object) -> Facts:
    return deployment(record=record(clients=(client(**changes),)))


def with_redis(**changes: object) -> Facts:
    return deployment(redis=(replace(REDIS, **changes),))


def local(policy: str = "", **environ: str) -> Facts:
    """A developer's own server."""
    return deployment(policy, {**DEVELOPMENT, "ISSUER": "http://127.0.0.1:8080", **environ})


FINDINGS = [
    pytest.param(
        deployment(environ={**DEVELOPMENT, "ISSUER": "http://auth.example"}), "issuer.http", "error", id="http issuer"
    ),
    pytest.param(local(), "issuer.http", "hint", id="http issuer of a developer"),
    pytest.param(deployment(environ=DEVELOPMENT), "env.development", "error", id="development for others"),
    pytest.param(local(HOST="0.0.0.0"), "env.development", "error", id="development on every interface"),
    pytest.param(deployment(environ={"TRUSTED_PROXIES": ""}), "proxies.untrusted", "error", id="proxy not trusted"),
    pytest.param(
        deployment(environ={"TRUSTED_PROXIES": "0.0.0.0/0"}), "proxies.everybody", "error", id="everybody trusted"
    ),
    pytest.param(deployment(environ={"OPS_HOST": "8.8.8.8"}), "operations.public", "warning", id="public operations"),
    pytest.param(deployment(environ={"OPS_HOST": "0.0.0.0"}), "operations.public", "hint", id="operations everywhere"),
    pytest.param(deployment(database=Unanswered("refused"), record=None), "database.unanswered", "error", id="no SQL"),
    pytest.param(deployment(record=Unanswered("refused")), "record.unread", "error", id="record not read"),
    pytest.param(
        deployment(database=DatabaseFacts(SchemaState("0001", "0009"), IN_STEP), record=None),
        "database.pending_migrations",
        "error",
        id="pending migrations",
    ),
    pytest.param(
        deployment(database=DatabaseFacts(SchemaState("0009", "0009"), ClockReading(-2.0, 0.1))),
        "clock.skew",
        "error",
        id="clock behind the database's",
    ),
    pytest.param(with_redis(clock=ClockReading(0.6, 0.1)), "clock.skew", "warning", id="clock ahead of Redis's"),
    pytest.param(
        deployment(environ={"DATABASE_URL": "sqlite+aiosqlite:////srv/a.db"}), "database.sqlite", "hint", id="SQLite"
    ),
    pytest.param(deployment(redis=Unanswered("refused")), "redis.unanswered", "error", id="no Redis"),
    pytest.param(with_redis(eviction="allkeys-lru", most_bytes=10), "redis.evicts", "error", id="Redis evicts"),
    pytest.param(with_redis(eviction="volatile-ttl"), "redis.evicts", "warning", id="Redis would evict"),
    pytest.param(with_redis(appends=False), "redis.forgets", "warning", id="Redis without append-only file"),
    pytest.param(
        with_redis(failing="rdb_last_bgsave_status"), "redis.cannot_write", "error", id="Redis's disk is full"
    ),
    pytest.param(
        deployment(environ={"REDIS_URL": "redis://cache:6379/0"}), "redis.in_the_clear", "warning", id="open Redis"
    ),
    pytest.param(
        deployment(environ={"REDIS_URL": "redis+cluster://u:p@c1,127.0.0.1"}),
        "redis.in_the_clear",
        "hint",
        id="Redis with a password in the clear",
    ),
    pytest.param(
        deployment(environ={"CONSUL_URL": "http://127.0.0.1:8500"}, policy_source=""),
        "consul.unanswered",
        "error",
        id="no policy known",
    ),
    pytest.param(
        deployment(environ={"CONSUL_URL": "http://127.0.0.1:8500"}, policy_source="last good copy"),
        "consul.unanswered",
        "warning",
        id="last good policy",
    ),
    pytest.param(
        deployment(spool=(SpoolFile("var/audit-spool/w.jsonl", 10, LONG_AGO),)), "audit.spool", "error", id="spool left"
    ),
    pytest.param(
        deployment(record=record(audit=AuditFacts(settled_at=START))),
        "audit.no_checkpoint",
        "warning",
        id="never signed",
    ),
    pytest.param(
        deployment(record=record(audit=AuditFacts(settled_at=START, checkpoint_at=LONG_AGO))),
        "audit.no_checkpoint",
        "warning",
        id="not signed lately",
    ),
    pytest.param(deployment(record=record(ring=EMPTY_RING)), "keys.none", "error", id="no key"),
    pytest.param(
        deployment(record=record(ring=KeyRing.of([key(opens=False)], START))), "keys.none", "error", id="no passphrase"
    ),
    pytest.param(deployment(record=record(unreadable_keys=("k",))), "keys.unreadable", "error", id="unreadable key"),
    pytest.param(
        deployment(record=record(ring=KeyRing.of([key(LONG_AGO)], START))), "keys.overdue", "error", id="key overdue"
    ),
    pytest.param(
        deployment("keys: {rotate_every: 0}", record=record(ring=KeyRing.of([key(LONG_AGO)], START))),
        "keys.old",
        "warning",
        id="key of last year, rotated by hand",
    ),
    pytest.param(
        deployment(environ={"SECRET_KEY": "A" * 43}), "secret.root_guessable", "error", id="secret of one byte"
    ),
    pytest.param(
        deployment(environ={"SECRET_KEY": "dGhpcyBpcyBub3QgYXMgc2VjcmV0IGFzIGl0IGlzIGxvbmc"}),
        "secret.root_text",
        "warning",
        id="a sentence for a secret",
    ),
    pytest.param(
        deployment(environ={"KEY_PASSPHRASE": "hunter22"}),
        "secret.passphrase_guessable",
        "error",
        id="short passphrase",
    ),
    pytest.param(
        deployment(development_secrets=frozenset({"secret_key"})),
        "secret.of_development",
        "error",
        id="development secret",
    ),
    pytest.param(
        deployment(record=record(hash_costs={"$2b$08$": 3, "$2b$12$": 9})),
        "secret.cheap_hashes",
        "warning",
        id="bcrypt",
    ),
    pytest.param(with_client(grants=frozenset({"password"})), "client.password_grant", "error", id="password grant"),
    pytest.param(
        with_client(grants=frozenset({"password"}), first_party=True),
        "client.password_grant",
        "warning",
        id="password grant of an own app",
    ),
    pytest.param(with_client(profile=Profile.OIDC), "client.pkce_optional", "hint", id="PKCE left out"),
    pytest.param(
        with_client(redirect_uris=("https://*.shop.example/cb",)), "client.redirect_wildcard", "error", id="wildcard"
    ),
    pytest.param(
        with_client(redirect_uris=("http://shop.example/cb",)), "client.redirect_http", "error", id="http redirect"
    ),
    pytest.param(
        with_client(redirect_uris=("https://localhost/cb",)), "client.redirect_loopback", "warning", id="loopback"
    ),
    pytest.param(
        with_client(secrets=(ClientSecret("$2b$06$" + "." * 53, START),)),
        "client.secret_cheap",
        "warning",
        id="cheap client secret",
    ),
    pytest.param(
        with_client(secrets=(ClientSecret("$2b$12$" + "." * 53, START),)),
        "client.secret_foreign",
        "hint",
        id="client secret from elsewhere",
    ),
    pytest.param(deployment(OPEN), "registration.open", "warning", id="open registration"),
    pytest.param(deployment(OPEN), "registration.unused_stay", "warning", id="registered clients stay"),
    pytest.param(deployment(SIGN_UP), "signup.no_mail", "error", id="sign-up without mail"),
    pytest.param(local(SIGN_UP), "signup.no_mail", "warning", id="sign-up with mail in the log"),
    pytest.param(deployment("fetch: {allow_private: [169.254.0.0/16]}"), "fetch.wide", "error", id="cloud metadata"),
    pytest.param(deployment("fetch: {allow_private: [127.0.0.1/32]}"), "fetch.wide", "error", id="loopback fetches"),
    pytest.param(deployment("fetch: {allow_private: [10.0.0.0/8]}"), "fetch.wide", "warning", id="wide fetches"),
    pytest.param(deployment("logging: {level: DEBUG}"), "logging.debug", "warning", id="debug log"),
    pytest.param(
        deployment("tokens: {access_ttl: 3600}"), "revocation.open_and_long", "warning", id="open with long tokens"
    ),
    *(
        pytest.param(deployment(policy), f"lifetime.{field}", severity, id=field)
        for field, policy, severity in [
            ("tokens.access_ttl", "tokens: {access_ttl: 3601}", "warning"),
            ("tokens.id_token_ttl", "tokens: {id_token_ttl: 3601}", "hint"),
            ("tokens.authorization_code_ttl", "tokens: {authorization_code_ttl: 600}", "hint"),
            (
                "tokens.refresh_ttl",
                f"tokens: {{refresh_ttl: {91 * DAYS}, refresh_max_lifetime: {91 * DAYS}}}",
                "warning",
            ),
            ("tokens.refresh_max_lifetime", f"tokens: {{refresh_max_lifetime: {400 * DAYS}}}", "warning"),
            ("tokens.refresh_reuse_grace", "tokens: {refresh_reuse_grace: 60}", "warning"),
            ("tokens.leeway", "tokens: {leeway: 300}", "warning"),
            ("sessions.max_ttl", f"sessions: {{max_ttl: {91 * DAYS}}}", "hint"),
        ]
    ),
]


@pytest.mark.parametrize(("facts", "check", "severity"), FINDINGS)
def test_what_is_wrong_is_found_with_a_remedy_and_a_reference(facts: Facts, check: str, severity: str) -> None:
    found = {finding.check: finding for finding in diagnose(facts)}
    assert check in found
    assert found[check].severity == severity
    assert all([found[check].about, found[check].problem, found[check].remedy, found[check].reference])


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert diagnose(deployment()) == []


INNOCENT = [
    pytest.param(deployment(redis=None), id="no Redis at all"),
    pytest.param(with_redis(eviction="", snapshots=None), id="a Redis that tells little"),
    pytest.param(with_redis(clock=ClockReading(3.0, 2.9)), id="a slow answer is no skew"),
    pytest.param(deployment(environ={"REDIS_URL": "redis://127.0.0.1:6379/0"}), id="Redis on this machine"),
    pytest.param(deployment(environ={"REDIS_URL": "rediss://cache:6379/0"}), id="Redis over TLS"),
    pytest.param(deployment(environ={"OPS_HOST": "10.1.2.3"}), id="operations in a private network"),
    pytest.param(
        with_client(grants=frozenset({"password"}), disabled_at=START), id="password grant of a disabled client"
    ),
    pytest.param(
        with_client(
            profile=Profile.OIDC,
            auth_methods=frozenset({AuthMethod.NONE}),
            redirect_uris=("http://127.0.0.1/cb", "com.example:/cb"),
        ),
        id="a native app",
    ),
    pytest.param(
        with_client(redirect_uris=("http://[::1]/cb",), relying_party=RelyingParty(application_type="native")),
        id="a native app with a secret",
    ),
    pytest.param(
        deployment("tokens: {access_ttl: 3600}\nrevocation: {on_outage: closed}"), id="long tokens, closed in an outage"
    ),
    pytest.param(deployment(SIGN_UP, {"SMTP_URL": "smtp://m", "MAIL_FROM": "a@b.example"}), id="sign-up with mail"),
    pytest.param(deployment("fetch: {allow_private: [10.1.2.3/32]}"), id="one private host"),
    pytest.param(
        deployment(spool=(SpoolFile("w.jsonl", 0, LONG_AGO), SpoolFile("v.jsonl", 9, START))), id="a spool in use"
    ),
    pytest.param(deployment(record=record(audit=AuditFacts())), id="nothing audited yet"),
    pytest.param(
        deployment(environ={"CONSUL_URL": "http://127.0.0.1:8500"}, policy_source="consul"), id="Consul answers"
    ),
]


@pytest.mark.parametrize("facts", INNOCENT)
def test_what_is_right_is_not_found_fault_with(facts: Facts) -> None:
    assert diagnose(facts) == []


def test_errors_come_first() -> None:
    facts = deployment(f"{SIGN_UP}\ntokens: {{leeway: 300, id_token_ttl: 7200}}")
    assert [finding.severity for finding in diagnose(facts)] == ["error", "warning", "hint"]


def test_every_check_is_asked_and_each_of_its_findings_is_shown_here() -> None:
    sources = [file.read_text() for file in Path(diagnosis.__path__[0]).glob("*.py")]
    named = {name for source in sources for name in re.findall(r'Finding\(\s*"([a-z_.]+)"', source)}
    named |= {f"lifetime.{bound.field}" for bound in lifetimes._BOUNDS}
    assert named == {row.values[1] for row in FINDINGS}
    judge = re.compile(r"^def (\w+)\(facts: Facts\) -> Iterator", re.MULTILINE)
    judges = {name for source in sources for name in judge.findall(source)}
    assert judges == {check.__name__ for check in CHECKS}
    assert all(inspect.isgeneratorfunction(check) for check in CHECKS)


def test_a_section_of_the_readme_that_is_referred_to_is_there() -> None:
    readme = Path(__file__).parents[3] / "README.md"
    headings = set(re.findall(r"^#+ (.+)$", readme.read_text(), re.MULTILINE))
    sources = [file.read_text() for file in Path(diagnosis.__path__[0]).glob("*.py")]
    named = {section for source in sources for section in re.findall(r'"README, ([^"]+)"', source)}
    assert named
    assert named <= headings


def test_a_paused_rotation_is_named_as_the_cause() -> None:
    ring = KeyRing.of([key(LONG_AGO)], START)
    (finding,) = diagnose(deployment(record=record(ring=ring, paused_since=START - timedelta(days=30))))
    assert "paused since 2029-12-02" in finding.problem
    assert finding.remedy == "authcenter keys pause --resume"


def test_no_finding_shows_a_secret() -> None:
    secret = "hunter2hunter2"
    facts = deployment(
        environ={"KEY_PASSPHRASE": secret, "REDIS_URL": f"redis://u:{secret}@c", "SECRET_KEY": "B" * 43},
    )
    said = str(diagnose(facts))
    assert "passphrase" in said
    assert secret not in said
    assert "BBBB" not in said


@pytest.mark.parametrize(
    ("beginning", "cheap"),
    [
        ("$2a$09$", True),
        ("$2y$10$", False),
        ("$argon2id$v=19$m=47104,t=1,p=1$", False),
        ("$argon2id$v=19$m=7168,t=5,p=1$", False),
        ("$argon2id$v=19$m=4096,t=20,p=1$", True),
        ("$argon2i$m=19456,t=1,p=1$", True),
        ("no hash", False),
    ],
)
def test_a_hash_is_cheap_by_its_cost(beginning: str, cheap: bool) -> None:
    assert is_cheap(beginning) is cheap
