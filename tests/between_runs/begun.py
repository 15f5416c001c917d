"""The command, which says on its standard output when its own first line has run:
`python begun.py python -m fsseg import …`.

What somebody types before that is the interpreter's to answer.
"""

from __future__ import annotations

import os
import sys

from fsseg import __main__ as command
from fsseg.cli.interrupts import end_quietly as first_line

if __name__ == "__main__":

    def end_quietly() -> None:
        first_line()
        os.write(1, b"begun\n")

    del sys.argv[1:4]
    vars(command)["end_quietly"] = end_quietly
    command.main()
