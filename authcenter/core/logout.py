"""What a client asks for when it sends a person to be signed out (OpenID Connect RP-Initiated Logout 1.0 §2)."""

from authcenter.core.value import Value


class LogoutRequest(Value, frozen=True):
    """A logout request whose every parameter has been checked. Travels sealed through the browser.

    Attributes:
        redirect_uri: Where to go afterwards: registered by ``client_id``.
        state: Goes with it.
        hinted_subject: The ``sub`` of the verified ``id_token_hint``, as the client knows the person; None: no hint.
        hinted_session: Its ``sid``, where it has one.
    """

    client_id: str | None = None
    redirect_uri: str | None = None
    state: str | None = None
    hinted_subject: str | None = None
    hinted_session: str | None = None
    ui_locales: tuple[str, ...] = ()
