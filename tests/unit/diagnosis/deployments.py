"""A deployment that nothing is wrong with, and changes to it."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from authcenter.core.client import AuthMethod, Client, ClientSecret, Lifetimes, Profile
from authcenter.core.ids import ClientId
from authcenter.core.scope import Scope
from authcenter.diagnosis.facts import AuditFacts, DatabaseFacts, Facts, RecordFacts
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import KeyRing, SigningKey
from authcenter.settings.policy import parse_policy
from authcenter.stores.ports.condition import ClockReading, RedisCondition
from authcenter.stores.ports.schema import SchemaState
from tests.workbench import START, private_key, settings, stored_key

RANDOM = urlsafe_b64encode(sha256(b"as good as random").digest()).decode().rstrip("=")
IN_STEP = ClockReading(ahead=0.01, doubt=0.005)
REDIS = RedisCondition("", IN_STEP, "noeviction", 0, appends=True, snapshots=True)
PRODUCTION = {
    "ENV": "production",
    "SECRET_KEY": RANDOM,
    "KEY_PASSPHRASE": RANDOM,
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "DATABASE_URL": "postgresql+asyncpg://app@db/app",
}


def key(signs_from: datetime = START - timedelta(days=1), *, opens: bool = True) -> SigningKey:
    """A key for ES256; one that does not open has a passphrase that this process lacks."""
    stored = stored_key(Alg.ES256)
    return SigningKey(
        kid=stored.kid,
        alg=Alg.ES256,
        public=private_key(Alg.ES256).public_key(),
        public_jwk=stored.public_jwk,
        private=private_key(Alg.ES256) if opens else None,
        created_at=signs_from,
        signs_from=signs_from,
        retired_at=None,
        revoked_at=None,
    )


def client(**changes: Any) -> Client:
    """One that is as it should be."""
    good = Client(
        client_id=ClientId("shop"),
        name="Shop",
        profile=Profile.OAUTH21,
        auth_methods=frozenset({AuthMethod.SECRET_BASIC}),
        grants=frozenset({"authorization_code", "refresh_token"}),
        scopes=Scope(frozenset({"read"})),
        audiences=(),
        serves=frozenset(),
        redirect_uris=("https://shop.example/cb",),
        origins=frozenset(),
        first_party=False,
        lifetimes=Lifetimes(),
        on_outage=None,
        secrets=(ClientSecret("hmac-sha256$00000000.00", START),),
        created_at=START,
        updated_at=START,
    )
    return replace(good, **changes)


def record(**changes: Any) -> RecordFacts:
    good = RecordFacts(
        clients=(client(),),
        ring=KeyRing.of([key()], START),
        audit=AuditFacts(settled_at=START - timedelta(minutes=5), checkpoint_at=START - timedelta(minutes=4)),
    )
    return replace(good, **changes)


def deployment(policy: str = "", environ: dict[str, str] | None = None, **changes: Any) -> Facts:
    good = Facts(
        now=START,
        settings=settings(**{**PRODUCTION, **(environ or {})}),
        policy=parse_policy(policy, source="file"),
        database=DatabaseFacts(SchemaState("0009", "0009"), IN_STEP),
        record=record(),
        redis=(REDIS,),
    )
    return replace(good, **changes)
