"""TLS on the public listener (RFC 9325), and certificates that are replaced while it serves."""

import contextlib
import shutil
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from tests.integration.service.api import until
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.certificates import Pair, self_signed

_HANG_SECONDS = 90


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """What the service serves."""
    return self_signed(tmp_path_factory.mktemp("tls") / "served")


@pytest.fixture(scope="module")
def tls(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    files = {"AUTHCENTER_TLS_CERT": str(pair.certificate), "AUTHCENTER_TLS_KEY": str(pair.key)}
    settings = files | {"AUTHCENTER_ISSUER": "https://auth.example"}
    yield from serving(AuthcenterProcess(tmp_path_factory.mktemp("tls-service"), settings=settings))


def handshake(
    tls: Service, least: ssl.TLSVersion, most: ssl.TLSVersion, ciphers: str = "DEFAULT"
) -> tuple[str, str, bytes]:
    """Version, suite and the certificate's fingerprint. Raises ``ssl.SSLError``, ``ConnectionError``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # Level 0: the client itself would refuse what the server has to refuse.
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = least, most
    with (
        socket.create_connection(("127.0.0.1", tls.process.port), timeout=_HANG_SECONDS) as plain,
        context.wrap_socket(plain) as secured,
    ):
        suite = secured.cipher()
        certificate = secured.getpeercert(binary_form=True)
        assert suite
        assert certificate
        fingerprint = x509.load_der_x509_certificate(certificate).fingerprint(SHA256())
        return str(secured.version()), suite[0], fingerprint


@pytest.mark.parametrize(
    ("version", "ciphers", "agreed"),
    [
        pytest.param(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", "TLSv1.2", id="1.2 with GCM"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "ECDHE+CHACHA20", "TLSv1.2", id="1.2 with ChaCha20"),
        pytest.param(ssl.TLSVersion.TLSv1_3, "DEFAULT", "TLSv1.3", id="1.3"),
    ],
)
def test_good_versions_and_suites_are_accepted(
    tls: Service, version: ssl.TLSVersion, ciphers: str, agreed: str
) -> None:
    spoken, suite, _ = handshake(tls, version, version, ciphers)
    assert spoken == agreed
    assert "GCM" in suite or "CHACHA20" in suite


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        pytest.param(ssl.TLSVersion.TLSv1, "ALL", id="1.0"),
        pytest.param(ssl.TLSVersion.TLSv1_1, "ALL", id="1.1"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", id="1.2 with CBC"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "DHE+AESGCM", id="1.2 without elliptic curves"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-CCM", id="1.2 with CCM"),
    ],
)
def test_weak_versions_and_suites_are_refused(tls: Service, version: ssl.TLSVersion, ciphers: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(tls, version, version, ciphers)


def test_the_listener_speaks_tls_only_and_announces_hsts(tls: Service, pair: Pair) -> None:
    url = f"https://127.0.0.1:{tls.process.port}/.well-known/jwks.json"
    answer = tls.api.session.get(url, verify=str(pair.certificate), timeout=_HANG_SECONDS)
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    with socket.create_connection(("127.0.0.1", tls.process.port), timeout=_HANG_SECONDS) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/1.1 200" not in plain.recv(100)


def test_a_replaced_certificate_is_served_and_half_a_pair_changes_nothing(
    tls: Service, pair: Pair, tmp_path: Path
) -> None:
    old, new = pair.fingerprint, self_signed(tmp_path / "new")
    assert served(tls) == old

    shutil.copyfile(new.certificate, pair.certificate)
    until(lambda: "tls_reload_failed" in tls.process.log.read_text(), "half a pair is noticed")
    assert served(tls) == old

    shutil.copyfile(new.key, pair.key)
    until(lambda: served(tls) == new.fingerprint, "the new certificate is served")

    pair.key.write_text("no key at all")
    failures = tls.process.log.read_text().count("tls_reload_failed")
    until(lambda: tls.process.log.read_text().count("tls_reload_failed") > failures, "a broken key is noticed")
    assert served(tls) == new.fingerprint
    shutil.copyfile(new.key, pair.key)
    assert tls.process.child.running


def served(tls: Service) -> bytes:
    return handshake(tls, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)[2]
