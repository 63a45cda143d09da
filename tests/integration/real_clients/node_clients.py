"""The clients from npm: fetched by lock file into a cache, and run as a child asking for what a browser has to do."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.servers.require import missing, require

_HERE = Path(__file__).parent
_LISTS = ("package.json", "package-lock.json")
_OLDEST_NODE = 18
_FETCH_SECONDS = 60
_PATIENT_FETCH_SECONDS = 300
_HANG_SECONDS = 90


class NpmUnavailableError(Exception):
    """This machine offers no way to fetch the packages; the message says why."""


def run(library: str, directory: Path, certificate: Path, given: Mapping[str, Any], visit: Callable[[str], str]) -> Any:
    """Run ``clients.mjs`` with ``library`` and return what it found out.

    Args:
        directory: For a copy of the script.
        given: What it is configured with.
        visit: Does what a person does with a link; gives the address at which the browser arrives.
    """
    node = _node()
    try:
        packages = fetch()
    except NpmUnavailableError as reason:
        missing(str(reason))
    # Modules are looked for beside the script itself.
    script = shutil.copy(_HERE / "clients.mjs", directory)
    (directory / "node_modules").symlink_to(packages / "node_modules")
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_EXTRA_CA_CERTS": str(certificate),
        "REAL_CLIENT": json.dumps({"library": library, **given}),
    }
    with (
        (directory / "errors").open("w+") as errors,
        subprocess.Popen(
            [*node, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
            cwd=directory,
        ) as child,
    ):
        try:
            return _talk(child, visit)
        except EOFError:
            child.wait(_HANG_SECONDS)
            errors.seek(0)
            raise AssertionError(f"{library} ended with {child.returncode}: {errors.read()}") from None
        finally:
            child.kill()


def fetch(seconds: float = _FETCH_SECONDS) -> Path:
    """The folder that holds ``node_modules``, fetched unless it was before. Install scripts are not run.

    Args:
        seconds: How long fetching may take.

    Raises:
        NpmUnavailableError: No npm, or its registry does not answer.
    """
    digest = hashlib.sha256((_HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    target = Path(home) / "authcenter-tests" / f"real-clients-{digest}"
    if target.exists():
        return target
    npm = shutil.which("npm")
    if npm is None:
        raise NpmUnavailableError("npm is not installed")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        work = Path(folder) / "packages"
        work.mkdir()
        for name in _LISTS:
            shutil.copy(_HERE / name, work)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds, cwd=work)
        except subprocess.TimeoutExpired:
            raise NpmUnavailableError("npm ci did not come to an end") from None
        if done.returncode != 0:
            raise NpmUnavailableError(f"npm ci: {done.stderr.strip()[-400:]}")
        # Renamed when complete: another process sees all of it or nothing.
        try:
            work.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target


def _node() -> list[str]:
    """The command that runs a script."""
    node = require("node")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    major = int(version.removeprefix("v").partition(".")[0])
    if major < _OLDEST_NODE:
        missing(f"node is {version.strip()}; the clients need {_OLDEST_NODE} or newer")
    # Debian 12's has the Web Crypto API only on request.
    return [str(node), "--experimental-global-webcrypto"] if major == _OLDEST_NODE else [str(node)]


def _talk(child: "subprocess.Popen[str]", visit: Callable[[str], str]) -> Any:
    assert child.stdin is not None
    assert child.stdout is not None
    while line := child.stdout.readline():
        said = json.loads(line)
        if "done" in said:
            return said["done"]
        child.stdin.write(json.dumps(visit(said["url"])) + "\n")
        child.stdin.flush()
    raise EOFError


if __name__ == "__main__":
    try:
        print(fetch(_PATIENT_FETCH_SECONDS))
    except NpmUnavailableError as reason:
        sys.exit(f"no clients from npm: {reason}")
