"""Values with every field set, in shapes that storage gets wrong: microseconds, quotes, emoji, long ids."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from authcenter.core.client import AuthMethod, Client, ClientSecret, Lifetimes, OnOutage, Profile
from authcenter.core.cut import Consequences, Cut, CutKind, RevokedToken
from authcenter.core.digest import Digest, signing_input_digest
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import (
    ClientId,
    FamilyId,
    Kid,
    RequestId,
    SessionId,
    Subject,
    new_family_id,
    new_jti,
    new_subject,
)
from authcenter.core.origin import RequestOrigin
from authcenter.core.relying_party import RelyingParty
from authcenter.core.resource import Resource, ResourceScope
from authcenter.core.scope import Scope
from authcenter.core.session import Session
from authcenter.core.token import RefreshToken, TokenFamily
from authcenter.core.user import User
from authcenter.stores.ports.keys import StoredKey

AWKWARD = """Ä'; DROP TABLE "clients"; -- 🦊 \\ % _ {} \n\t"""
LONG_ID = "x" * 255
SOME_TIME = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)


def a_client(client_id: str = "shop", **changes: Any) -> Client:
    client = Client(
        client_id=ClientId(client_id),
        name=AWKWARD,
        profile=Profile.FAPI2,
        auth_methods=frozenset({AuthMethod.SECRET_BASIC, AuthMethod.SECRET_POST}),
        grants=frozenset({"client_credentials", "refresh_token"}),
        scopes=Scope.of({"read", "write", "authcenter:admin"}),
        audiences=("https://b.example", "https://a.example"),
        serves=frozenset({"https://b.example"}),
        redirect_uris=("https://z.example/cb?a=b&c='", "https://a.example/cb"),
        origins=frozenset({"https://a.example"}),
        first_party=True,
        lifetimes=Lifetimes(timedelta(seconds=90), timedelta(days=3, microseconds=1), None, timedelta(0)),
        on_outage=OnOutage.CLOSED,
        secrets=(ClientSecret("00ff.1", SOME_TIME), ClientSecret("$argon2id$v=19$", SOME_TIME + timedelta(days=1))),
        created_at=SOME_TIME,
        updated_at=SOME_TIME + timedelta(microseconds=1),
        disabled_at=SOME_TIME + timedelta(hours=1),
        cut_at=SOME_TIME + timedelta(hours=2),
        revision=7,
        relying_party=RelyingParty(
            logo_uri="https://a.example/ü.png",
            contacts=("a@example.com",),
            jwks={"keys": [{"kty": "OKP", "x": AWKWARD}]},
            default_max_age=0,
            post_logout_redirect_uris=("https://a.example/out",),
            localized={"client_name#de": AWKWARD},
        ),
    )
    return replace(client, **changes)


def a_bare_client(client_id: str = "bare") -> Client:
    """With every optional thing left out."""
    return Client(
        client_id=ClientId(client_id),
        name="",
        profile=Profile.OAUTH21,
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset(),
        scopes=Scope(),
        audiences=(),
        serves=frozenset(),
        redirect_uris=(),
        origins=frozenset(),
        first_party=False,
        lifetimes=Lifetimes(),
        on_outage=None,
        secrets=(),
        created_at=SOME_TIME,
        updated_at=SOME_TIME,
    )


def a_resource(resource_id: str = "https://api.example", **changes: Any) -> Resource:
    scopes = {"read": ResourceScope(AWKWARD, "operator"), "write": ResourceScope(), "": ResourceScope("", None)}
    resource = Resource(resource_id, AWKWARD, scopes, SOME_TIME, SOME_TIME + timedelta(microseconds=1), revision=3)
    return replace(resource, **changes)


def a_user(username: str = "Ada", **changes: Any) -> User:
    user = User(
        subject=new_subject(),
        username=username,
        email=f"{username}@Example.com",
        email_verified=True,
        roles=frozenset({"operator", AWKWARD}),
        created_at=SOME_TIME,
        updated_at=SOME_TIME + timedelta(microseconds=1),
        disabled_at=SOME_TIME + timedelta(hours=1),
        cut_at=SOME_TIME + timedelta(hours=2),
        revision=4,
        claims={"name": AWKWARD, "address": {"country": "AT"}, "phone_number_verified": True},
    )
    return replace(user, **changes)


def a_family(**changes: Any) -> TokenFamily:
    family = TokenFamily(
        family_id=new_family_id(),
        client_id=ClientId("shop"),
        subject=Subject("usr_ada"),
        scope=Scope.of({"read", "write"}),
        audience=("https://b.example", "https://a.example"),
        sign_in={"sid": "session-1", "amr": ["pwd"], "acr": AWKWARD, "auth_time": 1_774_749_599},
        approved_at=SOME_TIME,
        expires_at=SOME_TIME + timedelta(days=90),
    )
    return replace(family, **changes)


def a_refresh_token(family_id: FamilyId, selector: str, **changes: Any) -> RefreshToken:
    token = RefreshToken(
        selector=selector,
        family_id=family_id,
        verifier_mac="00ff." + "a" * 64,
        issued_at=SOME_TIME,
        expires_at=SOME_TIME + timedelta(days=30),
    )
    return replace(token, **changes)


def a_key(kid: str = "k1", **changes: Any) -> StoredKey:
    key = StoredKey(
        kid=Kid(kid),
        alg="ES256",
        public_jwk={"kty": "EC", "x": AWKWARD, "kid": kid},
        private_pem="-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + "A" * 4000,
        created_at=SOME_TIME,
        signs_from=SOME_TIME + timedelta(microseconds=1),
        retired_at=SOME_TIME + timedelta(days=1),
        revoked_at=SOME_TIME + timedelta(days=2),
    )
    return replace(key, **changes)


def a_digest(number: int = 0) -> Digest:
    return signing_input_digest(f"header.payload-{number}.signature")


def a_revoked_token(number: int = 0, **changes: Any) -> RevokedToken:
    token = RevokedToken(
        a_digest(number), new_jti(), "family", "shop", LONG_ID, AWKWARD, SOME_TIME + timedelta(minutes=15)
    )
    return replace(token, **changes)


def a_session(session_id: str = "session", **changes: Any) -> Session:
    session = Session(
        session_id=SessionId(session_id),
        subject=Subject("usr_ada"),
        auth_time=SOME_TIME,
        acr="urn:example:gold",
        amr=("pwd", "otp"),
        user_agent=AWKWARD,
        ip="2001:db8::1",
        created_at=SOME_TIME,
        last_active_at=SOME_TIME + timedelta(microseconds=1),
        expires_at=SOME_TIME + timedelta(days=30),
    )
    return replace(session, **changes)


def an_event(kind: EventKind = EventKind.CLIENT_CREATED, **context: object) -> Event:
    origin = RequestOrigin(RequestId("0195-request"), ip="2001:db8::1", user_agent=AWKWARD)
    return Event(kind, "cli:root", LONG_ID, "usr_ada", origin, {"text": AWKWARD, "list": [1, {"a": None}], **context})


def recorded(kind: EventKind = EventKind.CLIENT_CREATED, **context: object) -> Consequences:
    """Consequences of one event."""
    return Consequences(events=(an_event(kind, **context),))


def cutting(kind: CutKind, value: str, **cut: Any) -> Consequences:
    """Consequences of one cut."""
    return Consequences(cuts=(Cut(kind, value, cut.pop("reason", "a reason"), **cut),))
