"""Signing in by browser or device, and the clients that people sign in to."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.PARAMETER_MALFORMED: Explanation(
        "A parameter is outside its grammar or too long.", "The hint names it; the parameter's RFC has the grammar."
    ),
    Rule.REDIRECT_URI: Explanation(
        "The redirect URI is missing, or not one that the client registered.",
        "The hint shows what came and what is registered: they must be the same, character by character.",
    ),
    Rule.RESPONSE_TYPE: Explanation("Only the response type code is served.", "Use the authorization code flow."),
    Rule.RESPONSE_MODE: Explanation("The response mode is not served.", "Discovery lists those that are."),
    Rule.PKCE_REQUIRED: Explanation(
        "The client's profile demands PKCE, and the request has no code_challenge.",
        "Send code_challenge and code_challenge_method=S256; `--profile oidc` lets confidential clients do without.",
    ),
    Rule.PKCE_METHOD: Explanation(
        "The code challenge is not of the method S256.", "plain protects against nobody: use S256."
    ),
    Rule.PKCE_CHALLENGE: Explanation(
        "The code challenge is not 43 characters of base64url.", "SHA-256 of the verifier, base64url without padding."
    ),
    Rule.DPOP_UNSERVED: Explanation(
        "The request wants its code bound to a DPoP key (dpop_jkt), and this server checks no DPoP proofs.",
        "Leave dpop_jkt out: discovery has no dpop_signing_alg_values_supported. Tokens are bearer tokens then.",
    ),
    Rule.PROMPT: Explanation("prompt=none came with other prompts.", "none stands alone."),
    Rule.PROMPT_NONE: Explanation(
        "prompt=none, but the person would have to be asked; the hint says what for.",
        "Expected where nobody is signed in or has consented yet: repeat the request without prompt=none.",
    ),
    Rule.ACR_UNMET: Explanation(
        "The claims parameter calls an acr essential that no sign-in here amounts to.",
        "The hint shows both; discovery's acr_values_supported lists what there is.",
    ),
    Rule.CLAIMS_MALFORMED: Explanation(
        "The claims parameter is not JSON of the form that OpenID Connect Core 5.5 describes.",
        "An object with the members userinfo and id_token, each an object of claim names.",
    ),
    Rule.ID_TOKEN_HINT: Explanation(
        "The id_token_hint is not an ID token of this server for this client.",
        "Send back the ID token as it was received; the hint names the check it failed.",
    ),
    Rule.LOGIN_OTHER_PERSON: Explanation(
        "The client meant one person, and another one signed in.",
        "By id_token_hint or a sub in claims; the hint says who signed in.",
    ),
    Rule.CONSENT_DENIED: Explanation("The person refused consent.", "Nothing to do: it is their right."),
    Rule.PUSH_REQUIRED: Explanation(
        "This client must push its requests first.", "POST them to /oauth/par and send the request_uri (RFC 9126)."
    ),
    Rule.REQUEST_URI_UNKNOWN: Explanation(
        "No request was pushed under this request_uri, or so long ago that it is forgotten.",
        "Send the request_uri exactly as /oauth/par gave it, within its `expires_in`.",
    ),
    Rule.REQUEST_URI_FOREIGN: Explanation(
        "Another client pushed this request.", "Look for mixed-up configuration; if there is none, for an attack."
    ),
    Rule.REQUEST_URI_EXPIRED: Explanation(
        "The pushed request lapsed before the browser came with it.",
        "Push it when the person starts to sign in, not when the page with the link is made.",
    ),
    Rule.REQUEST_URI_PUSHED: Explanation(
        "A request_uri was pushed (RFC 9126 §2.1).", "Push the parameters themselves, or a signed request object."
    ),
    Rule.REQUEST_BY_REFERENCE: Explanation(
        "The request_uri is none that /oauth/par gave: request objects are not fetched from elsewhere.",
        "Push the request to /oauth/par, or send the object itself as `request`.",
    ),
    Rule.REQUEST_TWICE: Explanation(
        "Both request and request_uri were sent (RFC 9101 §5).", "Send one of the two; a pushed object is request_uri."
    ),
    Rule.REQUEST_TOO_LARGE: Explanation(
        "The authorization request is larger than what an unfinished sign-in can carry through the browser.",
        "Shorten state, nonce or claims: a state that refers to what the client keeps is a few bytes.",
    ),
    Rule.REQUEST_UNSIGNED: Explanation(
        "The client is fapi2 and registered request_object_signing_alg, so all its requests must be signed.",
        "Push a signed request object as `request`.",
    ),
    Rule.REQUEST_OBJECT_MALFORMED: Explanation(
        "The request object is not a JWS in compact form over a JSON object of parameters.",
        "The hint names what is wrong; encrypted request objects are not served.",
    ),
    Rule.REQUEST_OBJECT_ALGORITHM: Explanation(
        "The request object's algorithm is not served, or not the one that the client registered.",
        "PS256, ES256, EdDSA, and RS256 but for fapi2; `request_object_signing_alg` admits one alone.",
    ),
    Rule.REQUEST_OBJECT_SIGNATURE: Explanation(
        "No key that the client registered verifies the request object.",
        "Compare its `kid` and `alg` with the client's jwks.",
    ),
    Rule.REQUEST_OBJECT_PARTIES: Explanation(
        "The request object's iss or client_id is not this client, or its aud not this issuer.",
        "`iss` and `client_id`: the client's id; `aud`: AUTHCENTER_ISSUER, character by character.",
    ),
    Rule.REQUEST_OBJECT_TIME: Explanation(
        "The request object is expired, not valid yet, or valid for longer than an hour.",
        "Sign one for each request, for a few minutes; compare the machines' clocks.",
    ),
    Rule.REQUEST_OBJECT_PARAMETERS: Explanation(
        "The request object holds another one, or a parameter beside it says something else.",
        "Put all parameters into the object; beside it only client_id is needed.",
    ),
    Rule.REQUEST_URI_SPENT: Explanation(
        "The pushed request has been answered with a code already.", "Push a new one for each sign-in."
    ),
    Rule.CODE_MALFORMED: Explanation(
        "What was presented is not shaped like an authorization code of this server.",
        "Send the code parameter of the redirect, decoded once.",
    ),
    Rule.CODE_UNKNOWN: Explanation(
        "There is no such authorization code.", "One of another deployment, or long gone: start the sign-in again."
    ),
    Rule.CODE_FOREIGN: Explanation(
        "The code was given to another client.",
        "Redeem it with the client_id of the authorization request; otherwise somebody injected a code.",
    ),
    Rule.CODE_REDIRECT_URI: Explanation(
        "The token request does not repeat the redirect URI of the authorization request.",
        "The hint shows both: they must be the same, character by character.",
    ),
    Rule.CODE_EXPIRED: Explanation(
        "The code lapsed before it was redeemed.",
        "`tokens.authorization_code_ttl`; a client that is late often has a slow redirect or a queue.",
    ),
    Rule.CODE_KEY_UNPROVEN: Explanation(
        "The code is bound to a DPoP key, and nothing here can check a proof of it.",
        "A server that can made the code: are instances of two versions running? Upgrade this one.",
    ),
    Rule.CODE_CUT: Explanation(
        "Session, person, client or everything was cut off after the code was given.", "Sign in again."
    ),
    Rule.CODE_USER_GONE: Explanation(
        "The person the code was given for is disabled or gone.", "`authcenter users list`."
    ),
    Rule.CODE_REPLAYED: Explanation(
        "The code was used a second time; all that the first use gave has been ended.",
        "A client that retries the token request, or a stolen code: the audit row names who and when.",
    ),
    Rule.PKCE_MISSING: Explanation(
        "The authorization request had a code_challenge, the token request no code_verifier.",
        "Send the verifier that the challenge was made of.",
    ),
    Rule.PKCE_UNASKED: Explanation(
        "There is a code_verifier, but the authorization request had no code_challenge.",
        "Send the challenge with the authorization request; if the client did, somebody took it out on the way.",
    ),
    Rule.PKCE_MALFORMED: Explanation(
        "The code_verifier is not 43 to 128 unreserved characters.", "RFC 7636 §4.1 has the grammar."
    ),
    Rule.PKCE_MISMATCH: Explanation(
        "The code_verifier is not what the code_challenge was made of.",
        "Two sign-ins in one browser mixed up their verifiers, or the challenge was made without base64url.",
    ),
    Rule.DEVICE_CODE_MALFORMED: Explanation(
        "What was presented is not shaped like a device code of this server.", "Was it cut short or encoded twice?"
    ),
    Rule.DEVICE_CODE_UNKNOWN: Explanation(
        "No such device code is known: never given out, or evicted long after its end.",
        "The device asks for new codes at /oauth/device_authorization.",
    ),
    Rule.DEVICE_CODE_FOREIGN: Explanation(
        "The device code was given to another client than the one that presents it.",
        "Look for a mix-up of client ids, or a stolen code.",
    ),
    Rule.DEVICE_CODE_EXPIRED: Explanation(
        "Nobody answered in time.", "The device asks for new codes and shows the new one."
    ),
    Rule.DEVICE_CODE_CUT: Explanation(
        "What the person approved was cut off before the device fetched its tokens: a logout, or a revocation.",
        "The device asks for new codes.",
    ),
    Rule.DEVICE_CODE_USER_GONE: Explanation(
        "Who approved the device has been disabled or deleted since.", "`authcenter users enable USERNAME`, if wrong."
    ),
    Rule.DEVICE_CODE_REPLAYED: Explanation(
        "The device code had been traded for tokens already. All of those have been ended.",
        "A device that asks twice at once, or a stolen code: the device asks for new codes.",
    ),
    Rule.DEVICE_PENDING: Explanation(
        "The person has not answered yet: the ordinary answer to a poll.", "Nothing; the device asks again."
    ),
    Rule.DEVICE_SLOW_DOWN: Explanation(
        "The device asked again before its interval was over, which has grown by 5 seconds.",
        "The device must wait as long as the interval says, and 5 seconds longer after each slow_down.",
    ),
    Rule.USER_CODE_UNKNOWN: Explanation(
        "Nothing waits under the code that a person typed: mistyped, used, or lapsed.",
        "Compare with what the device shows; after ten minutes it has to show a new one.",
    ),
    Rule.TICKET_INVALID: Explanation(
        "The sealed sign-in in URL or form was not made here for this browser.",
        "A bookmarked or forwarded sign-in page, cookies switched off, or roots of secrets replaced: start again.",
    ),
    Rule.TICKET_EXPIRED: Explanation(
        "The sign-in was left open for longer than it lives.", "The person starts again at the application."
    ),
    Rule.CSRF_TOKEN: Explanation(
        "A form came without the token of the page it belongs to.",
        "Cookies switched off or deleted meanwhile, or another site sent the form.",
    ),
    Rule.CROSS_SITE_FORM: Explanation(
        "The browser says that another site sent this form.",
        "An attack; or the proxy in front changes Origin or Sec-Fetch-Site.",
    ),
    Rule.SESSIONS_FULL: Explanation(
        "As many browsers are signed in for this person as the policy allows, and it says `when_full: reject`.",
        "The person ends one on the page that they are shown; `sessions.max_per_user` in the policy allows more.",
    ),
    Rule.LOGOUT_CLIENT: Explanation(
        "A logout request wants the person back at a client that it does not name, that is not known or disabled, or "
        "its id_token_hint was issued to another client than its client_id.",
        "Send the id_token_hint that the client got, or its client_id.",
    ),
    Rule.LOGOUT_URI: Explanation(
        "The post_logout_redirect_uri is none that the client has registered, letter by letter.",
        "Compare the hint with `authcenter clients show ID`.",
    ),
    Rule.JSON_MALFORMED: Explanation(
        "The body is not one JSON object in UTF-8, or has a member twice.", "Send Content-Type: application/json."
    ),
    Rule.RATE_LIMITED_SIGN_UP: Explanation(
        "More accounts were asked for from this address than `rate_limits.signup_per_ip` allows, or with one link"
        " more names were tried than 20 an hour.",
        "Behind a proxy, compare AUTHCENTER_TRUSTED_PROXIES with `ip` in the log: all may be counted as one.",
    ),
    Rule.SIGN_UP_OFF: Explanation(
        "The policy lets nobody open an account by themselves.", "`accounts.signup` in the policy: true."
    ),
    Rule.SIGN_UP_LINK: Explanation(
        "The link of a sign-up opens no account: it was used, has lapsed, or its address has an account by now.",
        "The person signs up again; `accounts.verify_ttl` in the policy says how long a link holds.",
    ),
    Rule.REGISTRATION_OFF: Explanation(
        "The policy lets no client register or change itself.", "`registration.mode` in the policy: token or open."
    ),
    Rule.REGISTRATION_TOKEN: Explanation(
        "No initial access token that holds, or none of the client's own registration access token.",
        "`authcenter clients initial-token create` makes one for registering; a client keeps its own from then on.",
    ),
    Rule.REGISTRATION_METADATA: Explanation(
        "A member of the client's metadata does not hold, or the policy does not allow it.",
        "The hint names the member; `registration.grants` and `registration.scopes` say what may be asked for.",
    ),
    Rule.REGISTRATION_SECTOR: Explanation(
        "The sector_identifier_uri could not be fetched, or does not list every redirect URI.",
        "The hint says which; hosts of private networks have to be listed in `fetch.allow_private`.",
    ),
}
