"""What OpenID Connect adds to the command line: clients' options, initial access tokens, claims, conformance."""

import json
from pathlib import Path
from typing import Any

import pytest

from authcenter.cli.conformance import CLAIMS
from authcenter.core.client import Client
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.settings.policy import parse_policy
from authcenter.wiring.core import Core
from tests.integration.cli.console import PASSWORD, Console

REDIRECT = ("--redirect-uri", "https://shop.example/cb")
URIS = {
    "--client-uri": "client_uri",
    "--logo-uri": "logo_uri",
    "--policy-uri": "policy_uri",
    "--tos-uri": "tos_uri",
    "--initiate-login-uri": "initiate_login_uri",
    "--jwks-uri": "jwks_uri",
    "--backchannel-logout-uri": "backchannel_logout_uri",
    "--frontchannel-logout-uri": "frontchannel_logout_uri",
}
CONFORMANCE_POLICY = Path(__file__).parents[3] / "config" / "conformance.yaml"


@pytest.fixture(scope="module")
def jwks() -> str:
    return json.dumps({"keys": [signature_jwk(ALGORITHMS[Alg.ES256].generate().public_key(), Alg.ES256)]})


def party(console: Console, client_id: str = "shop") -> dict[str, Any]:
    return dict(console.told("clients", "show", client_id)["relying_party"])


@pytest.mark.parametrize(("option", "member"), URIS.items())
def test_uris_are_set_checked_and_taken_away(console: Console, option: str, member: str) -> None:
    console.told("clients", "create", "--id", "shop", *REDIRECT, option, "https://shop.example/x")
    assert party(console) == {member: "https://shop.example/x"}
    said = console.refused("clients", "update", "shop", option, "https://shop.example/#x", exit_code=2)
    assert said.startswith(f"{member}: ")
    console.told("clients", "update", "shop", option, "")
    assert party(console) == {}


def test_the_other_members_are_set_too(console: Console) -> None:
    console.told("clients", "create", "--id", "shop", *REDIRECT, "--contact", "a@shop.example", "--contact", "b")
    console.told("clients", "update", "shop", "--id-token-alg", "RS256", "--userinfo-alg", "ES256", "--require-par")
    console.told("clients", "update", "shop", "--post-logout-redirect-uri", "https://shop.example/out")
    assert party(console) == {
        "contacts": ["a@shop.example", "b"],
        "id_token_signed_response_alg": "RS256",
        "userinfo_signed_response_alg": "ES256",
        "require_pushed_authorization_requests": True,
        "post_logout_redirect_uris": ["https://shop.example/out"],
    }
    console.told(
        "clients", "update", "shop", "--post-logout-redirect-uri", "", "--no-require-par", "--userinfo-alg", ""
    )
    assert "post_logout_redirect_uris" not in party(console)
    assert "userinfo_signed_response_alg" not in party(console)


def test_keys_come_from_a_file_or_standard_input(console: Console, tmp_path: Path, jwks: str) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(jwks)
    console.told("clients", "create", "--id", "shop", "--jwks", str(file))
    assert party(console) == {"jwks": json.loads(jwks)}
    console.told("clients", "update", "shop", "--jwks", "")
    assert party(console) == {}
    console.told("clients", "update", "shop", "--jwks", "-", stdin=jwks)
    assert party(console) == {"jwks": json.loads(jwks)}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="an array"),
        pytest.param("{}", id="no set"),
        pytest.param('{"keys": []}', id="empty"),
        pytest.param('{"keys": [{"kty": "oct", "k": "AA"}]}', id="a symmetric key"),
    ],
)
def test_what_holds_no_public_keys_is_refused(console: Console, body: str) -> None:
    console.refused("clients", "create", "--id", "shop", "--jwks", "-", stdin=body, exit_code=2)
    assert console.told("clients", "list") == []


def test_pairwise_names_are_made_for_the_host_people_come_back_to(console: Console) -> None:
    console.told("clients", "create", "--id", "shop", *REDIRECT, "--subject-type", "pairwise")
    assert party(console) == {"subject_type": "pairwise", "sector": "shop.example"}
    two = (*REDIRECT, "--redirect-uri", "https://other.example/cb")
    assert console.refused("clients", "update", "shop", *two, exit_code=2).startswith("sector_identifier_uri: ")
    console.told("clients", "update", "shop", *two, "--sector-identifier-uri", "https://sector.example/uris")
    assert party(console)["sector"] == "sector.example"


def test_initial_access_tokens_are_made_listed_and_taken_back(console: Console) -> None:
    made = console.told("clients", "initial-token", "create", "--uses", "3", "--ttl", "600")
    token = made.pop("initial_access_token")
    assert token.startswith("aci_")
    assert made["uses_left"] == 3
    assert console.told("clients", "initial-token", "list") == [made]
    assert token not in console.dump()
    assert console.run("clients", "initial-token", "revoke", made["id"]).exit_code == 0
    assert console.told("clients", "initial-token", "list") == []
    console.refused("clients", "initial-token", "revoke", made["id"], exit_code=1)
    assert console.events() == ["initial_token.created", "initial_token.revoked"]


def test_claims_are_set_and_taken_away(console: Console) -> None:
    address = json.dumps({"locality": "Graz", "country": "AT"})
    made = console.user("jo", "--claim", "name=Jo = Jo", "--claim", f"address={address}")
    assert made["claims"] == {"name": "Jo = Jo", "address": json.loads(address)}
    claims = ("--claim", "address=", "--claim", "phone_number=+43 316 1", "--claim", "phone_number_verified=false")
    changed = console.told("users", "set-claims", "jo", *claims)
    assert changed["claims"] == {"name": "Jo = Jo", "phone_number": "+43 316 1", "phone_number_verified": False}
    for bad in ("name", "shoe_size=42", "address={", "birthdate=soon"):
        console.refused("users", "set-claims", "jo", "--claim", bad, exit_code=2)
    assert console.told("users", "show", "jo") == changed


def test_a_run_of_the_suite_is_prepared_as_often_as_wanted(console: Console) -> None:
    first = console.told("conformance")
    told = console.told("conformance", "--suite", "https://suite.example/", "--alias", "mine")
    assert told["alias"] == "mine"
    assert told["server"] == {"discoveryUrl": "http://127.0.0.1:8080/.well-known/openid-configuration"}
    for place in ("client", "client2", "client_secret_post"):
        assert told[place]["client_id"] == first[place]["client_id"]
        assert console.act(lambda core, one=told[place]: verifies(core, **one))
        assert not console.act(lambda core, one=first[place]: verifies(core, **one))
    shown = console.told("clients", "show", told["client"]["client_id"])
    assert shown["redirect_uris"] == ["https://suite.example/test/a/mine/callback"]
    assert shown["profile"] == "oidc"
    user = console.told("users", "show", told["person"]["username"])
    assert user["claims"] == CLAIMS
    signed_in = console.act(lambda core: core.accounts.authenticate(user["username"], told["person"]["password"]))
    assert signed_in.subject == user["sub"]
    assert told["person"]["password"] != PASSWORD


def test_the_policy_for_the_suite_is_one() -> None:
    policy = parse_policy(CONFORMANCE_POLICY.read_text(), source="file")
    assert policy.registration.mode == "open"


async def verifies(core: Core, client_id: str, client_secret: str) -> bool:
    client: Client = await core.clients.get(client_id)
    return await core.clients.secrets.verify(client, client_secret)
