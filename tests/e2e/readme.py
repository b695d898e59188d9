"""Reads blocks, links, tables and commands of documents for tests. The default document is the README."""

import re
import shlex
import subprocess
from dataclasses import dataclass
from functools import cache

from tests.support import program
from tests.support.local_api import ROOT, environment

# All documents, as paths from the repository's root.
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/*.md"))]
}
TEXT = DOCUMENTS["README.md"]
LOCAL = DOCUMENTS["docs/local.md"]
API = DOCUMENTS["docs/api.md"]
MIGRATE = DOCUMENTS["docs/migrate.md"]

_PROGRAM = "./message-api"
# The address of a DynamoDB Local in commands.
_ENGINE = "http://127.0.0.1:PORT"

_BLOCK = re.compile(
    r"(?:<!-- test: (?P<mark>[^>]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the words of a comment `<!-- test: … -->` directly above it."""

    language: str
    text: str
    mark: str

    @property
    def commands(self) -> list[str]:
        """Return the commands of a shell block, each as one element."""
        return self.text.replace("\\\n", " ").splitlines()


def blocks(language: str, mark: str | None = None, text: str = TEXT) -> list[Block]:
    """Return the blocks in a language, in order. With `mark`, return only those whose comment begins with it.

    The mark "" selects blocks without a comment.
    """
    found = [Block(match["language"], match["text"], match["mark"] or "") for match in _BLOCK.finditer(text)]
    return [
        block
        for block in found
        if block.language == language and (mark is None or (block.mark.startswith(mark) if mark else not block.mark))
    ]


def links(text: str = TEXT) -> list[str]:
    """Return the targets of a document's links."""
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r' src(?:set)?="([^"]+)"', text)


def rows(heading: str, text: str = TEXT) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its two header lines."""
    table = text.split(f"\n{heading}\n", 1)[1].split("\n|", 1)[1].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def program_commands(text: str) -> list[list[str]]:
    """Return each command of `./message-api` in a document's shell blocks and sentences, as a list of words."""
    lines = [command for block in blocks("sh", None, text) for command in block.commands]
    lines += re.findall(rf"`({re.escape(_PROGRAM)} [^`]+)`", text.replace("\n", " "))
    commands = [shlex.split(line, comments=True) for line in lines]
    return [words[words.index(_PROGRAM) + 1 :] for words in commands if _PROGRAM in words]


def shell(text: str, url: str = "", **own: str) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader does, in the repository; `url` stands for the DynamoDB Local that it names."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text.replace(_ENGINE, url) if url else text],
        cwd=ROOT,
        env=environment(**own),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@cache
def program_help(*command: str) -> str:
    """Return what `./message-api COMMAND --help` prints. Raises AssertionError for a command that does not exist."""
    told = program.invoke(*command, "--help")
    assert told.exit_code == 0, f"{command}: {told.output}"
    return told.stdout
