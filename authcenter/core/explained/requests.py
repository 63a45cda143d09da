"""Requests, clients, grants, people, and what keeps the server from answering."""

from authcenter.core.explained.explanation import Explanation
from authcenter.core.rules import Rule

EXPLANATIONS: dict[Rule, Explanation] = {
    Rule.INPUT_REFUSED: Explanation("A member of the JSON document does not hold.", "The hint names it."),
    Rule.NAME_TAKEN: Explanation("Somebody else has this name, or wrote first.", "Choose another, or read it again."),
    Rule.NAME_UNKNOWN: Explanation("There is nothing of this name.", "List what there is."),
    Rule.BODY_TOO_LARGE: Explanation("The request's body is over 64 KiB.", "Send only the parameters of the endpoint."),
    Rule.CONTENT_TYPE: Explanation(
        "The body is not application/x-www-form-urlencoded.", "Send a form: OAuth endpoints take no JSON."
    ),
    Rule.FORM_MALFORMED: Explanation(
        "The form is not valid UTF-8, has a broken percent escape, or too many parameters.",
        "Let an HTTP library encode the form.",
    ),
    Rule.PARAMETER_REPEATED: Explanation(
        "A parameter was sent twice (RFC 6749 §3.2).", "Send it once; only `resource` may repeat."
    ),
    Rule.PARAMETER_MISSING: Explanation("A parameter that the request needs is absent or empty.", "Send it."),
    Rule.ROUTE_UNKNOWN: Explanation("There is no such path.", "Read the paths from the discovery document."),
    Rule.METHOD_NOT_ALLOWED: Explanation(
        "The path exists, but not with this method.", "Use a method that the Allow header names."
    ),
    Rule.CREDENTIALS_MALFORMED: Explanation(
        "The Authorization header is not Basic with base64 of `id:secret`, both form-encoded (RFC 6749 §2.3.1).",
        "Form-encode client id and secret before base64, or send them as client_secret_post.",
    ),
    Rule.CREDENTIALS_MISSING: Explanation(
        "The request names no client.", "Send client_secret_basic or client_secret_post; a public client its client_id."
    ),
    Rule.CREDENTIALS_SEVERAL: Explanation(
        "The client authenticated in two ways at once (RFC 6749 §2.3).",
        "Send either the Authorization header or client_secret.",
    ),
    Rule.CLIENT_UNKNOWN: Explanation(
        "No client has this id.", "Compare it with `authcenter clients list`; is it the right deployment?"
    ),
    Rule.CLIENT_DISABLED: Explanation("An operator disabled the client.", "`authcenter clients update ID --enable`."),
    Rule.CLIENT_METHOD: Explanation(
        "The client is not registered for the authentication method it used.",
        "Compare with `authcenter clients show ID`; change one of the two.",
    ),
    Rule.CLIENT_SECRET_WRONG: Explanation(
        "The secret is none of the client's live ones: mistyped, of another client, or rotated away.",
        "Compare the dates in `authcenter clients show ID`; `authcenter clients rotate-secret ID` makes a new one.",
    ),
    Rule.CLIENT_NOT_FIRST_PARTY: Explanation(
        "What belongs to a person's own account was asked for by a client that is not first-party.",
        "`authcenter clients create --first-party`, for applications of your own alone.",
    ),
    Rule.RATE_LIMITED_CLIENT: Explanation(
        "The client asked for tokens more often than `rate_limits.token_per_client` allows, over all instances.",
        "Let it keep its token until `expires_in`; or raise the limit in the policy, which takes effect at once.",
    ),
    Rule.RATE_LIMITED_ADDRESS: Explanation(
        "Too many logins or client authentications failed from this address (IPv6: from its /64).",
        "Behind a proxy, compare AUTHCENTER_TRUSTED_PROXIES with `ip` in the log: all may be counted as one.",
    ),
    Rule.RATE_LIMITED_ACCOUNT: Explanation(
        "Too many logins failed for this name, whether or not anybody has it.",
        "Slots come free one by one, as `rate_limits.login_failures_per_account` says; the log has the addresses.",
    ),
    Rule.RATE_LIMITED_MAIL: Explanation(
        "Somebody who is signed in had mails sent to more addresses than `rate_limits.mail_per_address` allows.",
        "Slots come free one by one. If it goes on, look at the account: it may write to strangers in your name.",
    ),
    Rule.GRANT_TYPE_UNKNOWN: Explanation(
        "This server has no strategy for the grant type.", "Read `grant_types_supported` in the discovery document."
    ),
    Rule.GRANT_NOT_ALLOWED: Explanation(
        "The client is not registered for this grant type.", "`authcenter clients update ID --grant G`."
    ),
    Rule.GRANT_NEEDS_CONFIDENTIAL_CLIENT: Explanation(
        "A public client asked for a token of its own (RFC 6749 §4.4).",
        "Give the client a secret, or use another grant.",
    ),
    Rule.GRANT_NOT_PAIRWISE: Explanation(
        "A client of pairwise subjects used the password grant, whose tokens name the account itself.",
        "Move the client to authorization_code, or `authcenter clients update ID --subject-type public`.",
    ),
    Rule.SCOPE_MALFORMED: Explanation(
        "A scope value has a character outside the grammar of RFC 6749 §3.3.", "Separate values by single spaces."
    ),
    Rule.SCOPE_NOT_ALLOWED: Explanation(
        "The client may not ask for this scope.", "`authcenter clients update ID --scope S`."
    ),
    Rule.SCOPE_NOT_OF_RESOURCE: Explanation(
        "The resource asked for does not define this scope.", "`authcenter resources update URI --scope S`."
    ),
    Rule.SCOPE_EXCEEDS_GRANT: Explanation(
        "A refresh asked for more scope than was granted.", "Ask for the same or less; more needs a new grant."
    ),
    Rule.SCOPE_ROLE_MISSING: Explanation(
        "All scopes asked for demand roles that the user does not have.",
        "Give the user the role, or change the resource's `--role-for`.",
    ),
    Rule.RESOURCE_MALFORMED: Explanation(
        "`resource` is empty or has a fragment (RFC 8707 §2).", "Send the resource's identifier as it is registered."
    ),
    Rule.RESOURCE_SEVERAL: Explanation(
        "The token request names several resources.", "One token, one resource: make a request for each."
    ),
    Rule.RESOURCE_NOT_ALLOWED: Explanation(
        "The resource is unknown, or the client may not ask for it.", "`authcenter clients update ID --audience URI`."
    ),
    Rule.RESOURCE_EXCEEDS_GRANT: Explanation(
        "A refresh asked for a resource outside its grant.", "Make a new grant for that resource."
    ),
    Rule.USER_UNKNOWN: Explanation("No user has this name or address.", "Compare with `authcenter users list`."),
    Rule.USER_PASSWORD_WRONG: Explanation("The password differs.", "`authcenter users set-password`."),
    Rule.USER_DISABLED: Explanation("An operator disabled the account.", "`authcenter users enable`."),
    Rule.USER_ADDRESS_UNVERIFIED: Explanation(
        "The user's address is not verified, so the password grant is refused.", "Verify the address."
    ),
    Rule.STORE_UNAVAILABLE: Explanation("The database does not answer.", "Look at `dependency_up` and the database."),
    Rule.SHARED_STATE_UNAVAILABLE: Explanation(
        "Redis does not answer, and what was asked has no fallback.", "Look at `dependency_up` and Redis."
    ),
    Rule.PASSWORD_POOL_FULL: Explanation(
        "More passwords arrive than this process can hash.", "Add instances; look for a flood of logins."
    ),
    Rule.POLICY_UNKNOWN: Explanation(
        "This process has had no policy since its start: Consul does not answer or holds none, and there is no copy.",
        "Look at `dependency_up` and Consul; a new deployment needs `authcenter policy push FILE` once.",
    ),
    Rule.AUDIT_FULL: Explanation(
        "What is issued could not be recorded: the database is gone, and the spool on this machine is full or its disk "
        "does not take it.",
        "Bring the database back, or make room in `AUTHCENTER_STATE_DIR`; rows in `audit-spool/` must not be deleted.",
    ),
    Rule.REVOCATIONS_STALE: Explanation(
        "This process has not heard of revocations for too long, and the policy says `closed`.",
        "Look at the database; `revocation.on_outage: open` would go on.",
    ),
    Rule.INTERNAL: Explanation("A defect of the server.", "The log has the traceback under the request id."),
}
