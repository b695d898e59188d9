"""A document as tests read it, the README unless another is given: fenced blocks with their marks, links, tables."""

import re
from dataclasses import dataclass

from tests.support.local_api import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(
    r"(?:<!-- test: (?P<mark>[^>]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the words of the comment right above it, as `<!-- test: … -->`."""

    language: str
    text: str
    mark: str

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, one element each."""
        return self.text.replace("\\\n", " ").splitlines()


def blocks(language: str, mark: str | None = None, text: str = TEXT) -> list[Block]:
    """Return the blocks in a language, in order; with `mark`, those whose comment begins with it ("" for none)."""
    found = [Block(match["language"], match["text"], match["mark"] or "") for match in _BLOCK.finditer(text)]
    return [
        block
        for block in found
        if block.language == language and (mark is None or (block.mark.startswith(mark) if mark else not block.mark))
    ]


def links(text: str = TEXT) -> list[str]:
    """Return where a document links to."""
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r' src(?:set)?="([^"]+)"', text)


def rows(heading: str, text: str = TEXT) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its two header lines."""
    table = text.split(f"\n{heading}\n", 1)[1].split("\n|", 1)[1].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]
