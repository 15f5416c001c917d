"""The README's picture: a dry run as a terminal shows it. `python -m tests.picture` draws it anew."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from tests.readme import ROOT, WIDTH, fsseg

PICTURE = ROOT / ".readme/dry-run.svg"
FIRST_DAYS = "fsseg import samples/signups.jsonl --until 2025-04-14T15:00 --config samples/fsseg.toml --sandbox --quiet"
DRY_RUN = (
    "fsseg dry-run samples/signups.jsonl --since 2025-04-14T15:00 --until 2025-04-17T14:00"
    " --config samples/fsseg.toml --sandbox"
)


def printed(*, colours: bool = False) -> str:
    """What the dry run prints once the first days are in."""
    with TemporaryDirectory() as home:
        fsseg(FIRST_DAYS, Path(home))
        return fsseg(DRY_RUN, Path(home), {"FORCE_COLOR": "1"} if colours else {})


def drawn(text: str) -> str:
    """It as SVG, which asks nothing of the network."""
    console = Console(record=True, width=WIDTH, file=StringIO(), legacy_windows=False)
    console.print(Text.from_ansi(f"$ {DRY_RUN}\n{text}"), soft_wrap=False)
    svg = console.export_svg(title="fsseg dry-run", unique_id="fsseg")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(printed(colours=True)), "utf-8")
