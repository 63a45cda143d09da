"""A whole deployment as a browser meets it: the product as a process, and an application that people sign in to."""

import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from authcenter.accounts.passwords import Argon2Cost, PasswordHashing
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.clock import SystemClock
from authcenter.core.device import DEVICE_CODE_GRANT
from authcenter.core.ids import uuid7
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
from tests.servers.identity_providers import CLIENT_ID, CLIENT_SECRET, GitHubStandIn, OpenIdStandIn, opened

PASSWORD = "correct horse battery"
LONG_NAME = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverwaltung & Söhne <Außenstelle>"
POLICY = """
rate_limits: {login_failures_per_ip: 100000/hour, login_failures_per_account: 3/hour, signup_per_ip: 100000/hour}
sessions: {max_per_user: 4, when_full: reject}
accounts: {signup: true}
brand: {name: "Example & Co", color: "#0a7d55"}
fetch: {allow_private: [127.0.0.0/8]}
"""
_PEOPLE = [f"person-{number}" for number in range(1, 201)]
_OPERATORS = [f"operator-{number}" for number in range(1, 61)]
_API = "https://reports.example"
_GRANTS = frozenset({"authorization_code", "refresh_token"})
_MANY_GRANTS = _GRANTS | {DEVICE_CODE_GRANT}
_SCOPES = frozenset({"openid", "profile", "email", "offline_access", "reports:read", "reports:write"})


@dataclass(frozen=True, slots=True)
class Site:
    """What a test of pages walks through."""

    process: AuthcenterProcess
    app: ClientApp
    company: OpenIdStandIn
    github: GitHubStandIn
    api_secret: str
    _people: Iterator[str]
    _operators: Iterator[str]

    def somebody(self) -> str:
        """The name of a user whom no test has met."""
        return next(self._people)

    def operator(self) -> str:
        """The name of somebody with the role ``operator`` whom no test has met."""
        return next(self._operators)

    def new_address(self) -> str:
        """An address that nobody has."""
        return f"new-{uuid7()}@example.com"

    @property
    def issuer(self) -> str:
        return self.process.environment["AUTHCENTER_ISSUER"]

    async def device(self) -> dict[str, Any]:
        """What a device got that has just been switched on."""
        status, codes = await self.app.ask(
            "/oauth/device_authorization", {"client_id": "shop", "scope": "reports:read"}
        )
        assert status == 200, codes
        return codes

    async def user_code(self) -> str:
        """The code that such a device shows."""
        return str((await self.device())["user_code"])

    async def active(self, token: str) -> bool:
        """Whether an access token is still good, as the API is told that it is for."""
        form = {"token": token, "client_id": "api", "client_secret": self.api_secret}
        status, told = await self.app.ask("/oauth/introspect", form)
        assert status == 200, told
        return bool(told["active"])


@asynccontextmanager
async def open_site(folder: Path, pair: Pair | None = None, *, named: bool = False) -> AsyncIterator[Site]:
    """Start both, with the clients ``shop`` (asks for consent), ``long`` (the same, with a long name) and ``house``
    and ``garden`` (first-party, told of logouts by the back channel and ``garden`` by a frame, too), the API ``api``,
    ``closed``, which is disabled, ``kiosk`` (first-party) and ``meter``, which operators do things to, the user
    ``alice``, and those of ``Site.somebody`` and ``Site.operator``. ``shop`` also runs on devices.

    Args:
        pair: Serve both over TLS with it.
        named: Let the issuer have a name for its host: for an address browsers make no passkeys.
    """
    process = AuthcenterProcess(folder)
    if named:
        process.environment["AUTHCENTER_ISSUER"] = f"http://localhost:{process.port}"
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
    app = ClientApp(process.environment["AUTHCENTER_ISSUER"], server_tls, client_tls or True)
    await app.open()
    try:
        api_secret = await _populate(process, app)
        async with opened(OpenIdStandIn(time.time)) as company, opened(GitHubStandIn(time.time)) as github:
            secrets = f'{{"company": "{CLIENT_SECRET}", "github": "{CLIENT_SECRET}"}}'
            process.environment["AUTHCENTER_IDENTITY_PROVIDER_SECRETS"] = secrets
            process.policy_file.write_text(f"{POLICY}{_providers(company, github)}")
            with process:
                yield Site(process, app, company, github, api_secret, iter(_PEOPLE), iter(_OPERATORS))
    finally:
        await app.close()


