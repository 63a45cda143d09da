"""Consul for machines without it: Debian's last package of it, unpacked into a cache, never installed.

Debian dropped Consul after release 11. ``python -m tests.servers.consul_package`` fetches that release's package from
the mirror this machine already uses, through apt and its signature check but with lists and caches of its own, so that
nothing of the machine changes and root is not needed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_RELEASE = "bullseye"
_SOURCES = Path("/etc/apt")
_OS_RELEASE = Path("/etc/os-release")
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class ConsulUnavailableError(Exception):
    """This machine offers no way to fetch Consul; the message says why."""


def cached_consul() -> Path | None:
    """The program fetched before, or None."""
    program = _cache() / "usr" / "bin" / "consul"
    return program if program.exists() else None


def fetch_consul() -> Path:
    """The program, fetched unless it was before.

    Raises:
        ConsulUnavailableError: No Debian, no apt, or the mirror does not answer.
    """
    return cached_consul() or _fetch()


def _fetch() -> Path:
    mirror = next(_mirrors(), None)
    if mirror is None or shutil.which("dpkg-deb") is None:
        raise ConsulUnavailableError(
            "only a Debian machine's own package mirror offers it; elsewhere put consul on PATH"
        )
    target = _cache()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        work = Path(name)
        (package,) = _download(mirror, work)
        subprocess.run(["dpkg-deb", "-x", package, work / "unpacked"], check=True)
        # Renamed when complete: another process sees all of it or nothing.
        if not target.exists():
            (work / "unpacked").rename(target)
    return target / "usr" / "bin" / "consul"


def _download(mirror: str, work: Path) -> list[Path]:
    for directory in ("lists/partial", "cache/archives/partial"):
        (work / directory).mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYS}] {mirror} {_RELEASE} main\n")
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Check-Valid-Until": "false",  # the release is finished: nobody signs its lists anew
        "Acquire::Retries": "3",
        "APT::Sandbox::User": "",  # the package manager's own account may not enter this directory
    }
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    for command in (["update"], ["download", "consul"]):
        done = subprocess.run([*apt, *command], cwd=work, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise ConsulUnavailableError(f"apt-get {command[0]}: {done.stderr.strip()[-400:]}")
    return list(work.glob("consul_*.deb"))


def _mirrors() -> Iterator[str]:
    """Addresses from which this machine takes its own Debian release."""
    os_release = dict(line.split("=", 1) for line in _OS_RELEASE.read_text().splitlines() if "=" in line)
    if os_release.get("ID") != "debian":
        return
    codename = os_release.get("VERSION_CODENAME", "").strip('"')
    for path in [_SOURCES / "sources.list", *sorted((_SOURCES / "sources.list.d").glob("*"))]:
        if path.is_file():
            yield from mirrors_in(path.name, path.read_text(), codename)


def mirrors_in(name: str, text: str, codename: str) -> Iterator[str]:
    """Addresses in one of apt's files; its name tells the notation, as it does to apt."""
    if name.endswith(".sources"):
        yield from _deb822_mirrors(text, codename)
    elif name.endswith(".list"):
        yield from _one_line_mirrors(text, codename)


def _deb822_mirrors(text: str, codename: str) -> Iterator[str]:
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in lines.split("\n\n"):
        fields = dict(line.split(":", 1) for line in stanza.splitlines() if ":" in line and line[0] not in " \t")
        if codename in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
            yield from fields.get("URIs", "").split()


def _one_line_mirrors(text: str, codename: str) -> Iterator[str]:
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        words = (rest.partition("]")[2] if rest.lstrip().startswith("[") else rest).split()
        if kind == "deb" and len(words) > 2 and words[1] == codename and "main" in words[2:]:
            yield words[0]


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "authcenter-tests" / f"consul-{_RELEASE}"


if __name__ == "__main__":
    try:
        print(fetch_consul())
    except ConsulUnavailableError as reason:
        sys.exit(f"no consul: {reason}")
