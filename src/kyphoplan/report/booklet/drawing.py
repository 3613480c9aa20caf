"""Line drawings as SVG that print in black and white: shapes in millimetres, patterns, words."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from kyphoplan.geometry import Array
from kyphoplan.report.plane import Window

LETTER_MM = 4.2  # [mm] height of the words in a drawing
ROUND_TO = 2  # [1] decimals of a coordinate: 0.01 mm is finer than any line

# Every fill is told apart without colour: white, a grey, or a pattern of its own.
FILLS = {
    "bone": 'fill="#f1efe9" stroke="#17212b" stroke-width="0.35"',
    "broken": 'fill="url(#{name}-broken)" stroke="#17212b" stroke-width="0.8"',
    "outline": 'fill="none" stroke="#17212b" stroke-width="0.8"',
    "needle": 'fill="#ffffff" stroke="#17212b" stroke-width="0.5"',
    "balloon": 'fill="url(#{name}-balloon)" stroke="#17212b" stroke-width="0.5"',
    "hollow": 'fill="#ffffff" stroke="#17212b" stroke-width="0.5" stroke-dasharray="1.2 0.8"',
    "cement": 'fill="url(#{name}-cement)" stroke="#17212b" stroke-width="0.6"',
    "nerves": 'fill="#b9c0c8" stroke="#5b6b7a" stroke-width="0.3"',
}
LINES = {
    "before": 'stroke="#17212b" stroke-width="0.55" stroke-dasharray="2 1.2"',
    "path": 'stroke="#17212b" stroke-width="0.4" stroke-dasharray="1 1"',
    "lead": 'stroke="#17212b" stroke-width="0.25"',
}
PATTERNS = {
    "broken": (2.0, '<circle cx="1" cy="1" r="0.3" fill="#5b6b7a"/>', "#e4ded2"),
    "balloon": (2.2, '<circle cx="1.1" cy="1.1" r="0.55" fill="none" stroke="#17212b" '
                     'stroke-width="0.25"/>', "#ffffff"),
    "cement": (1.6, '<path d="M-0.4 0.4L0.4 -0.4M0 1.6L1.6 0M1.2 2L2 1.2" stroke="#17212b" '
                    'stroke-width="0.45"/>', "#ffffff"),
}  # fmt: skip


@dataclass(slots=True)
class Drawing:
    """One picture that grows shape by shape; the plane's u runs right and v up.

    Attributes
    ----------
    name : unique on the page: begins the names of its patterns.
    window : the part of the plane that is shown [mm].
    """

    name: str
    window: Window
    pieces: list[Markup] = field(default_factory=list)

    def area(self, ring: Array, fill: str) -> None:
        """Add a closed shape (N, 2) [mm] with one of `FILLS`."""
        look = FILLS[fill].format(name=self.name)
        self.pieces.append(Markup(f'<path d="{self._path(ring)}Z" {look}/>'))

    def line(self, points: Array, style: str) -> None:
        """Add an open line (N, 2) [mm] with one of `LINES`."""
        self.pieces.append(Markup(f'<path d="{self._path(points)}" fill="none" {LINES[style]}/>'))

    def word(
        self, at: Sequence[float] | Array, text: str, anchor: str = "middle", turn: int = 0
    ) -> None:
        """Write at a point (u, v) [mm]."""
        x, y = self._place(np.asarray(at, float))
        turned = f' transform="rotate({turn} {x:.2f} {y:.2f})"' if turn else ""
        look = f'font-size="{LETTER_MM}" font-family="sans-serif" fill="#17212b"'
        halo = 'stroke="#ffffff" stroke-width="1" stroke-linejoin="round"'
        place = f'x="{x:.2f}" y="{y + LETTER_MM / 3.0:.2f}" text-anchor="{anchor}"{turned} {look}'
        # the rim is a text of its own: not every program knows `paint-order`
        self.pieces.append(Markup(f'<text {place} {halo} aria-hidden="true">') + text + END)
        self.pieces.append(Markup(f"<text {place}>") + text + END)

    def pointer(self, text: str, at: Sequence[float] | Array, to: Sequence[float] | Array) -> None:
        """Write words and draw a thin line from them to what they name."""
        start, end = np.asarray(at, float), np.asarray(to, float)
        self.line(np.stack([start, end]), "lead")
        x, y = self._place(end)
        self.pieces.append(Markup(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="0.6" fill="#17212b"/>'))
        self.word(start, text, "end" if start[0] < end[0] else "start")

    def sides(self, words: dict[str, str]) -> None:
        """Write on the four edges which side of the patient's own body lies there."""
        w, edge = self.window, 0.75 * LETTER_MM
        mid_u, mid_v = (w.u_low + w.u_high) / 2.0, (w.v_low + w.v_high) / 2.0
        self.word((w.u_low + edge, mid_v), words["left"], turn=-90)
        self.word((w.u_high - edge, mid_v), words["right"], turn=90)
        self.word((mid_u, w.v_high - edge), words["top"])
        self.word((mid_u, w.v_low + edge), words["bottom"])

    def svg(self, description: str) -> Markup:
        """Return the picture with its description for those who do not see it."""
        size = f"{self.window.width_mm:.1f} {self.window.height_mm:.1f}"
        head = Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" '
            'viewBox="0 0 {}"><title>{}</title><defs>'
        ).format(size, description)
        patterns = "".join(self._pattern(name) for name in PATTERNS)
        return (
            head + Markup(patterns + "</defs>") + Markup("").join(self.pieces) + Markup("</svg>")
        )

    def _pattern(self, name: str) -> str:
        step, mark, ground = PATTERNS[name]
        return (
            f'<pattern id="{self.name}-{name}" width="{step}" height="{step}" '
            f'patternUnits="userSpaceOnUse"><rect width="{step}" height="{step}" '
            f'fill="{ground}"/>{mark}</pattern>'
        )

    def _place(self, points: Array) -> Array:
        w = self.window
        return np.stack([points[..., 0] - w.u_low, w.v_high - points[..., 1]], axis=-1)

    def _path(self, points: Array) -> str:
        placed = np.round(self._place(np.asarray(points, float)), ROUND_TO)
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in placed)


END = Markup("</text>")
