"""The command: ``authcenter``, and ``python -m authcenter``."""

import sys


def main() -> None:
    """Run the command line, where the server's parts are installed: the SDK comes without them."""
    try:
        from authcenter.cli.root import main as run  # noqa: PLC0415 - the message below needs a chance
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] == "authcenter":
            raise
        sys.exit(f"authcenter: {missing.name} is not installed; the server is: pip install 'authcenter[server]'")
    run()


if __name__ == "__main__":
    main()
