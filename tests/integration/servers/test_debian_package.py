"""Which mirror a machine takes its own Debian release from, in both notations of apt."""

import pytest

from tests.servers.debian_package import mirrors_in

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://sources.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/a b.gpg] http://other.example/apt stable main
deb http://security.example/debian-security bookworm-security main
deb [signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main contrib
deb http://plain.example/debian/ bookworm contrib main
"""
DEB822 = """\
Types: deb
# URIs: http://commented.example/debian
URIs: http://mirror.example/debian http://plain.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://other.example/apt
Suites: stable
Components: main
"""


@pytest.mark.parametrize(("name", "text"), [("sources.list", ONE_LINE), ("debian.sources", DEB822)])
def test_only_mirrors_of_the_release_itself_are_taken(name: str, text: str) -> None:
    assert [*mirrors_in(name, text, "bookworm")] == ["http://mirror.example/debian", "http://plain.example/debian/"]


def test_a_file_that_apt_ignores_is_ignored() -> None:
    assert [*mirrors_in("sources.list.bak", ONE_LINE, "bookworm")] == []
