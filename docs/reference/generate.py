"""Write cli.md beside this file from the help texts of the installed `synthesis`.

With `--check` nothing is written: exit 1 when the page is not what the help texts say.
"""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# Every command

Made from the help texts by `just docs`; a test keeps it true.
"""


def help_of(*words: str) -> str:
    """What `synthesis WORDS --help` prints, 100 columns wide."""
    os.environ.update(COLUMNS="100", NO_COLOR="1", TERM="dumb")
    from synthesis.cli.app import run

    with redirect_stdout(io.StringIO()) as printed:
        if run([*words, "--help"]) != 0:
            raise SystemExit(f"synthesis {' '.join(words)} --help failed")
    return printed.getvalue()


def sections(*words: str) -> list[str]:
    """The page's sections for a command and every command below it."""
    text = help_of(*words)
    body = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    found = [
        f"{'#' * (2 if len(words) < 2 else 3)} synthesis {' '.join(words)}".rstrip(),
        f"```text\n{body}\n```",
    ]
    _, _, listing = text.partition("\nCommands:\n")
    for name in re.findall(r"^  ([a-z][a-z-]*)(?:\s|$)", listing.split("\n\n")[0], flags=re.MULTILINE):
        found += sections(*words, name)
    return found


def main() -> int:
    """Write the page, or check it."""
    page = HEAD + "\n" + "\n\n".join(sections()) + "\n"
    if "--check" in sys.argv:
        return int(not PAGE.exists() or PAGE.read_text("utf-8") != page)
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
