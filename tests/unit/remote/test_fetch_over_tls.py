"""https: the certificate has to be the host's, and of an authority that this machine trusts."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authcenter.clients.keys import COOL_DOWN_SECONDS, ClientKeys
from authcenter.core.relying_party import RelyingParty
from authcenter.core.wire_json import encode
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.stores.ports.remote import FetchFailed
from authcenter.stores.remote.fetch import GuardedFetch
from tests.far_server import FarServer, far_server
from tests.workbench import Workbench, private_key

LOOPBACK = (IPv4Network("127.0.0.0/8"),)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for 127.0.0.1, vouched for by nobody but itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "far")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = tmp_path_factory.mktemp("far") / "far.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
async def far(certificate: Path) -> AsyncIterator[FarServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with far_server(context) as server:
        yield server


def trusting(certificate: Path) -> GuardedFetch:
    context = ssl.create_default_context(cafile=certificate)
    return GuardedFetch(lambda: LOOPBACK, seconds=60.0, trust=lambda: context)


async def test_a_trusted_certificate_of_the_host_will_do(far: FarServer, certificate: Path) -> None:
    far.puts("/keys", b"{}")
    assert await trusting(certificate).get(far.url("/keys", scheme="https")) == b"{}"


async def test_an_unknown_authority_will_not(far: FarServer) -> None:
    with pytest.raises(FetchFailed, match="Certificate"):
        await GuardedFetch(lambda: LOOPBACK, seconds=60.0).get(far.url("/keys", scheme="https"))
    assert far.asked == []


async def test_another_hosts_certificate_will_not(far: FarServer, certificate: Path) -> None:
    with pytest.raises(FetchFailed, match="Certificate"):
        await trusting(certificate).get(far.url("/keys", "localhost", "https"))
    assert far.asked == []


async def test_a_client_that_changes_its_keys_is_followed(bench: Workbench, far: FarServer, certificate: Path) -> None:
    """CONFORMANCE §4, refresh-token-rp-key-rotation: an unknown kid has them fetched again, within the minute."""
    keys = ClientKeys(trusting(certificate), bench.clock)
    party = RelyingParty(jwks_uri=far.url("/keys", scheme="https"))
    client = replace(await bench.core.clients.get("app"), relying_party=party)
    for number in (0, 1):
        jwk = signature_jwk(private_key(Alg.RS256, number).public_key(), Alg.RS256)
        far.puts("/keys", encode({"keys": [jwk]}))
        assert [key.kid for key in await keys.keys_of(client, jwk["kid"])] == [jwk["kid"]]
        bench.clock.advance(COOL_DOWN_SECONDS)
    assert far.asked == [("GET", "/keys")] * 2
