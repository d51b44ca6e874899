"""The pages of `docs/` as HTML, with links that lead to where the server shows what they mean."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

FOLDER = Path(__file__).parents[2] / "docs"
IN_ORDER = (
    "quick-start",
    "api",
    "clients",
    "sessions",
    "oidc",
    "codes",
    "messages",
    "door",
    "notifications",
    "webhooks",
    "rabbitmq",
    "limits",
    "operating",
)
SHOWN_ELSEWHERE = {"../schema/schema.graphql": "/docs/schema.graphql"}

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_markdown.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0"><table>\n')
_markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")


@dataclass(frozen=True)
class Guide:
    """A page that somebody wrote, under the name of its file."""

    name: str

    @property
    def address(self) -> str:
        return f"/docs/guides/{self.name}"

    @cached_property
    def text(self) -> str:
        """Its Markdown, without the notes that say how the examples are tested."""
        written = (FOLDER / f"{self.name}.md").read_text(encoding="utf-8")
        return re.sub(r"^<!-- .*? -->\n", "", written, flags=re.MULTILINE | re.DOTALL)

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0].removeprefix("# ")

    @property
    def headings(self) -> list[tuple[str, str]]:
        """The titles of its sections, and where they are."""
        return [(title, anchor(title)) for title in re.findall(r"^#{2,3} (.+)$", self.text, re.MULTILINE)]

    @property
    def html(self) -> Markup:
        return self._rendered(self.text)

    def section(self, title: str) -> str:
        """The Markdown of one section, with its heading."""
        (found,) = re.findall(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        return str(found)

    def section_html(self, title: str) -> Markup:
        return self._rendered(self.section(title))

    def inline(self, text: str) -> Markup:
        """A few words of this page, with its links."""
        return self._rendered(text, is_inline=True)

    def _rendered(self, text: str, is_inline: bool = False) -> Markup:
        tokens = _markdown.parseInline(text) if is_inline else _markdown.parse(text)
        for token, following in zip(tokens, [*tokens[1:], token_of_nothing], strict=True):
            if token.type == "heading_open":
                token.attrSet("id", anchor(following.content))
            elif token.type == "fence":
                token.attrSet("tabindex", "0")
            self._lead_elsewhere(token.children or [])
        return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704

    def _lead_elsewhere(self, tokens: list[Token]) -> None:
        """Let links lead to addresses of the server; what it does not show is no link here."""
        opened: list[Token] = []
        for token in tokens:
            if token.type == "link_open":
                opened.append(token)
                address = self._address(str(token.attrGet("href")))
                token.attrSet("href", address)
                token.hidden = not address
            elif token.type == "link_close":
                token.hidden = opened.pop().hidden

    def _address(self, target: str) -> str:
        file, _, place = target.partition("#")
        name = file.removesuffix(".md") if file else self.name
        if target.startswith("https://"):
            return target
        if name in guide_names():
            return f"/docs/guides/{name}" + (f"#{place}" if place else "")
        return SHOWN_ELSEWHERE.get(file, "")


token_of_nothing = Token("nothing", "", 0)


def guide_names() -> list[str]:
    """Every page of `docs/`: those that a reader needs first in their order, then the others by name."""
    names = {path.stem for path in FOLDER.glob("*.md")}
    return [name for name in IN_ORDER if name in names] + sorted(names - {*IN_ORDER})


def anchor(title: str) -> str:
    """The place of a heading in its page, as GitHub names it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def inline(text: str | None) -> Markup:
    """A description of the schema, which is Markdown, on one line."""
    return Markup(_markdown.renderInline(text or ""))  # noqa: S704
