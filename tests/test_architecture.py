"""The house keeps its order: imports run one way, the door is light, every public name is documented."""

import ast
import inspect
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rankscape
from rankscape.ground import parts

SOURCE = Path(rankscape.__file__).parent

# Floors from the ground up: a module may import from its own floor and from those below.
FLOORS = [
    {"errors"},
    {"ground"},
    {"entries", "theory", "plot"},
    {"problem", "files", "rates"},
    {"factorization", "data"},
    {"initialization", "dynamics", "observe"},
    {"engine"},
    {"solvers"},
    {"run"},
    {"estimators", "config", "falling", "sweeps"},
    {"papers", "reports"},
    {"phases"},
    {"explore"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {name: level for level, names in enumerate(FLOORS) for name in names}
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imported(path: Path) -> set[str]:
    """What a file imports at run time, also inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names} if module == "rankscape" else {module}
    return names


def _imported_rooms(path: Path) -> set[str]:
    """The rooms of rankscape that a file imports at run time."""
    rooms = {name.split(".")[1] for name in _imported(path) if name.startswith("rankscape.")}
    return {FACE.get(room, room) for room in rooms} - {"__version__"}


# Names of the public face that are imported from `rankscape` itself, and the room behind them.
FACE = {name: module.split(".")[0] for name, module in rankscape._MODULE.items()}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_one_way(path):
    here = FLOOR_OF[_room(path)]
    above = {room for room in _imported_rooms(path) if FLOOR_OF[room] > here}
    assert not above, f"{_room(path)} (floor {here}) imports {above} from above"


# Within the largest rooms, the same: each part uses those before it.
BEHIND = ["ready", "models", "fits", "methods", "candidates", "search", "competition", "trust", "completed"]
SOLVERS = ["conditioning", "least_squares", "descent", "posterior", "filling", "full_covariance", "gibbs", "packed"]
SOLVERS += ["neighbours", "noise"]
WITHIN = {"estimators/completion": BEHIND, "solvers": SOLVERS}


def _parts(room: Path) -> set[str]:
    """Rooms and files of a room."""
    return {path.stem for path in room.iterdir()} - {"__pycache__", "__init__"}


@pytest.mark.parametrize(("room", "part"), [(room, part) for room, parts in WITHIN.items() for part in parts])
def test_imports_within_a_room_run_one_way(room, part):
    here, name = SOURCE / room, f"rankscape.{room.replace('/', '.')}."
    for path in (here / part).rglob("*.py") if (here / part).is_dir() else [here / f"{part}.py"]:
        used = {one.removeprefix(name).split(".")[0] for one in _imported(path) if one.startswith(name)}
        above = used & set(WITHIN[room][WITHIN[room].index(part) + 1 :])
        assert not above, f"{path.relative_to(here)} imports {above} from above"


def test_no_part_of_a_room_is_forgotten():
    assert _parts(SOURCE / "solvers") == set(SOLVERS)
    behind = SOURCE / "estimators" / "completion"
    assert {part for part in _parts(behind) if (behind / part).is_dir()} == set(BEHIND)


def test_plot_never_imports_engines():
    rooms = set().union(*(_imported_rooms(path) for path in (SOURCE / "plot").glob("*.py")))
    assert rooms <= {"errors", "ground", "plot"}


def _loaded_by(command: str) -> set[str]:
    report = f"import sys\n{command}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


HEAVY = {
    "jax", "numba", "pandas", "scipy", "xarray", "zarr", "sklearn", "matplotlib", "pyarrow", "optax", "diffrax",
    "narwhals",
}  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "import rankscape",
        "import rankscape.data",
        "from rankscape.cli.app import run, app\n"
        "import io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()): run(lambda: app(['--help'], result_action='return_value'))",
    ],
    ids=["package", "data", "help"],
)
def test_the_door_is_light(command):
    assert not _loaded_by(command) & HEAVY


# What `pip install rankscape` does not bring.
PARTS = {name for names in parts.PARTS.values() for name in names}

LIGHT = """
import sys

class Absent:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent)
import numpy as np
rng = np.random.default_rng(0)
whole = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 30))
seen = np.where(rng.random(whole.shape) < 0.6, whole, np.nan)
"""

COMPLETED = """
import rankscape as rs
done = rs.complete(seen)
done.save("done.npz")
again = rs.CompletedMatrix.load("done.npz")
assert again.rank == done.rank == 2 and np.array_equal(again.path.rank, done.path.rank)
assert rs.plot.draw(rs.plot.trajectory_panels(done.trajectory))
assert rs.theory.plateaus([5.0, 3.0], depth=3, alpha=0.1, learning_rate=1e-3)
"""

ESTIMATED = """
from rankscape.estimators import DeepMatrixCompletion, DeepMatrixDenoiser
model = DeepMatrixCompletion().fit(seen)
model.save("model.npz")
assert np.array_equal(DeepMatrixCompletion.load("model.npz").predict([0], [0]), model.predict([0], [0]))
assert DeepMatrixDenoiser().fit(whole + 0.1 * rng.normal(size=whole.shape)).rank_ == 2
"""

REFUSED = """
import rankscape as rs
try:
    {call}
