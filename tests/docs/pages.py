"""README and docs as data: pages, their code blocks, programs, links and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "Block", "Page", "Program", "pages"]

ROOT = Path(__file__).parent.parent.parent

_FENCE = re.compile(r"^ *```(\w*)$")
_COMMENT = re.compile(r"^ *<!-- (.+) -->$")
_LINK = re.compile(r"(!?)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_DIRECTIVE = re.compile(r"(use|and|skip|file|continues)(?:: (.*))?")


@dataclass(frozen=True)
class Block:
    """One fenced block, and what the comment before it says of it.

    The comment is made of parts between `; `:

        use: NAME ARGUMENT   how to test it: a function of `uses/`
        and: NAME ARGUMENT   one more
        continues            this Python goes on where the page's last one ended
        file: NAME           a file that later uses find beside them
        skip: REASON         why nothing can be done with it
    """

    page: str
    line: int
    language: str
    code: str
    uses: tuple[tuple[str, str], ...] = ()
    continues: bool = False
    file: str | None = None
    skip: str | None = None
    generated: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass
class Program:
    """Python that runs as one, from one block or several of a page."""

    blocks: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        return str(self.blocks[0])

    @property
    def code(self) -> str:
        """The code with its lines where they are in the page, so that errors point there."""
        lines: list[str] = []
        for block in self.blocks:
            lines += [""] * (block.line - len(lines))
            lines += block.code.splitlines()
        return "\n".join(lines) + "\n"

    @property
    def uses(self) -> list[tuple[str, str]]:
        """What to do with it."""
        return [use for block in self.blocks for use in block.uses]


class Page:
    """One Markdown file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text("utf-8")
        self.blocks = list(self._find_blocks())

    def __str__(self) -> str:
        return self.name

    @property
    def prose(self) -> str:
        """The page without its blocks and comments."""
        inside, kept = False, []
        for line in self.text.splitlines():
            if _FENCE.match(line):
                inside = not inside
            elif not inside and not _COMMENT.match(line):
                kept.append(line)
        return "\n".join(kept)

    @property
    def programs(self) -> list[Program]:
        """The page's Python."""
        found: list[Program] = []
        for block in self.blocks:
            if block.language == "python" and block.skip is None and not block.generated:
                if block.continues:
                    found[-1].blocks.append(block)
                else:
                    found.append(Program([block]))
        return found

    @property
    def links(self) -> list[tuple[bool, str]]:
        """Whether it is a picture, and where it leads."""
        return [(bang == "!", target) for bang, target in _LINK.findall(re.sub(r"`[^`]*`", "", self.prose))]

    @property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as code hosts make them."""
        found: dict[str, int] = {}
        anchors = set()
        for line in self.prose.splitlines():
            if heading := re.match(r"#+ (.+)$", line):
                words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
                anchor = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
                count = found.get(anchor, 0)
                found[anchor] = count + 1
                anchors.add(f"{anchor}-{count}" if count else anchor)
        return anchors

    def _find_blocks(self) -> list[Block]:
        found: list[Block] = []
        start: int | None = None
        language, before, generated = "", "", False
        lines = self.text.splitlines()
        for number, line in enumerate(lines, 1):
            fence = _FENCE.match(line)
            if start is None:
                if fence:
                    start, language = number, fence[1]
                elif line.strip():
                    before = line
                    generated = (generated or "<!-- generated:" in line) and "<!-- end -->" not in line
            elif fence:
                code = "\n".join(lines[start : number - 1]) + "\n"
                found.append(self._block(start, language, code, before, generated=generated))
                start, before = None, ""
        assert start is None, f"{self.name}: the block of line {start} does not end"
        return found

    def _block(self, line: int, language: str, code: str, before: str, *, generated: bool) -> Block:
        comment = _COMMENT.match(before)
        told: dict[str, str] = {}
        uses: list[tuple[str, str]] = []
        for part in comment[1].split("; ") if comment and not generated else ():
            directive = _DIRECTIVE.fullmatch(part)
            assert directive, f"{self.name}:{line}: what does “{part}” mean?"
            name, value = directive[1], directive[2] or ""
            if name in {"use", "and"}:
                function, _, argument = value.partition(" ")
                uses.append((function, argument))
            else:
                told[name] = value
        return Block(
            self.name,
            line,
            language,
            code,
            tuple(uses),
            continues="continues" in told,
            file=told.get("file"),
            skip=told.get("skip"),
            generated=generated,
        )


@cache
def pages() -> tuple[Page, ...]:
    """Every page that users read."""
    return tuple(Page(path) for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))))


@cache
def page(name: str) -> Page:
    """The page of that name, such as `docs/index.md`."""
    return next(page for page in pages() if page.name == name)
