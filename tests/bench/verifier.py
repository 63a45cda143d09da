"""The server's verifier and the SDK's, as embedding programs build them, over keys and revocations made up here."""

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from authcenter.core.clock import SystemClock
from authcenter.core.cut import NO_CONSEQUENCES, Consequences, Cut, RevokedToken
from authcenter.core.digest import Digest
from authcenter.core.token import AccessToken
from authcenter.jose.access_token import VerifyingKey
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import signature_jwk, thumbprint
from authcenter.keys.source import LiveKeyRing
from authcenter.keys.vault import KeyVault
from authcenter.sdk.key_cache import KeySource
from authcenter.sdk.key_set import read_key_set
from authcenter.sdk.verifier import TokenVerifier
from authcenter.stores.ports.keys import SigningKeyStore, StoredKey
from authcenter.stores.ports.tokens import RevocationStore
from authcenter.tokens.revocation import Revocations
from authcenter.tokens.verifier import AccessTokenVerifier
from tests.bench.minted import AUDIENCE, ISSUER, PrivateKey, private_key

SHORT_HASH_BYTES: Final = 8
_LEEWAY: Final = 30
_BATCH: Final = 10_000
_ALIVE_MINUTES: Final = 15


@dataclass(frozen=True, slots=True)
class PublishedKeys(SigningKeyStore):
    """Public halves only: nothing is signed by the ring here."""

    keys: Sequence[StoredKey]

    async def list_keys(self) -> Sequence[StoredKey]:
        """All of them."""
        return self.keys

    async def add(self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES) -> None:
        """Refuse: the bench changes no key."""
        raise NotImplementedError

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> None:
        """Refuse: the bench changes no key."""
        raise NotImplementedError


@dataclass(slots=True)
class MadeUpRecord(RevocationStore):
    """So many revoked tokens, their expiries spread over the life of an access token; nothing else ever happens."""

    revoked: int = 0

    async def now(self) -> datetime:
        """The machine's clock stands in for the database's."""
        return datetime.now(UTC)

    async def revoke(self, token: RevokedToken, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Refuse: the record is made up."""
        raise NotImplementedError

    async def cut(self, consequences: Consequences) -> None:
        """Refuse: the record is made up."""
        raise NotImplementedError

    async def all_tokens(self, alive_after: datetime) -> AsyncIterator[Sequence[tuple[Digest, datetime]]]:
        """Digests of nothing, in batches as SQL gives them."""
        minutes = [alive_after + timedelta(minutes=minute + 1) for minute in range(_ALIVE_MINUTES)]
        for _ in range(0, self.revoked, _BATCH):
            yield [(Digest(secrets.token_bytes(32)), minutes[at % _ALIVE_MINUTES]) for at in range(_BATCH)]

    async def all_cuts(self, alive_after: datetime) -> Sequence[Cut]:
        """None."""
        return ()

    async def recent(self, seconds: float) -> tuple[Sequence[tuple[Digest, datetime]], Sequence[Cut]]:
        """Nothing."""
        return (), ()


@dataclass(frozen=True, slots=True)
class FetchedKeys(KeySource):
    """What a resource server has fetched; nothing new ever comes."""

    keys: Mapping[str, VerifyingKey]
    version: int = 0

    def find(self, kid: str) -> VerifyingKey | None:
        """Among what was fetched."""
        return self.keys.get(kid)

    async def learn(self) -> bool:
        """Nothing."""
        return False


@dataclass(frozen=True, slots=True)
class Subject:
    """One algorithm's key, and a check that has read it: the server's, or the SDK's."""

    algorithm: str
    key: PrivateKey
    kid: str
    check: Callable[[str], AccessToken]


async def filled_with(revoked: int) -> Revocations:
    """Revocations whose replica has been loaded with so many made-up entries."""
    revocations = Revocations(MadeUpRecord(revoked), SystemClock(), lambda: timedelta(seconds=_LEEWAY))
    await revocations.poll(SHORT_HASH_BYTES)
    return revocations


async def subject(algorithm: str, revocations: Revocations) -> Subject:
    """The server's verifier with a fresh key of the algorithm, and these revocations."""
    key = private_key(algorithm)
    public, now = key.public_key(), datetime.now(UTC)
    stored = StoredKey(
        kid=thumbprint(public),
        alg=algorithm,
        public_jwk=signature_jwk(public, Alg(algorithm)),
        private_pem="",
        created_at=now,
        signs_from=now,
    )
    ring = LiveKeyRing(PublishedKeys([stored]), KeyVault([b"no private key here"]), SystemClock())
    await ring.reload()
    verifier = AccessTokenVerifier(ISSUER, ring, revocations, SystemClock(), lambda: _LEEWAY)
    return Subject(algorithm, key, stored.kid, verifier.check)


async def resource_server(algorithm: str, revocations: Revocations) -> Subject:
    """The SDK's verifier, which checks audience and a scope as well."""
    key = private_key(algorithm)
    jwk = signature_jwk(key.public_key(), Alg(algorithm))
    keys = FetchedKeys(read_key_set(json.dumps({"keys": [jwk]}).encode()))
    check = TokenVerifier(ISSUER, AUDIENCE, keys, revocations=revocations.replica).check
    return Subject(algorithm, key, jwk["kid"], lambda token: check(token, "read"))
