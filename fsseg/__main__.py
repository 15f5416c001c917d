"""`python -m fsseg`."""

from fsseg.cli.app import main

main()
