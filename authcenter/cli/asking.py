"""What a command asks of whoever runs it: a yes, a password, a token. Never as an argument, which others can read."""

import sys

import click

from authcenter.core.secret import Secret

_MOST_BYTES = 64 * 1024


def require_consent(ctx: click.Context, question: str, *, given: bool) -> None:
    """See that ``question`` is answered with yes, here or by ``--yes``.

    Raises:
        UsageError: There is no terminal to ask at.
        Abort: The answer is no.
    """
    require_terminal(ctx, given=given)
    if not given:
        click.confirm(question, abort=True, err=True)


def require_terminal(ctx: click.Context, *, given: bool) -> None:
    """See that ``require_consent`` will have whom to ask, before anything is shown. Raises ``UsageError``."""
    if not given and not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask at: say --yes", ctx)


def read_new_password(ctx: click.Context, *, from_stdin: bool) -> Secret:
    """A password from standard input, less one line end; or typed twice at the terminal.

    Raises:
        UsageError: There is neither; or it is not text.
    """
    if from_stdin:
        return Secret(_read_text(ctx, "password").removesuffix("\n").removesuffix("\r"))
    if not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask for the password at: pipe it in and say --password-stdin", ctx)
    return Secret(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def read_token(ctx: click.Context) -> Secret:
    """A token from standard input, less the blanks around it.

    Raises:
        UsageError: There is none; or it is not text.
    """
    if sys.stdin.isatty():
        click.echo("Paste the token, then press Enter and Ctrl-D:", err=True)
    token = _read_text(ctx, "token").strip()
    if not token:
        raise click.UsageError("no token on standard input", ctx)
    return Secret(token)


def _read_text(ctx: click.Context, name: str) -> str:
    given = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(given) > _MOST_BYTES:
        raise click.UsageError(f"the {name} on standard input is over {_MOST_BYTES} bytes", ctx)
    try:
        return given.decode()
    except UnicodeDecodeError as problem:
        raise click.UsageError(f"the {name} on standard input is not UTF-8", ctx) from problem


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
