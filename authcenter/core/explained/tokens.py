"""Access tokens and refresh tokens, wherever they are presented."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.REFRESH_MALFORMED: Explanation(
        "That is not a refresh token of this server.", "Is an access token being sent, or a token cut short?"
    ),
    Rule.REFRESH_UNKNOWN: Explanation(
        "No such refresh token: never issued, purged long after its end, or its secret half differs.",
        "Sign in again; look for truncation in the client's storage.",
    ),
    Rule.REFRESH_FOREIGN: Explanation(
        "The refresh token belongs to another client.", "Look for mixed-up configuration; if there is none, for theft."
    ),
    Rule.REFRESH_FAMILY_ENDED: Explanation(
        "The token's family has been ended: revoked, replayed, logged out, or its user or client was cut.",
        "The family's reason is in the hint; sign in again.",
    ),
    Rule.REFRESH_EXPIRED: Explanation("The refresh token's lifetime is over.", "Sign in again."),
    Rule.REFRESH_REPLAYED: Explanation(
        "A refresh token was used a second time: stolen, or a client that refreshes in parallel or lost an answer.",
        "Refresh in one place; `refresh_reuse_grace` answers honest retries.",
    ),
    Rule.REFRESH_USER_GONE: Explanation(
        "The user no longer exists or is disabled.", "Compare with `authcenter users list`."
    ),
    Rule.TOKEN_MALFORMED: Explanation(
        "Not a JWT in canonical compact form, or a claim has the wrong type.", "Send the token exactly as issued."
    ),
    Rule.TOKEN_TYPE: Explanation(
        "The JWT is not an access token (`typ: at+jwt`).", "Is an ID token being sent as an access token?"
    ),
    Rule.TOKEN_ALGORITHM: Explanation(
        "The token's `alg` is not the one its key is bound to.", "Nothing honest makes such a token."
    ),
    Rule.TOKEN_KID: Explanation(
        "The token names a key that is not published: dropped, revoked, or of another server.",
        "Compare with `authcenter keys list` and the token's issuer.",
    ),
    Rule.TOKEN_SIGNATURE: Explanation("The signature does not verify.", "The token was altered, or cut short."),
    Rule.TOKEN_ISSUER: Explanation("Another issuer made the token.", "Compare with AUTHCENTER_ISSUER."),
    Rule.TOKEN_AUDIENCE: Explanation("The token is meant for another audience.", "Ask for a token for this resource."),
    Rule.TOKEN_EXPIRED: Explanation("The token's lifetime is over.", "Fetch a new one; compare the machines' clocks."),
    Rule.TOKEN_NOT_YET_VALID: Explanation("The token is not valid yet.", "Compare the machines' clocks."),
    Rule.TOKEN_ISSUED_IN_FUTURE: Explanation(
        "The token was issued in the future, by this machine's clock.", "Compare the machines' clocks."
    ),
    Rule.TOKEN_REVOKED: Explanation(
        "The token, or something it carries (family, session, key, subject, client), was revoked.",
        "The hint names which; fetch a new token.",
    ),
    Rule.TOKEN_BINDING: Explanation(
        "The token is bound to a key (`cnf`), and the request did not prove that it holds this one.",
        "Send the DPoP proof or use the client certificate it was issued for; a gateway can check neither.",
    ),
    Rule.TOKEN_SCOPE: Explanation(
        "The access token holds, but for less than this request, or `gateways.NAME.scopes`, needs.",
        "The hint names the scope: the client has to ask for it, and client and resource must both have it.",
    ),
    Rule.BEARER_MISSING: Explanation(
        "No `Authorization: Bearer` header came: none was sent, or the gateway does not pass it on.",
        "Send the access token in the header; a browser's CORS preflight has none, answer it at the gateway.",
    ),
    Rule.BEARER_MALFORMED: Explanation(
        "There are several Authorization headers, or what follows `Bearer` is not a token.",
        "Send exactly one header `Authorization: Bearer TOKEN`.",
    ),
    Rule.GATEWAY_UNKNOWN: Explanation(
        "The policy has no gateway of the name in the path.",
        "Compare the gateway's own configuration with `gateways` in `authcenter policy show`.",
    ),
    Rule.STATUS_LIST_UNKNOWN: Explanation(
        "There is no status list of that name: it never was, or all of its tokens expired more than an hour ago.",
        "Fetch the list that the token's `status` claim names, and check the token's `exp` first.",
    ),
    Rule.STATUS_LIST_FORM: Explanation(
        "The Accept header excludes the one form in which status lists are served.",
        "Ask for application/statuslist+jwt.",
    ),
    Rule.STATUS_LIST_HISTORY: Explanation(
        "The status of an earlier time was asked for, which is not kept.", "Leave `time` out."
    ),
    Rule.CALLER_NOT_ENTITLED: Explanation(
        "The caller neither got the token nor serves one of its audiences.",
        "`authcenter clients update ID --serves AUDIENCE` for a resource server.",
    ),
    Rule.TOKEN_CUT_PENDING: Explanation(
        "Everything issued to this subject or client up to this second has just been cut.", "Try again in a second."
    ),
    Rule.FEED_CURSOR_MALFORMED: Explanation(
        "`after`, `wait` or `Last-Event-ID` of a request to the revocation feed is not what the feed gave out.",
        "Ask without them: the answer is the snapshot, and a cursor to go on from.",
    ),
    Rule.FEED_FULL: Explanation(
        "The client follows the revocation feed of this process as often as one client may.",
        "Let each process of a resource server follow once; give services clients of their own.",
    ),
}
