"""The SDK where the server's parts are not installed: a process in which importing them fails, as if they were not."""

import json
import os
import subprocess
import sys
from pathlib import Path

_PROJECT = Path(__file__).parents[3]
_SERVER_ONLY = [
    *("aiosqlite", "alembic", "argon2", "asyncpg", "bcrypt", "click", "consul", "opentelemetry", "prometheus_client"),
    *("pydantic", "redis", "sqlalchemy", "structlog", "uvloop", "yaml"),
]
_FRAMEWORKS = ["starlette", "fastapi"]

_WITHOUT = f"""
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{*{_SERVER_ONLY!r}, *{_FRAMEWORKS!r}}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""

_USE = """
import importlib, json, pkgutil, time
import authcenter.sdk

needing = {}
for module in pkgutil.walk_packages(authcenter.sdk.__path__, "authcenter.sdk."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as missing:
        needing[module.name] = missing.name.partition(".")[0]

from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.jose.jws import write_object
from authcenter.core import base64url
from authcenter.sdk.key_cache import KeySource
from authcenter.sdk.key_set import read_key_set
from authcenter.sdk.verifier import TokenVerifier

class Keys(KeySource):
    version = 0
    def __init__(self, found):
        self.found = found
    def find(self, kid):
        return self.found.get(kid)
    async def learn(self):
        return False

private = ALGORITHMS[Alg.ES256].generate()
jwk = signature_jwk(private.public_key(), Alg.ES256)
keys = Keys(read_key_set(json.dumps({"keys": [jwk]}).encode()))
now = int(time.time())
claims = {"iss": "https://i.example", "aud": "https://a.example", "sub": "app", "client_id": "app", "jti": "1",
          "iat": now, "exp": now + 3600}
data = write_object({"alg": "ES256", "typ": "at+jwt", "kid": jwk["kid"]}) + "." + write_object(claims)
token = data + "." + base64url.encode(ALGORITHMS[Alg.ES256].sign(private, data.encode()))
held = TokenVerifier("https://i.example", "https://a.example", keys).check(token)
server = sorted(name for name in sys.modules if name.startswith("authcenter.") and name.split(".")[1] not in
                {"sdk", "jose", "core"})
print(json.dumps({"needing": needing, "client": held.client_id, "server": server}))
"""

_COMMAND = """
import runpy
sys.argv = ["authcenter", "serve"]
runpy.run_module("authcenter", run_name="__main__")
"""


def _run(program: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(_PROJECT)}
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT + program],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_every_module_imports_and_a_token_is_verified() -> None:
    done = _run(_USE)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["client"] == "app"
    assert said["server"] == []
    needing = {name: package for name, package in said["needing"].items() if package not in _FRAMEWORKS}
    assert needing == {"authcenter.sdk.metrics": "prometheus_client", "authcenter.sdk.tracing": "opentelemetry"}


def test_the_command_says_in_one_line_what_is_missing() -> None:
    done = _run(_COMMAND)
    assert done.returncode == 1
    assert done.stderr == "authcenter: click is not installed; the server is: pip install 'authcenter[server]'\n"