def _providers(company: OpenIdStandIn, github: GitHubStandIn) -> str:
    """Two that are there and one that is not."""
    ours = f"client_id: {CLIENT_ID}, new_accounts: always"
    return (
        "identity_providers:\n"
        f"  company: {{kind: openid, name: Firma & Co, issuer: '{company.url}', {ours}}}\n"
        f"  github: {{kind: github, issuer: '{github.url}', {ours}}}\n"
        f"  gone: {{kind: openid, name: The Long Gone Identity Service, issuer: 'http://127.0.0.1:1', {ours}}}\n"
    )


async def _populate(process: AuthcenterProcess, app: ClientApp) -> str:
    settings, clock = load_boot_settings(None, process.environment), SystemClock()
    hashing = PasswordHashing(Argon2Cost(memory_kib=64, passes=1, lanes=1), workers=1)
    async with open_record(settings, clock) as record:
        await record.upgrade_schema()
        try:
            live = LivePolicy(parse_policy(POLICY, source="file"))
            return await _people_and_clients(build_core(settings, live, record.stores, hashing, clock), app)
        finally:
            hashing.close()


async def _people_and_clients(core: Core, app: ClientApp) -> str:
    """The secret of the API."""
    for name in ("alice", *_PEOPLE):
        await core.accounts.create(name, f"{name}@example.com", Secret(PASSWORD), [], actor="tests")
    for name in _OPERATORS:
        await core.accounts.create(name, f"{name}@example.com", Secret(PASSWORD), ["operator"], actor="tests")
    texts = {"reports:read": ResourceScope("see your reports"), "reports:write": ResourceScope()}
    await core.resources.create(_API, "Reports", texts, "tests")
    party = RelyingParty(
        client_uri=f"{app.url}/",
        logo_uri=f"{app.url}/logo.svg",
        policy_uri=f"{app.url}/privacy",
        tos_uri=f"{app.url}/terms",
        localized={"client_name#de": "Der Laden"},
    )
    house = RelyingParty(
        tos_uri=f"{app.url}/terms",
        post_logout_redirect_uris=(f"{app.url}/bye",),
        backchannel_logout_uri=f"{app.url}/back/house",
    )
    garden = replace(house, backchannel_logout_uri=f"{app.url}/back/garden", frontchannel_logout_uri=f"{app.url}/front")
    for client_id, name, shown in (
        ("shop", "The Shop", party),
        ("long", LONG_NAME, RelyingParty(tos_uri=f"{app.url}/terms")),
        ("house", "The House", house),
        ("garden", "The Garden", garden),
        ("closed", "The Closed", RelyingParty()),
        ("kiosk", "The Kiosk", RelyingParty()),
    ):
        described = ClientMetadata(
            client_id,
            name,
            profile=Profile.OIDC,
            auth_methods=frozenset({AuthMethod.NONE}),
            grants=_MANY_GRANTS if client_id == "shop" else _GRANTS,
            scopes=_SCOPES,
            audiences=(_API,),
            redirect_uris=(f"{app.url}/cb",),
            first_party=client_id in {"house", "garden", "kiosk"},
            relying_party=shown,
        )
        await core.clients.create(described, "tests")
    await core.clients.disable("closed", "tests")
    await core.clients.create(ClientMetadata("meter"), "tests")
    _, secret = await core.clients.create(ClientMetadata("api", serves=frozenset({_API})), "tests")
    assert secret is not None
    return secret.reveal()
