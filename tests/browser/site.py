"""A whole deployment as a browser meets it: the product as a process, and an application that people sign in to."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.clock import SystemClock
from authcenter.core.relying_party import RelyingParty
from authcenter.core.resource import ResourceScope
from authcenter.core.secret import Secret
from authcenter.settings.boot import load_boot_settings
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import open_record
from tests.browser.client_app import ClientApp
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.certificates import Pair

PASSWORD = "correct horse battery"
LONG_NAME = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverwaltung & Söhne <Außenstelle>"
POLICY = """
rate_limits: {login_failures_per_ip: 100000/hour, login_failures_per_account: 3/hour}
sessions: {max_per_user: 3, when_full: reject}
brand: {name: "Example & Co", color: "#0a7d55"}
"""
_PEOPLE = [f"person-{number}" for number in range(1, 101)]
_API = "https://reports.example"
_GRANTS = frozenset({"authorization_code", "refresh_token"})
_SCOPES = frozenset({"openid", "profile", "email", "offline_access", "reports:read", "reports:write"})


@dataclass(frozen=True, slots=True)
class Site:
    """What a test of pages walks through."""

    process: AuthcenterProcess
    app: ClientApp
    _people: Iterator[str]

    def somebody(self) -> str:
        """The name of a user whom no test has met."""
        return next(self._people)

    @property
    def issuer(self) -> str:
        return self.process.environment["AUTHCENTER_ISSUER"]


@asynccontextmanager
async def open_site(folder: Path, pair: Pair | None = None) -> AsyncIterator[Site]:
    """Start both, with the clients ``shop`` (asks for consent), ``long`` (the same, with a long name) and ``house``
    and ``garden`` (first-party), the user ``alice``, and those of ``Site.somebody``.

    Args:
        pair: Serve both over TLS with it.
    """
    process = AuthcenterProcess(folder)
    server_tls, client_tls = None, None
    if pair is not None:
        tls = {
            "TLS_CERT": str(pair.certificate),
            "TLS_KEY": str(pair.key),
            "ISSUER": f"https://127.0.0.1:{process.port}",
        }
        process.environment.update({f"AUTHCENTER_{name}": value for name, value in tls.items()})
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_tls.load_cert_chain(pair.certificate, pair.key)
        client_tls = ssl.create_default_context(cafile=str(pair.certificate))
    process.policy_file.write_text(POLICY)
    app = ClientApp(process.environment["AUTHCENTER_ISSUER"], server_tls, client_tls or True)
    await app.open()
    try:
        await _populate(process, app)
        with process:
            yield Site(process, app, iter(_PEOPLE))
    finally:
        await app.close()


async def _populate(process: AuthcenterProcess, app: ClientApp) -> None:
    settings, clock = load_boot_settings(None, process.environment), SystemClock()
    hashing = PasswordHashing(Argon2Cost(memory_kib=64, passes=1, lanes=1), workers=1)
    async with open_record(settings, clock) as record:
        await record.upgrade_schema()
        try:
            live = LivePolicy(parse_policy(POLICY, source="file"))
            await _people_and_clients(build_core(settings, live, record.stores, hashing, clock), app)
        finally:
            hashing.close()


async def _people_and_clients(core: Core, app: ClientApp) -> None:
    for name in ("alice", *_PEOPLE):
        await core.accounts.create(name, f"{name}@example.com", Secret(PASSWORD), [], actor="tests")
    texts = {"reports:read": ResourceScope("see your reports"), "reports:write": ResourceScope()}
    await core.resources.create(_API, "Reports", texts, "tests")
    party = RelyingParty(
        client_uri=f"{app.url}/",
        logo_uri=f"{app.url}/logo.svg",
        policy_uri=f"{app.url}/privacy",
        tos_uri=f"{app.url}/terms",
        localized={"client_name#de": "Der Laden"},
    )
    for client_id, name, first_party in (
        ("shop", "The Shop", False),
        ("long", LONG_NAME, False),
        ("house", "The House", True),
        ("garden", "The Garden", True),
    ):
        described = ClientMetadata(
            client_id,
            name,
            profile=Profile.OIDC,
            auth_methods=frozenset({AuthMethod.NONE}),
            grants=_GRANTS,
            scopes=_SCOPES,
            audiences=(_API,),
            redirect_uris=(f"{app.url}/cb",),
            first_party=first_party,
            relying_party=party if client_id == "shop" else RelyingParty(tos_uri=f"{app.url}/terms"),
        )
        await core.clients.create(described, "tests")
