"""Private keys at rest: several passphrases live, keys that none of them opens, encrypting anew."""

import pytest

from authcenter.core.errors import StoreUnavailable
from authcenter.core.event import EventKind
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import KeyState
from authcenter.keys.rotation import KeyRotation
from authcenter.keys.source import LiveKeyRing
from authcenter.keys.vault import KeyVault
from tests.workbench import PASSPHRASE, Workbench, private_key, stored_key

NEW = b"the new passphrase of the tests"


def process(bench: Workbench, *passphrases: bytes) -> tuple[LiveKeyRing, KeyRotation]:
    vault = KeyVault(passphrases)
    live = LiveKeyRing(bench.stores.keys, vault, bench.clock)
    return live, KeyRotation(bench.stores.keys, live, vault, bench.clock)


@pytest.mark.parametrize("alg", Alg)
def test_what_is_locked_opens_with_any_of_the_passphrases(alg: Alg) -> None:
    private = private_key(alg)
    pem = KeyVault([PASSPHRASE]).lock(private)
    assert "ENCRYPTED PRIVATE KEY" in pem
    opened = KeyVault([NEW, PASSPHRASE]).open(pem)
    assert opened is not None
    assert opened.public_key() == private.public_key()


@pytest.mark.parametrize(
    "pem", ["", "no key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"]
)
def test_what_is_no_key_does_not_open(pem: str) -> None:
    assert KeyVault([PASSPHRASE]).open(pem) is None


def test_the_vault_does_not_show_its_passphrases() -> None:
    assert PASSPHRASE.decode() not in repr(KeyVault([PASSPHRASE]))


async def test_with_the_wrong_passphrase_keys_verify_only(bench: Workbench) -> None:
    token = (await bench.ask("client_credentials")).access
    live, _ = process(bench, NEW)
    await live.reload()
    assert bench.signer.kid in live.ring.verifying
    assert live.ring.jwks == bench.core.keys.ring.jwks
    with pytest.raises(StoreUnavailable):
        live.ring.signer("ES256")
    assert token.encode()


async def test_encrypting_anew_moves_every_key_to_the_first_passphrase(bench: Workbench) -> None:
    revoked = await bench.core.rotation.revoke(bench.signer.kid, "leaked", "tests")
    assert revoked is not None
    _, rotation = process(bench, NEW, PASSPHRASE)
    done, unopened = await rotation.reencrypt("tests")
    assert unopened == []
    assert set(done) == {stored_key(Alg.EDDSA).kid, revoked.kid}
    assert bench.kinds().count(EventKind.KEYS_REENCRYPTED) == 2
    live, _ = process(bench, NEW)
    await live.reload()
    assert live.ring.signer("ES256").kid == revoked.kid
    assert live.ring.states[stored_key(Alg.ES256).kid] is KeyState.REVOKED


async def test_keys_that_nothing_opens_stay_as_they_are(bench: Workbench) -> None:
    before = dict(bench.record.tables.keys)
    _, rotation = process(bench, NEW)
    done, unopened = await rotation.reencrypt("tests")
    assert (done, set(unopened)) == ([], set(before))
    assert bench.record.tables.keys == before
