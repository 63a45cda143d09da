"""``python -m authcenter``: the command line."""

from authcenter.cli.root import main

if __name__ == "__main__":
    main()
