"""A sheet of lines, bars and words, written as SVG: no library draws it, every browser shows it."""

from html import escape

WIDTH = 900
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.head{font-weight:600;font-size:15px}.dim{fill:#6e7781}"
    ".bar{fill:#54aeff}.dumb{fill:#d0d7de}.axis{stroke:#d0d7de}.bound{stroke:#24292f;stroke-width:1.5}"
    ".budget{stroke:#cf222e;stroke-width:1.5;stroke-dasharray:5 3}.mark{fill:#cf222e}.dot{fill:#24292f}"
)


class Sheet:
    """Collects shapes; `y` is where the next panel begins."""

    def __init__(self) -> None:
        self._shapes: list[str] = []
        self.y = 0.0

    def write(self, x: float, y: float, words: str, *, kind: str = "", end: bool = False) -> None:
        """Put words to the right of a place, or to its left."""
        anchor = ' text-anchor="end"' if end else ""
        self._shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{anchor}>{_safe(words)}</text>')

    def line(self, start: tuple[float, float], stop: tuple[float, float], *, kind: str) -> None:
        """Draw a line between two places."""
        (x1, y1), (x2, y2) = start, stop
        self._shapes.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def bar(self, x: float, y: float, *, width: float, height: float, kind: str) -> None:
        """Draw a bar whose upper left corner is at a place."""
        size = f'width="{max(width, 0):.1f}" height="{height:.1f}"'
        self._shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{kind}"/>')

    def dot(self, x: float, y: float, *, kind: str, title: str = "") -> None:
        """Draw a dot that says its title when it is pointed at."""
        told = f"<title>{_safe(title)}</title>" if title else ""
        self._shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{kind}">{told}</circle>')

    def svg(self, title: str) -> str:
        """The whole sheet; title: for those who cannot see it."""
        size = f'width="{WIDTH}" height="{self.y:.0f}" viewBox="0 0 {WIDTH} {self.y:.0f}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{_safe(title)}</title>\n'
            f'<style>{_STYLE}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(self._shapes)
            + "\n</svg>\n"
        )


def _safe(words: str) -> str:
    """Words of a payload as XML may hold them."""
    return escape("".join(each if each.isprintable() else "?" for each in words))
