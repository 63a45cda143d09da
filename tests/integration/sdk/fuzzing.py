"""Coverage-guided fuzzing of what the SDK reads from strangers: ``python -m tests.integration.sdk.fuzzing [CORPUS]``.

Takes libFuzzer's options, such as ``-max_total_time=20``. The first byte of an input chooses what is read; payload
and header are signed with the published key, so that the checks behind the signature are reached.
"""

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["authcenter.core", "authcenter.jose", "authcenter.sdk"]):
    from authcenter.core.errors import TokenRejected
    from authcenter.jose.access_token import VerifyingKey
    from authcenter.jose.algorithms import Alg
    from authcenter.jose.status_list import STATUS_LIST_TYPE
    from authcenter.sdk.discovery import read_jwks_uri
    from authcenter.sdk.fetching import FetchFailed
    from authcenter.sdk.key_cache import KeySource, lifetime
    from authcenter.sdk.key_set import read_key_set
    from authcenter.sdk.signed_document import DocumentRejected
    from authcenter.sdk.status_list import read_status_list
    from authcenter.sdk.verifier import TokenVerifier

from tests.forgery import forged, header_of, signed
from tests.unit.sdk.published import key_set, signing_key
from tests.workbench import API, ISSUER, SetClock

KEY = signing_key(Alg.EDDSA)
SEEDS = {
    "token": b"\0" + forged(KEY).encode(),
    "payload": b"\1" + b'{"iss":"https://auth.example","aud":["https://api.example"],"exp":1,"cnf":{"jkt":"x"}}',
    "header": b"\2" + header_of(KEY),
    "keys": b"\3" + key_set(KEY, signing_key()),
    "metadata": b"\4" + b'{"issuer":"https://auth.example","jwks_uri":"https://auth.example/keys"}',
    "lifetime": b"\5" + b"public, max-age=600",
    "status list": b"\6" + b'{"sub":"https://auth.example/s","iat":1,"status_list":{"bits":1,"lst":"eNrbuRgAAhcBXQ"}}',
}
_LIST = "https://auth.example/s"


class _Keys(KeySource):
    version = 0

    def __init__(self) -> None:
        self._keys = read_key_set(key_set(KEY))

    def find(self, kid: str) -> VerifyingKey | None:
        return self._keys.get(kid)

    async def learn(self) -> bool:
        return False


_KEYS = _Keys()
_VERIFIER = TokenVerifier(ISSUER, API, _KEYS, clock=SetClock(), remembered=10)


def _token(data: bytes) -> None:
    try:
        held = _VERIFIER.check(data.decode("utf-8", "surrogateescape"))
    except TokenRejected:
        return
    assert API in held.audience
    assert held.claims["iss"] == ISSUER
    assert "cnf" not in held.claims


def _payload(data: bytes) -> None:
    _token(signed(KEY, header_of(KEY), data).encode())


def _header(data: bytes) -> None:
    _token(signed(KEY, data, b"{}").encode())


def _key_set(data: bytes) -> None:
    try:
        read_key_set(data)
    except ValueError:
        return


def _metadata(data: bytes) -> None:
    try:
        uri = read_jwks_uri(data, ISSUER)
    except FetchFailed:
        return
    assert uri.lower().startswith("https://")


def _lifetime(data: bytes) -> None:
    field, _, age = data.decode("latin-1").partition("\0")
    assert 300 <= lifetime(field, age) <= 600


def _status_list(data: bytes) -> None:
    document = signed(KEY, json.dumps({"alg": KEY.alg, "kid": KEY.kid, "typ": STATUS_LIST_TYPE}).encode(), data)
    # It waits only for keys that are not there yet.
    reading = read_status_list(document.encode(), _LIST, ISSUER, _KEYS, 0.0)
    try:
        reading.send(None)
    except (StopIteration, DocumentRejected):
        return
    raise AssertionError("it waits for a key that is there")


_READERS = (_token, _payload, _header, _key_set, _metadata, _lifetime, _status_list)


def read(data: bytes) -> None:
    """One input."""
    if data:
        _READERS[data[0] % len(_READERS)](data[1:])


def main() -> None:
    """Write the seeds into the corpus, and fuzz."""
    for corpus in (Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")):
        for name, seed in SEEDS.items():
            (corpus / name).write_bytes(seed)
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
