"""The `fsseg` command, also as `python -m fsseg`."""

from __future__ import annotations

from fsseg.cli.interrupts import end_quietly


def main() -> None:
    """The entry point of the `fsseg` command."""
    end_quietly()
    from fsseg.cli.app import app  # slow enough for somebody to press Ctrl-C

    app()


if __name__ == "__main__":
    main()
