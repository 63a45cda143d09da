"""Every check that can refuse, by name, with what it means and what to do about it.

Tests, counters, logs and ``authcenter explain`` speak in these names; clients never see them.
"""

from enum import StrEnum


class Rule(StrEnum):
    """The name of a check that refused."""

    BODY_TOO_LARGE = "body_too_large"
    CONTENT_TYPE = "content_type"
    FORM_MALFORMED = "form_malformed"
    PARAMETER_REPEATED = "parameter_repeated"
    PARAMETER_MISSING = "parameter_missing"
    ROUTE_UNKNOWN = "route_unknown"
    METHOD_NOT_ALLOWED = "method_not_allowed"

    CREDENTIALS_MALFORMED = "credentials_malformed"
    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_SEVERAL = "credentials_several"
    CLIENT_UNKNOWN = "client_unknown"
    CLIENT_DISABLED = "client_disabled"
    CLIENT_METHOD = "client_method"
    CLIENT_SECRET_WRONG = "client_secret_wrong"

    RATE_LIMITED_CLIENT = "rate_limited_client"
    RATE_LIMITED_ADDRESS = "rate_limited_address"
    RATE_LIMITED_ACCOUNT = "rate_limited_account"

    GRANT_TYPE_UNKNOWN = "grant_type_unknown"
    GRANT_NOT_ALLOWED = "grant_not_allowed"
    GRANT_NEEDS_CONFIDENTIAL_CLIENT = "grant_needs_confidential_client"

    SCOPE_MALFORMED = "scope_malformed"
    SCOPE_NOT_ALLOWED = "scope_not_allowed"
    SCOPE_NOT_OF_RESOURCE = "scope_not_of_resource"
    SCOPE_EXCEEDS_GRANT = "scope_exceeds_grant"
    SCOPE_ROLE_MISSING = "scope_role_missing"

    RESOURCE_MALFORMED = "resource_malformed"
    RESOURCE_SEVERAL = "resource_several"
    RESOURCE_NOT_ALLOWED = "resource_not_allowed"
    RESOURCE_EXCEEDS_GRANT = "resource_exceeds_grant"

    USER_UNKNOWN = "user_unknown"
    USER_PASSWORD_WRONG = "user_password_wrong"
    USER_DISABLED = "user_disabled"
    USER_ADDRESS_UNVERIFIED = "user_address_unverified"

    PARAMETER_MALFORMED = "parameter_malformed"
    REDIRECT_URI = "redirect_uri"
    RESPONSE_TYPE = "response_type"
    RESPONSE_MODE = "response_mode"
    PKCE_REQUIRED = "pkce_required"
    PKCE_METHOD = "pkce_method"
    PKCE_CHALLENGE = "pkce_challenge"
    PROMPT = "prompt"
    PROMPT_NONE = "prompt_none"
    CLAIMS_MALFORMED = "claims_malformed"
    ID_TOKEN_HINT = "id_token_hint"
    LOGIN_OTHER_PERSON = "login_other_person"
    CONSENT_DENIED = "consent_denied"
    PUSH_REQUIRED = "push_required"
    REQUEST_URI_SPENT = "request_uri_spent"

    CODE_MALFORMED = "code_malformed"
    CODE_UNKNOWN = "code_unknown"
    CODE_FOREIGN = "code_foreign"
    CODE_REDIRECT_URI = "code_redirect_uri"
    CODE_EXPIRED = "code_expired"
    CODE_CUT = "code_cut"
    CODE_USER_GONE = "code_user_gone"
    CODE_REPLAYED = "code_replayed"
    PKCE_MISSING = "pkce_missing"
    PKCE_UNASKED = "pkce_unasked"
    PKCE_MALFORMED = "pkce_malformed"
    PKCE_MISMATCH = "pkce_mismatch"

    REFRESH_MALFORMED = "refresh_malformed"
    REFRESH_UNKNOWN = "refresh_unknown"
    REFRESH_FOREIGN = "refresh_foreign"
    REFRESH_FAMILY_ENDED = "refresh_family_ended"
    REFRESH_EXPIRED = "refresh_expired"
    REFRESH_REPLAYED = "refresh_replayed"
    REFRESH_USER_GONE = "refresh_user_gone"

    TOKEN_MALFORMED = "token_malformed"
    TOKEN_TYPE = "token_type"
    TOKEN_ALGORITHM = "token_algorithm"
    TOKEN_KID = "token_kid"
    TOKEN_SIGNATURE = "token_signature"
    TOKEN_ISSUER = "token_issuer"
    TOKEN_AUDIENCE = "token_audience"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"
    TOKEN_ISSUED_IN_FUTURE = "token_issued_in_future"
    TOKEN_REVOKED = "token_revoked"
    TOKEN_SCOPE = "token_scope"

    TICKET_INVALID = "ticket_invalid"
    TICKET_EXPIRED = "ticket_expired"
    CSRF_TOKEN = "csrf_token"
    CROSS_SITE_FORM = "cross_site_form"

    LOGOUT_CLIENT = "logout_client"
    LOGOUT_URI = "logout_uri"

    CALLER_NOT_ENTITLED = "caller_not_entitled"
    TOKEN_CUT_PENDING = "token_cut_pending"

    STORE_UNAVAILABLE = "store_unavailable"
    SHARED_STATE_UNAVAILABLE = "shared_state_unavailable"
    PASSWORD_POOL_FULL = "password_pool_full"
    REVOCATIONS_STALE = "revocations_stale"
    POLICY_UNKNOWN = "policy_unknown"
    INTERNAL = "internal"
