"""The documentation is complete and true: names, links, examples, versions."""

import doctest
import re
import shutil
import subprocess
import tomllib
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

import kyphoplan
from kyphoplan.case import Confidence, GapSite, Shape, Side, VertebraMeasures
from kyphoplan.materials import CEMENTS, FLOWING, MATERIALS, MODULUS
from kyphoplan.report.credibility import CHECKS, Check

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PAGE_IDS = [str(page.relative_to(ROOT)) for page in PAGES]
WITH_EXAMPLES = [name for name in PAGE_IDS if ">>> " in (ROOT / name).read_text(encoding="utf-8")]

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FORBIDDEN = re.compile(
    "|".join(
        [
            r"py" r"pi\.(org|python)",
            r"python" r"hosted\.org",
            r"registry\.npm" r"js",
            r"(?<![\w.])/(work|root|home|Users)" r"/\w",
            r"(find-links|index-url)" r"[ =]\S",
        ]
    )
)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def prose() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def anchors(page: Path) -> set[str]:
    """The places of a page that a link can name, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def tracked_files() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: the tracked files are unknown")
    run = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in run.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("name", kyphoplan.__all__)
def test_every_public_name_has_a_docstring_and_a_place_in_the_docs(name: str) -> None:
    assert getattr(kyphoplan, name).__doc__
    assert re.search(rf"\b{name}\b", prose())


@pytest.mark.parametrize("page", PAGES, ids=PAGE_IDS)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in t]
    for target in targets:
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(aim), f"{target}: no such heading"


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=str)
def test_every_example_in_the_docs_runs(page: str) -> None:
    assert doctest.testfile(str(ROOT / page), module_relative=False, encoding="utf-8").failed == 0


def test_no_tracked_file_names_a_package_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path in tracked_files():
        if path == Path(__file__).resolve() or path.suffix in {".png", ".gz"}:
            continue
        hits = FORBIDDEN.findall(path.read_text(encoding="utf-8", errors="replace"))
        found += [str(path.relative_to(ROOT))] * bool(hits)
    assert found == []


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = text_of("requirements.lock")
    assert "://" not in lock
    pins = re.findall(r"^[a-z0-9-]+==.*(?:\n    .*)*", lock, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S", lock, flags=re.MULTILINE)) > 30
    assert all("--hash=sha256:" in pin for pin in pins)


def test_one_version_stands_everywhere() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["version"] == kyphoplan.__version__
    assert f"\n## {kyphoplan.__version__}" in text_of("CHANGELOG.md")
    assert f"\nversion: {kyphoplan.__version__}\n" in text_of("CITATION.cff")


def test_the_glossary_has_forty_words_each_with_its_meaning() -> None:
    rows = re.findall(r"^\| (.+?) \| (.*?) ?\| (.*?) ?\|$", text_of("docs/glossary.md"), re.M)
    words = [row for row in rows if row[0] not in {"clinical word"} and "---" not in row[0]]
    assert len(words) >= 40
    assert all(plain or meaning for _, plain, meaning in words)


@pytest.mark.parametrize("closed_set", [Shape, Side, Confidence, GapSite])
def test_every_word_of_a_closed_set_is_in_the_glossary(closed_set: type[Enum]) -> None:
    glossary = text_of("docs/glossary.md").lower()
    for member in closed_set:
        words = str(member.value).split()
        assert member.name in {"UNKNOWN", "NONE"} or all(w in glossary for w in words), member


def test_every_figure_of_a_vertebra_is_defined() -> None:
    figures = [f for f in VertebraMeasures.__dataclass_fields__ if f not in {"level"}]
    reference = text_of("docs/reference/measurements.md").lower().replace("_", " ")
    missing = [f for f in figures if f.replace("_", " ") not in reference]
    assert missing == []


def test_the_intended_use_stands_where_a_reader_starts() -> None:
    for page in ("README.md", "docs/README.md"):
        assert re.search(
            r"research and teaching.{0,20}not for diagnosis", text_of(page), re.I | re.S
        )


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    makefile = text_of("Makefile")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.M)
    assert phony is not None
    for target in phony[1].split():
        assert re.search(rf"^{target}:.* ## \S", makefile, re.M), target


def test_every_decision_is_listed() -> None:
    index = text_of("docs/decisions/README.md")
    for page in ROOT.glob("docs/decisions/0*.md"):
        assert f"({page.name})" in index, page.name


@pytest.mark.parametrize("name", MATERIALS)
def test_every_material_stands_on_the_page_of_strength_as_it_is(name: str) -> None:
    of = MATERIALS[name]
    row = f"| {name} | {of.modulus:g} | {of.poisson:g} | {of.strength:g} | {of.status} |"
    assert row in text_of("docs/how-to/strength.md")


@pytest.mark.parametrize("name", MODULUS)
def test_every_law_of_stiffness_stands_there_too(name: str) -> None:
    of = MODULUS[name]
    rows = [
        r for r in text_of("docs/how-to/strength.md").splitlines() if r.startswith(f"| {name}")
    ]
    assert f"{of.factor:g} g^{of.exponent:g}" in rows[0]
    assert rows[0].endswith(f"| {of.status} |")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.what[:40])
def test_what_a_rehearsal_was_held_to_stands_on_its_page(check: Check) -> None:
    row = f"| {check.what} | {check.target} | {check.ours} | {check.kind} |"
    assert row in text_of("docs/reference/rehearsal.md").splitlines()


@pytest.mark.parametrize("name", FLOWING)
def test_every_number_of_the_flow_stands_on_the_page_of_cement(name: str) -> None:
    of = FLOWING[name]
    row = f"| {name} | {of.value:g} | {of.low:g} | {of.high:g} | {of.unit} | {of.status} |"
    assert row in text_of("docs/reference/cement.md")


@pytest.mark.parametrize("name", CEMENTS)
def test_every_number_of_a_cement_stands_there_too(name: str) -> None:
    for word, of in (
        ("consistency", CEMENTS[name].consistency),
        ("doubling", CEMENTS[name].doubling_s),
        ("index", CEMENTS[name].index),
    ):
        span = f"{of.value:g} | {of.low:g} | {of.high:g} | {of.unit}"
        row = f"| {name}: {word} | {span} | {of.status} |"
        assert row in text_of("docs/reference/cement.md")
