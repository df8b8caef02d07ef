"""The page of a theorist's questions runs, prints what it says, and answers each in a few lines."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "theory-by-question.md").read_text(encoding="utf-8")
QUESTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
CODE = r"^```python\n(.*?)^```$"

# Their calls take three lines at most, too.
REFEREE = [
    "When does gradient descent leave the rank-2 plateau?",
    "With which probability does SGD jump from rank 3 to rank 2?",
    "Does a three-layer network follow the closed form when its inputs are not white?",
]


def code(text: str) -> str:
    found = re.findall(CODE, text, flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def page() -> tuple[dict, list[list[str]]]:
    variables, printed = {}, []
    for block in re.findall(CODE, PAGE, flags=re.MULTILINE | re.DOTALL):
        out = io.StringIO()
        with redirect_stdout(out):
            exec(block, variables)
        printed.append(out.getvalue().splitlines())
    return variables, printed[1:]  # the first block only imports


def test_there_are_twelve_questions_and_those_of_the_referee_come_first():
    titles = [question.splitlines()[0] for question in QUESTIONS]
    assert len(titles) == 12
    assert titles[:3] == REFEREE
    assert all(len(code(question).splitlines()) <= 3 for question in QUESTIONS[:3])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.splitlines()[0])
def test_each_has_a_call_an_answer_of_three_lines_at_most_and_its_assumptions(question):
    answer = question.split("```")[-1].strip()
    assert re.match(r"\*\*Answer\*\*: .*\*\*Assumes\*\*: ", answer, flags=re.DOTALL)
    assert len(answer.partition("**Assumes**")[0].splitlines()) <= 3
    assert code(question)


@pytest.mark.parametrize("number", range(12), ids=[question.splitlines()[0] for question in QUESTIONS])
def test_what_is_printed_is_what_the_page_says(page, number):
    comments = re.findall(r"^\s*print\(.*\)\s+# (.*)$", code(QUESTIONS[number]), flags=re.MULTILINE)
    said = [part for comment in comments for part in comment.split(", then ")]
    assert len(said) == len(page[1][number])
    for told, line in zip(said, page[1][number], strict=True):
        assert told.startswith("about ") or told == line


def test_what_chance_decides_is_near_what_the_page_says(page):
    variables, _ = page
    low, high = variables["jump"].interval
    assert low < 0.46 < high  # 92 of 200 replicas of another seed jumped
    assert 200 < variables["np"].exp(variables["np"].polyval(variables["line"], 1 / 0.14)) < 6000
