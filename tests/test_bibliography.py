"""One bibliography: what docstrings cite is in it, in one form, and `rankscape cite` prints it."""

import ast
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

import rankscape
from rankscape.errors import InputError
from rankscape.papers.bibliography import CREDITS, bibliography, bibtex, reference

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path(rankscape.__file__).parent
WORKS = [work for work in bibliography().values() if work.key != "rankscape"]

# "Wang, Jacot (2024)", "Chou et al. 2024", "Wang and Jacot, 2024"; venues with a year are no names.
NAMES = r"(?:[A-Z][\w'-]+)(?:(?:, | and | & )[A-Z][\w'-]+)*"
CITED = re.compile(rf"({NAMES})( et al\.)?,? \(?((?:19|20)\d\d)\b")


def docstrings() -> Iterator[tuple[str, str]]:
    """Where it stands and the text, of everything in the package that has a docstring."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node)
                if text:
                    name = getattr(node, "name", "")
                    yield f"{path.relative_to(SOURCE)} {name}".strip(), text


def unknown(text: str) -> list[str]:
    """Citations that are not in the bibliography: names and year, or a line of a References block."""
    body, _, block = text.partition("References\n----------\n")
    lines = {" ".join(line.split()) for line in block.split(".. ") if line.strip()}
    strange = sorted(lines - {work.line.removeprefix(".. ") for work in WORKS})
    for names, others, year in CITED.findall(" ".join(body.split())):
        authors = re.split(r", | and | & ", names)
        known = [work.surnames for work in WORKS if work.fields["year"] == year]
        if not any(authors == (found[:1] if others else found) for found in known):
            strange.append(f"{names}{others} {year}")
    return strange


def test_every_reference_of_every_docstring_is_in_the_bibliography():
    strange = [f"{where}: {cited}" for where, text in docstrings() for cited in unknown(text)]
    assert not strange


@pytest.mark.parametrize(
    "text",
    [
        "After Nobody (2024).",
        "After Wang, Jacot (2020).",
        "After Wang (2024).",
        "After Jacot et al. (2024).",
        'A\n\nReferences\n----------\n.. [wang2024] Wang, Jacot, "Another title", ICLR 2024.',
    ],
)
def test_a_reference_that_is_not_there_is_noticed(text):
    assert unknown(text)


@pytest.mark.parametrize(
    "text",
    [
        "After Wang, Jacot (2024), and (Chou et al. 2024).",
        "A\n\nReferences\n----------\n" + reference("chou2024").line.replace("low rank", "low\n   rank"),
    ],
)
def test_a_reference_that_is_there_is_accepted(text):
    assert not unknown(text)


def test_keys_are_the_first_author_and_the_year():
    for work in WORKS:
        plain = unicodedata.normalize("NFKD", work.surnames[0]).encode("ascii", "ignore").decode()
        assert work.key == re.sub(r"\W", "", plain).lower() + work.fields["year"]
        assert {"title", "author", "year"} <= work.fields.keys()
        assert work.fields.keys() & {"journal", "booktitle", "publisher"}, work.key


def test_entries_are_bibtex_and_sorted():
    for work in bibliography().values():
        assert work.bibtex.count("{") == work.bibtex.count("}"), work.key
        assert re.fullmatch(r"@\w+\{\w+,\n(  \w+ = \{.*\},\n)*  \w+ = \{.*\}\n\}", work.bibtex), work.key
    keys = [work.key for work in WORKS if work.key not in CREDITS]
    assert keys == sorted(keys)


def test_credits_are_rankscape_and_its_two_papers():
    assert re.findall(r"^@\w+\{(.*),$", bibtex(), flags=re.MULTILINE) == ["rankscape", "chou2024", "wang2024"]
    assert f"version = {{{rankscape.__version__}}}" in bibtex()
    with pytest.raises(InputError, match="did you mean 'wang2024'"):
        bibtex(["wang2042"])


def test_the_papers_have_one_date():
    """Chou et al. appeared in 2024, whatever the year of the preprint."""
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "CITATION.cff"]
    for path in documents:
        text = " ".join(path.read_text(encoding="utf-8").split())
        years = re.findall(r"(?:Chou|Rauhut|Jacot)(?:,? et al\.)?,? \(?((?:19|20)\d\d)", text)
        assert set(years) <= {"2024"}, path


def test_the_version_stands_in_one_place():
    """In pyproject.toml: the package reads it from its metadata, and the citation file agrees."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert rankscape.__version__ == project["version"]
    assert f"\nversion: {project['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for path in SOURCE.rglob("*.py"):
        assert f'"{project["version"]}"' not in path.read_text(encoding="utf-8"), path
