"""Programs that tests start but nobody wants installed: Debian's packages, unpacked into a cache.

``python -m tests.servers.debian_package NAME`` fetches one from the mirror this machine already uses, through apt and
its signature check but with lists and caches of its own, so that nothing of the machine changes and root is not needed.
Debian dropped Consul after release 11. Prometheus, installed, would run as a service, on the operators' port.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SOURCES = Path("/etc/apt")
_OS_RELEASE = Path("/etc/os-release")
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class PackageUnavailableError(Exception):
    """This machine offers no way to fetch it; the message says why."""


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """Attributes:
    release: The one that has it; empty: this machine's own.
    """

    name: str
    release: str = ""

    @property
    def programs(self) -> Path:
        """The directory of its programs, which is not there before it is fetched."""
        return _cache(self) / "usr" / "bin"

    def fetch(self) -> Path:
        """The directory of its programs, fetched unless it was before.

        Raises:
            PackageUnavailableError: No Debian, no apt, or the mirror does not answer.
        """
        return self.programs if self.programs.exists() else _fetch(self)


CONSUL = DebianPackage("consul", "bullseye")
PROMETHEUS = DebianPackage("prometheus")
_PACKAGES = {package.name: package for package in (CONSUL, PROMETHEUS)}


def _fetch(package: DebianPackage) -> Path:
    codename = _codename()
    mirror = next(_mirrors(codename), None)
    if mirror is None or shutil.which("dpkg-deb") is None:
        raise PackageUnavailableError("only a Debian machine's own package mirror offers it; elsewhere put it on PATH")
    target = _cache(package)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        work = Path(name)
        (file,) = _download(package.name, mirror, package.release or codename, work)
        subprocess.run(["dpkg-deb", "-x", file, work / "unpacked"], check=True)
        # Renamed when complete: another process sees all of it or nothing.
        if not target.exists():
            (work / "unpacked").rename(target)
    return package.programs


def _download(name: str, mirror: str, release: str, work: Path) -> list[Path]:
    for directory in ("lists/partial", "cache/archives/partial"):
        (work / directory).mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYS}] {mirror} {release} main\n")
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Check-Valid-Until": "false",  # of a finished release nobody signs the lists anew
        "Acquire::Retries": "3",
        "APT::Sandbox::User": "",  # the package manager's own account may not enter this directory
    }
    apt = ["apt-get", "-q", *(f"-o{option}={value}" for option, value in options.items())]
    for command in (["update"], ["download", name]):
        done = subprocess.run([*apt, *command], cwd=work, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise PackageUnavailableError(f"apt-get {command[0]}: {done.stderr.strip()[-400:]}")
    return list(work.glob(f"{name}_*.deb"))


def _codename() -> str:
    """Of this machine's Debian release; empty: it is none."""
    text = _OS_RELEASE.read_text() if _OS_RELEASE.exists() else ""
    os_release = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return os_release.get("VERSION_CODENAME", "").strip('"') if os_release.get("ID") == "debian" else ""


def _mirrors(codename: str) -> Iterator[str]:
    """Addresses from which this machine takes its own Debian release."""
    if not codename:
        return
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


def _cache(package: DebianPackage) -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "authcenter-tests" / f"{package.name}-{package.release or _codename() or 'none'}"


if __name__ == "__main__":
    wanted = sys.argv[1]
    try:
        print(_PACKAGES[wanted].fetch())
    except PackageUnavailableError as reason:
        sys.exit(f"no {wanted}: {reason}")
