"""What discovery says of authorization requests, their answers, ID tokens and userinfo: exactly what works."""

from collections.abc import Iterable
from typing import Any

from authcenter.accounts.claims import STANDARD_CLAIMS
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.authorization.parameters import DISPLAYS, PROMPTS
from authcenter.core.authorization import ResponseMode
from authcenter.core.resource import STANDARD_SCOPES
from authcenter.http.authorize import PATH as AUTHORIZE
from authcenter.http.pushed import PATH as PUSHED
from authcenter.http.userinfo import PATH as USERINFO
from authcenter.jose.algorithms import Alg
from authcenter.proofs.pkce import METHOD

_CLAIMS_OF_ID_TOKENS = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"}
)


def authorization_metadata(issuer: str, signing: Iterable[str], languages: Iterable[str]) -> dict[str, Any]:
    """The members of RFC 8414 §2, RFC 9126 §5, RFC 9101 §10.5, RFC 9207 §3, JARM §3 and OpenID Discovery §3.

    Args:
        signing: The algorithms that there is a key to sign with.
        languages: Those of the pages.
    """
    algorithms = [alg.value for alg in Alg if alg in signing]
    return {
        "authorization_endpoint": f"{issuer}{AUTHORIZE}",
        "pushed_authorization_request_endpoint": f"{issuer}{PUSHED}",
        "require_pushed_authorization_requests": False,
        "userinfo_endpoint": f"{issuer}{USERINFO}",
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "code_challenge_methods_supported": [METHOD],
        "authorization_response_iss_parameter_supported": True,
        "authorization_signing_alg_values_supported": algorithms,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "request_object_signing_alg_values_supported": [alg.value for alg in Alg],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": algorithms,
        "userinfo_signing_alg_values_supported": algorithms,
        "scopes_supported": sorted(STANDARD_SCOPES),
        "claims_supported": sorted(STANDARD_CLAIMS | _CLAIMS_OF_ID_TOKENS),
        "claims_parameter_supported": True,
        "acr_values_supported": [ACR_ONE_FACTOR, ACR_TWO_FACTORS],
        "prompt_values_supported": sorted(PROMPTS),
        "display_values_supported": sorted(DISPLAYS),
        "ui_locales_supported": sorted(languages),
    }
