"""The booklet as PDF, tagged for screen readers (PDF/UA-1); needs WeasyPrint."""

from pathlib import Path

from kyphoplan.errors import NotFoundError

VARIANT = "pdf/ua-1"
ABSENT = "WeasyPrint cannot be loaded: pip install 'kyphoplan[pdf]', or print patient.html"


def write_booklet_pdf(page: str, path: Path) -> None:
    """Write the finished page as a PDF.

    Raises
    ------
    NotFoundError
        If WeasyPrint or the libraries it needs are not installed.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - heavy, and an extra
    except (ImportError, OSError) as error:
        raise NotFoundError(ABSENT) from error
    HTML(string=page, url_fetcher=_nothing).write_pdf(path, pdf_variant=VARIANT)


def _nothing(url: str, *_: object, **__: object) -> dict[str, object]:
    """Fetch nothing: the page holds all it shows."""
    raise ValueError(f"{url}: a booklet asks no network")
