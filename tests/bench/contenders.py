"""The two contenders that are not authcenter: the bare handler, and npm oidc-provider under its supported node."""

import os
import platform
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Final

from tests.bench.load import Request
from tests.bench.probe import answers, basic, check_access_token, get_json, post_form
from tests.bench.work import Contender, Work
from tests.servers.child_process import ChildProcess
from tests.servers.ports import free_port

_HERE: Final = Path(__file__).parent / "oidc_provider"
_PROJECT: Final = Path(__file__).parents[2]
_FORM: Final = {"grant_type": "client_credentials", "scope": "read"}
_BODY: Final = "grant_type=client_credentials&scope=read"


class Bare(Contender):
    """The yardstick: it does the HTTP of every work and nothing else."""

    name: ClassVar = "bare"

    def __init__(self, directory: Path) -> None:
        """``directory`` is for its log."""
        self._port = free_port()
        self.child = ChildProcess(
            name=self.name,
            command=[sys.executable, "-m", "tests.bench.bare", str(self._port)],
            log=directory / "bare.log",
            directory=_PROJECT,
        )

    @property
    def url(self) -> str:
        """On loopback."""
        return f"http://127.0.0.1:{self._port}"

    def answers(self) -> bool:
        """Whether it serves."""
        return answers(f"{self.url}/json")

    def prepare(self, work: Work) -> Request:
        """The same small form for every work but those that are a GET here too."""
        if work in (Work.JWKS, Work.VALIDATE):
            return Request("GET", f"{self.url}/json")
        if post_form(f"{self.url}/form", _FORM, "")["scope"] != "read":
            raise RuntimeError("the bare handler does not read its form")
        return Request("POST", f"{self.url}/form", _BODY)


class OidcProvider(Contender):
    """npm oidc-provider with its in-memory adapter; see ``oidc_provider/server.mjs`` for its clients."""

    name: ClassVar = "oidc-provider"

    def __init__(self, directory: Path) -> None:
        """``directory`` is for its log. The package is installed beside its script on first use."""
        if not (_HERE / "node_modules").exists():
            subprocess.run(["npm", "ci", "--no-fund", "--no-audit"], cwd=_HERE, check=True, stdout=sys.stderr)
        self._port, self.secret = free_port(), secrets.token_urlsafe(32)
        own = {"PEER_PORT": str(self._port), "PEER_SECRET": self.secret, "NODE_ENV": "production"}
        self.child = ChildProcess(
            name=self.name,
            command=[node(), _HERE / "server.mjs"],
            log=directory / "oidc-provider.log",
            environment=os.environ | own,
        )

    @property
    def url(self) -> str:
        """On loopback."""
        return f"http://127.0.0.1:{self._port}"

    def answers(self) -> bool:
        """Whether it serves."""
        return answers(f"{self.url}/jwks")

    def prepare(self, work: Work) -> Request | None:
        """JWT access tokens by client_credentials, introspection of an opaque one, its key set."""
        if work in (Work.REFRESH, Work.VALIDATE):
            return None
        if work is Work.JWKS:
            return Request("GET", f"{self.url}/jwks")
        kind = "opaque" if work is Work.INTROSPECTION else work.algorithm
        authorization = basic(f"bench-{kind}", self.secret)
        token = post_form(f"{self.url}/token", _FORM, authorization)["access_token"]
        if work is Work.INTROSPECTION:
            form = {"token": token, "token_type_hint": "access_token"}
            if post_form(f"{self.url}/token/introspection", form, authorization)["active"] is not True:
                raise RuntimeError("oidc-provider does not know its own token")
            body = f"token={token}&token_type_hint=access_token"
            return Request("POST", f"{self.url}/token/introspection", body, authorization)
        check_access_token(token, work.algorithm, get_json(f"{self.url}/jwks"))
        return Request("POST", f"{self.url}/token", _BODY, authorization)


def node() -> str:
    """The node that came with the installation; the system's own where there is none for this machine."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    bundled = _HERE / "node_modules" / f"node-linux-{machine}" / "bin" / "node"
    return str(bundled) if bundled.exists() else shutil.which("node") or "node"
