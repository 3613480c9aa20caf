"""A thousand boxes, 40 by 25: how many people something happened to, without a colour."""

from markupsafe import Markup

COLUMNS, ROWS = 40, 25  # [1] 1,000 boxes: 3 in 1,000 cannot be shown in 100
BOX, GAP = 8, 2  # [1] size of a box and the white between two, in the picture's own units
DOT = 3  # [1] size of the dot in a box that may count


def icon_grid(count: float, high: float | None, description: str) -> Markup:
    """Return the picture: black for the count, a dot for what the interval adds, else empty.

    Parameters
    ----------
    count, high : in 1,000 people: the figure, and the upper end of its interval.
    description : the same in words.
    """
    filled = boxes(count)
    possible = max(filled, filled if high is None else boxes(high))
    pitch = BOX + GAP
    places = [(i % COLUMNS * pitch + 1, i // COLUMNS * pitch + 1) for i in range(COLUMNS * ROWS)]
    black = "".join(f"M{x} {y}h{BOX}v{BOX}h-{BOX}z" for x, y in places[:filled])
    white = "".join(f"M{x} {y}h{BOX}v{BOX}h-{BOX}z" for x, y in places[filled:])
    inset = (BOX - DOT) / 2
    dots = "".join(
        f"M{x + inset} {y + inset}h{DOT}v{DOT}h-{DOT}z" for x, y in places[filled:possible]
    )
    size = f"{COLUMNS * pitch} {ROWS * pitch}"
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="grid" role="img" viewBox="0 0 {}"'
        '><title>{}</title><path d="{}" fill="none" stroke="#8a96a3" stroke-width="0.8"/>'
        '<path d="{}" fill="#17212b"/><path d="{}" fill="#17212b"/></svg>'
    ).format(size, description, white, dots, black)


def boxes(count: float) -> int:
    """Return how many boxes stand for a count in 1,000; what is rare keeps one.

    Examples
    --------
    >>> boxes(0.0), boxes(0.2), boxes(3.1), boxes(1200.0)
    (0, 1, 3, 1000)
    """
    if count <= 0.0:
        return 0
    return min(max(round(count), 1), COLUMNS * ROWS)