except rs.errors.MissingPart as error:
    print(error)
"""


def _in_a_light_installation(code: str, folder: Path, *more: str) -> str:
    command = LIGHT.format(blocked=sorted(PARTS.union(more))) + code
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, cwd=folder)
    assert not done.returncode, done.stderr
    return done.stdout


def test_completing_needs_no_part_and_no_scikit_learn(tmp_path):
    _in_a_light_installation(COMPLETED, tmp_path, "sklearn")


def test_estimators_of_completion_and_denoising_need_no_part(tmp_path):
    _in_a_light_installation(ESTIMATED, tmp_path)


@pytest.mark.parametrize(
    "call",
    [
        "rs.simulate(rs.Estimation(eigenvalues=[2.0, 1.0]), initialization=None, dynamics=None, steps=10)",
        "rs.sweep",
        "rs.complete(seen).path.dataset()",
        "rs.complete(seen, path='sgd')",
        "rs.estimators.DeepMatrixSensing().fit(rng.normal(size=(9, 4, 4)), rng.normal(size=9))",
        "rs.Objective(np.sum, (2, 2)).gradient(np.ones((2, 2)))",
    ],
)
def test_a_missing_part_is_one_sentence_with_the_command_that_brings_it(call, tmp_path):
    said = _in_a_light_installation(REFUSED.format(call=call), tmp_path)
    assert re.fullmatch(r"[^\n]* needs the package \w+: pip install 'rankscape\[simulate\]'\n", said)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["simulate", "--eigenvalues", "2,1"], "simulate"),
        (["sweep", "grid.toml"], "simulate"),
        (["complete", "a.parquet"], "files"),
    ],
)
def test_a_missing_part_is_exit_code_2_on_the_command_line(arguments, part, tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    said = _in_a_light_installation(
        f"from rankscape.cli.app import start\nsys.stderr = sys.stdout\nprint(start({arguments!r}))", tmp_path
    )
    assert re.fullmatch(rf"error: [^\n]* needs the package \w+: pip install 'rankscape\[{part}\]'\n2\n", said)


def test_the_parts_are_the_extras_of_the_package():
    """Names of distributions and of modules differ in their dashes only."""
    extras = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = lambda lines: {re.split(r"[<>=!\[;]", line)[0].strip().replace("-", "_") for line in lines}
    for part, modules in parts.PARTS.items():
        assert set(modules) <= named(extras["optional-dependencies"][part])
    assert not PARTS & named(extras["dependencies"])


def test_every_public_name_is_there_sorted_and_documented():
    assert rankscape.__all__ == sorted(rankscape.__all__)
    for name in rankscape.__all__:
        assert inspect.getdoc(getattr(rankscape, name)), name


def test_type_checkers_see_the_names_that_exist():
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    declared = {(node.module, alias.name) for node in imports for alias in node.names}
    names = {(f"rankscape.{module}", name) for name, module in rankscape._MODULE.items()}
    assert declared == names | {("rankscape", room) for room in rankscape._ROOMS}
    others = {node.target.id for node in block.body if isinstance(node, ast.AnnAssign)}
    assert others == {"__version__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_text_is_read_and_written_in_an_encoding_that_is_named(path):
    """The default is that of the machine: a file written on Linux would not be read on Windows."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and not any(word.arg == "encoding" for word in node.keywords):
            called = ast.unparse(node.func)
            modes = {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
            assert not called.endswith((".read_text", ".write_text")), f"line {node.lineno}: {ast.unparse(node)}"
            if called == "open" or called.endswith("path.open"):
                assert any("b" in str(mode) for mode in modes), f"line {node.lineno}: {ast.unparse(node)}"


# -- sizes: files and functions that can be read at once --------------------------------------------------

# Lines of a file, lines of a function's body without its docstring, lines of the median function.
LONGEST_FILE, LONGEST_BODY, MEDIAN_FUNCTION = 277, 58, 7

# Maintainability index of Coleman and Oman (1994), from 0 to 100; 20 and more is called maintainable.
LEAST_INDEX = 30

FUNCTIONS = [
    (path, node)
    for path in MODULES
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
]


def _lines(first: ast.stmt, last: ast.stmt) -> int:
    decorators = getattr(first, "decorator_list", [])
    start = min(node.lineno for node in [first, *decorators])
    return (last.end_lineno or start) - start + 1


def test_no_file_is_long():
    lines = {str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert not {name: count for name, count in lines.items() if count > LONGEST_FILE}


def test_no_function_is_long():
    for path, function in FUNCTIONS:
        body = function.body[1:] if ast.get_docstring(function) else function.body
        assert not body or _lines(body[0], body[-1]) <= LONGEST_BODY, f"{path.name}: {function.name}"
    assert statistics.median(_lines(function, function) for _, function in FUNCTIONS) <= MEDIAN_FUNCTION


def test_every_file_can_be_maintained():
    metrics = pytest.importorskip("radon.metrics", reason="radon is in the group lint")
    for path in MODULES:
        assert metrics.mi_visit(path.read_text(encoding="utf-8"), multi=True) >= LEAST_INDEX, path


# -- the page about the house ----------------------------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_page_shows_the_floors_as_they_are_enforced():
    chain = re.search(r"^```\n(errors -> .*?)^```$", PAGE, re.M | re.S)
    assert chain, "the imports, from the ground up"
    floors = [set(floor.replace(",", " ").split()) for floor in chain[1].split("->")]
    assert floors == FLOORS[:-1]


def _described(part: str) -> list[str]:
    """The rooms in the first columns of tables, in their order."""
    described = re.findall(r"^\| (`[^|]*`) \|", part, re.M)
    return [name.strip("/").removesuffix(".py") for cell in described for name in re.findall(r"`([\w./]+)`", cell)]


def test_the_page_describes_every_room_and_nothing_else():
    house, _, rest = PAGE.partition("## Completion\n")
    assert set(_described(house)) == {_room(path) for path in MODULES} - {"__main__"}
    assert _described(rest.partition("\n## ")[0]) == BEHIND


def test_the_front_hall_holds_what_a_newcomer_needs():
    hall = {path.stem for path in SOURCE.glob("*.py")}
    assert hall == {"__init__", "__main__", "errors", "factorization", "initialization", "observe"}


ROOMS = [path.parent for path in SOURCE.rglob("__init__.py")]


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_every_room_says_what_it_is_for(room):
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text()))


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_a_table_of_contents_names_every_part(room):
    """A table that names two files of its room is one of contents, and may forget none."""
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    parts = {path.stem for path in room.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    parts -= {"__init__", "__main__"}
    named = parts & set(re.findall(r"`(\w+)(?:/|\.\w+)?`", said))
    assert "====" not in said or len(named) < 2 or named == parts, f"{room.name} does not name {parts - named}"
