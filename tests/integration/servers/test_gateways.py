"""The tests' gateways: they run what is delivered, adapted only where it says, and end in order."""

from pathlib import Path

import pytest

from tests.servers.deployed import adapted
from tests.servers.haproxy import HaproxyServer
from tests.servers.nginx import NginxServer


@pytest.mark.parametrize("kind", [NginxServer, HaproxyServer])
def test_it_answers_until_it_is_stopped(kind: type[NginxServer] | type[HaproxyServer], tmp_path: Path) -> None:
    with kind(tmp_path, authcenter="127.0.0.1:9", api="127.0.0.1:9") as server:
        assert server.answers()
        server.kill()
        assert not server.answers()
        server.restart()
        assert server.answers()
    assert not server.answers()


def test_what_is_not_there_cannot_be_adapted() -> None:
    with pytest.raises(LookupError, match="no such words"):
        adapted("nginx/authcenter.conf", {"no such words": ""})
