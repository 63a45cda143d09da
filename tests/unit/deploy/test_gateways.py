"""The gateways' configurations in ``deploy/``: well-formed, and of one mind with the code on paths and headers."""

import re
from typing import Any

import pytest
import yaml

from authcenter.http.validate import IDENTITY_HEADERS, PATH
from tests.servers.deployed import DEPLOY

SHOP = PATH.replace("{gateway}", "shop")
LOWER = [name.lower() for name in IDENTITY_HEADERS]


def envoy_filters() -> dict[str, Any]:
    document = yaml.safe_load((DEPLOY / "envoy/envoy.yaml").read_text())
    chain = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return {entry["name"].rpartition(".")[2]: entry["typed_config"] for entry in chain["http_filters"]}


def test_envoy_strips_then_asks_then_routes() -> None:
    assert list(envoy_filters()) == ["header_mutation", "ext_authz", "router"]


def test_envoy_strips_and_copies_every_identity_header() -> None:
    filters = envoy_filters()
    removed = [each["remove"] for each in filters["header_mutation"]["mutations"]["request_mutations"]]
    copied = filters["ext_authz"]["http_service"]["authorization_response"]["allowed_upstream_headers"]["patterns"]
    assert removed == [pattern["exact"] for pattern in copied] == list(IDENTITY_HEADERS)


def test_envoy_asks_the_gateway_and_fails_closed() -> None:
    asks = envoy_filters()["ext_authz"]
    assert asks["http_service"]["path_prefix"] == SHOP
    assert (asks["failure_mode_allow"], asks["status_on_error"]) == (False, {"code": "ServiceUnavailable"})
    document = yaml.safe_load((DEPLOY / "envoy/envoy.yaml").read_text())
    clusters = {cluster["name"] for cluster in document["static_resources"]["clusters"]}
    assert asks["http_service"]["server_uri"]["cluster"] in clusters


def test_traefik_strips_then_asks() -> None:
    http = yaml.safe_load((DEPLOY / "traefik/dynamic.yaml").read_text())["http"]
    strip, ask = (http["middlewares"][name] for name in http["routers"]["shop"]["middlewares"])
    removed = strip["headers"]["customRequestHeaders"]
    assert set(removed) == {*IDENTITY_HEADERS, *(name.replace("-", "_") for name in IDENTITY_HEADERS)}
    assert set(removed.values()) == {""}
    assert ask["forwardAuth"]["authResponseHeaders"] == list(IDENTITY_HEADERS)
    assert ask["forwardAuth"]["authRequestHeaders"] == ["Authorization"]
    assert ask["forwardAuth"]["trustForwardHeader"] is False
    assert ask["forwardAuth"]["address"].endswith(SHOP)


def test_nginx_sets_every_identity_header_from_the_answer() -> None:
    text = (DEPLOY / "nginx/authcenter_protect.conf").read_text()
    taken = dict(re.findall(r"auth_request_set (\$\w+) \$upstream_http_(x_auth_\w+);", text))
    sent = re.findall(r"proxy_set_header (X-Auth-\w+) (\$\w+);", text)
    assert [name for name, _ in sent] == list(IDENTITY_HEADERS)
    assert [taken[variable] for _, variable in sent] == [name.replace("-", "_") for name in LOWER]


def test_haproxys_script_copies_every_identity_header() -> None:
    script = (DEPLOY / "haproxy/authcenter.lua").read_text()
    assert re.findall(r'"(x-auth-\w+)"', script) == LOWER


@pytest.mark.parametrize("file", ["nginx/authcenter_validate.conf", "haproxy/haproxy.cfg"])
def test_they_ask_where_the_endpoint_is(file: str) -> None:
    assert PATH.partition("{")[0] in (DEPLOY / file).read_text()


@pytest.mark.parametrize("gateway", ["nginx", "haproxy", "traefik", "envoy"])
def test_each_has_its_page(gateway: str) -> None:
    page = (DEPLOY / gateway / "README.md").read_text()
    assert "gateways:" in page
    assert "preflight" in page
