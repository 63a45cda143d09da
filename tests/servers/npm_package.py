"""Packages of npm that tests use, by name and exact version, in a cache: ``python -m`` this fetches them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AXE = ("axe-core", "4.14.1")
_HANG_SECONDS = 300


class NpmUnavailableError(Exception):
    """This machine offers no way to fetch the package; the message says why."""


def cached_package(name: str, version: str) -> Path | None:
    """The folder of a package fetched before, or None."""
    folder = _cache(name, version) / "node_modules" / name
    return folder if (folder / "package.json").exists() else None


def fetch_package(name: str, version: str) -> Path:
    """The folder of a package, fetched unless it was before. Its install scripts are not run.

    Raises:
        NpmUnavailableError: No npm, or its registry does not answer.
    """
    return cached_package(name, version) or _fetch(name, version)


def _fetch(name: str, version: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NpmUnavailableError("there is no npm")
    target = _cache(name, version)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        work = Path(folder) / "package"
        work.mkdir()
        command = [npm, "install", "--prefix", str(work), "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [*command, f"{name}@{version}"],
            check=False,
            capture_output=True,
            text=True,
            timeout=_HANG_SECONDS,
            cwd=work,
        )
        if done.returncode != 0:
            raise NpmUnavailableError(f"npm install {name}: {done.stderr.strip()[-400:]}")
        # Renamed when complete: another process sees all of it or nothing.
        if not target.exists():
            work.rename(target)
    return target / "node_modules" / name


def _cache(name: str, version: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "authcenter-tests" / f"npm-{name}-{version}"


if __name__ == "__main__":
    try:
        print(fetch_package(*AXE))
    except (NpmUnavailableError, subprocess.TimeoutExpired) as reason:
        sys.exit(f"no {AXE[0]}: {reason}")
