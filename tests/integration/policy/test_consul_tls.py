"""Consul over TLS: only where its certificate is vouched for, and with ours where it asks for one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authcenter.settings.consul_kv import ConsulAddress, ConsulKv
from authcenter.settings.errors import ConsulUnavailable
from tests.integration.service.test_tls import Pair, self_signed
from tests.servers.consul import ConsulServer
from tests.servers.ports import free_port


class TlsConsul(ConsulServer):
    """Serves https as well, to those who show a certificate that ``pair`` vouches for."""

    def __init__(self, directory: Path, pair: Pair) -> None:
        super().__init__(directory)
        self.pair, self.https_port = pair, free_port()

    def _document(self) -> dict[str, Any]:
        document = super()._document()
        document["ports"]["https"] = self.https_port
        files = {"ca_file": self.pair.certificate, "cert_file": self.pair.certificate, "key_file": self.pair.key}
        return document | {name: str(file) for name, file in files.items()} | {"verify_incoming_https": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsConsul]:
    directory = tmp_path_factory.mktemp("consul-tls")
    with TlsConsul(directory, self_signed(directory / "pair")) as server:
        yield server


def environ(server: TlsConsul, *, vouched: bool = True, shown: bool = True) -> dict[str, str]:
    certificate, key = str(server.pair.certificate), str(server.pair.key)
    return {
        **({"CONSUL_CACERT": certificate} if vouched else {}),
        **({"CONSUL_CLIENT_CERT": certificate, "CONSUL_CLIENT_KEY": key} if shown else {}),
        "CONSUL_HTTP_SSL_VERIFY": "false",
    }


async def written(server: TlsConsul, **how: bool) -> bool:
    kv = ConsulKv(ConsulAddress.of(f"https://127.0.0.1:{server.https_port}", "", environ(server, **how)))
    try:
        return await kv.put("x", "1")
    finally:
        await kv.close()


async def test_a_consul_that_is_vouched_for_is_used(server: TlsConsul) -> None:
    assert await written(server)


@pytest.mark.parametrize("how", [{"vouched": False}, {"shown": False}], ids=["unknown authority", "no certificate"])
async def test_anything_less_is_refused_whatever_the_environment_says(server: TlsConsul, how: dict[str, bool]) -> None:
    with pytest.raises(ConsulUnavailable):
        await written(server, **how)
