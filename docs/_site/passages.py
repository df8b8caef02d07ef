"""What the search of the site looks through: sections of pages, and questions with their answers, one by one.

A page that answers forty questions is about none of them; a section, or a question in the table, is about one. So the
words of each are counted by themselves. ``_static/search.js`` ranks them; code is left to the search by whole pages.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ASKED = "start/questions"
# Words of asking, which say nothing of what is asked; shorter ones the search knows as such by itself.
ASKING = (
    "also another can done else every exactly get give given got help just made make may might mine must need please "
    "possible shall still take taken use used using want way whose will yes"
)

# Words that people use for one thing; where a place says another of them, it counts for half.
ALIKE = [
    "impute imputation imputed imputer fill filled complete completion",
    "missing nan na null empty hole gap unobserved",
    "dataframe frame table spreadsheet",
    "row sample observation case user person customer subject uid",
    "column feature variable item film movie iid",
    "predict prediction estimate score",
    "rank components dimension ncp factors latent",
    "regularization regularizer penalty ridge lambda shrinkage l2",
    "uncertainty confidence interval variance sure",
    "accuracy rmse mae error",
    "new unseen test newcomer",
    "incremental online streaming append add",
    "memory ram huge large big",
    "fast slow speed runtime time seconds benchmark",
    "crash killed interrupted aborted lost resume continue restart",
    "cluster hpc slurm dask distributed parallel",
    "outlier anomaly corrupted wrong gross robust",
    "same identical constant fixed equal",
    "recommend recommendation recommender ratings collaborative",
    "step stage staircase stepwise stagewise plateau",
    "mode eigenvector singular principal component direction",
    "start initialization initial init initialize",
    "escape jump leave exit",
    "hide hidden mask masked withhold",
    "stop stopping halt terminate",
    "learn learned train trained training fit",
    "compare comparison versus vs equivalent alternative instead",
    "compile compiler jit",
    "nmf nonnegative negative",
    "pca principal svd singular",
    "lod detection censored",
    "checkpoint checkpoints save saved store",
    "previous earlier existing warm",
    "paper article publication reference cite citation",
    "diverge diverged nan overflow explode",
]
FENCE = re.compile(r"^(```|:::).*?^\1\s*$|^\(.*\)=$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)")


class Passage(NamedTuple):
    """A place on the site, and what is said there."""

    page: str
    anchor: str
    title: str
    said: str
    shown: str = ""  # beside the link; of a section the browser looks it up


def slug(title: str) -> str:
    """The anchor of a heading, as MyST and GitHub make it.

    >>> slug("It is `not` the smallest, nuclear norm?")
    'it-is-not-the-smallest-nuclear-norm'
    """
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def plain(text: str) -> str:
    """Words without marks: links by what they show.

    >>> plain("**Ask** the [certificate](limits.md#x), `trusted`")
    'Ask the certificate, trusted'
    """
    text = re.sub(r"\{[\w:]+\}`~?([^`<]*?)(?: <[^`>]*>)?`", r"\1", LINK.sub(r"\1", text))
    return re.sub(r"[*`]|<[^>]*>", "", text).strip()


def sections(page: str, text: str) -> Iterator[Passage]:
    r"""The parts of a page below each heading; code is left out.

    >>> list(sections("a/b", "# Top\n\nOne.\n\n## Next\n\nTwo.\n"))[1]
    Passage(page='a/b', anchor='next', title='Next', said='Two.', shown='')
    """
    prose = FENCE.sub("", text)
    found = list(HEADING.finditer(prose))
    for here, after in zip(found, [*found[1:], None], strict=False):
        said = plain(prose[here.end() : after.start() if after else None])
        title = plain(here[2])
        yield Passage(page, "" if here is found[0] else slug(title), title, said)


def questions(text: str) -> Iterator[Passage]:
    """Each question of the table, at the place to which its answer leads.

    >>> next(questions("| May I? | Yes. [How](../data/limits.md#so) |"))
    Passage(page='data/limits', anchor='so', title='May I?', said='Yes. How', shown='Yes.')
    """
    for asked, answer in re.findall(r"^\| (.+?) \| (.+?) \|$", text, flags=re.MULTILINE):
        if link := LINK.search(answer):
            path, _, anchor = link[2].partition("#")
            page = posixpath.normpath(posixpath.join(posixpath.dirname(ASKED), path)).removesuffix(".md")
            alone = plain(LINK.sub("", answer)).rstrip(" ,")
            yield Passage(page, anchor, plain(asked), plain(answer), alone)


def passages(app) -> Iterator[Passage]:
    """All of them, in the order of the pages."""
    for name in sorted(app.env.found_docs):
        path = Path(app.env.doc2path(name))
        if path.suffix == ".md" and name != "more/changelog":
            text = path.read_text(encoding="utf-8")
            yield from questions(text) if name == ASKED else sections(name, text)


def stems(app, text: str) -> str:
    """The words that the search knows, as it knows them."""
    language = app.builder.indexer.lang
    return " ".join(language.stem(w) for w in language.split(text.lower()) if language.word_filter(w))


def write(app, error) -> None:
    """After the pages: a script for the page of the search alone."""
    if error or app.builder.format != "html":
        return
    rows = []
    for passage in passages(app):
        rows.append([*passage[:3], passage.shown, stems(app, passage.title), stems(app, passage.said)])
    alike = [sorted(set(stems(app, group).split())) for group in ALIKE]
    made = {"passages": rows, "alike": alike, "asking": sorted(set(stems(app, ASKING).split()))}
    packed = {name: json.dumps(value, ensure_ascii=False, separators=(",", ":")) for name, value in made.items()}
    script = "".join(f"Search.{name} = {value};\n" for name, value in packed.items())
    (Path(app.outdir) / "_static" / "passages.js").write_text(script, encoding="utf-8")


def setup(app) -> None:
    """Connect."""
    app.connect("build-finished", write)
