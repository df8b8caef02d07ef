"""The house keeps its order: imports run one way, the door is light, every public name is documented."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rankscape

SOURCE = Path(rankscape.__file__).parent

# Floors from the ground up: a module may import from its own floor and from those below.
FLOORS = [
    {"errors"},
    {"ground"},
    {"entries", "theory"},
    {"problem", "files", "rates"},
    {"factorization", "data"},
    {"initialization", "dynamics", "observe"},
    {"engine"},
    {"solvers"},
    {"run"},
    {"estimators", "plot", "config", "falling", "sweeps"},
    {"papers", "reports"},
    {"phases"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {name: level for level, names in enumerate(FLOORS) for name in names}
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imported_rooms(path: Path) -> set[str]:
    """The rooms of rankscape that a file imports at run time, also inside functions."""
    tree = ast.parse(path.read_text())
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
    rooms = {name.split(".")[1] for name in names if name.startswith("rankscape.")}
    return {FACE.get(room, room) for room in rooms} - {"__version__"}


# Names of the public face that are imported from `rankscape` itself, and the room behind them.
FACE = {name: module.split(".")[0] for name, module in rankscape._MODULE.items()}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_one_way(path):
    here = FLOOR_OF[_room(path)]
    above = {room for room in _imported_rooms(path) if FLOOR_OF[room] > here}
    assert not above, f"{_room(path)} (floor {here}) imports {above} from above"


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


# -- the page about the house ----------------------------------------------------------------------------

PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_page_shows_the_floors_as_they_are_enforced():
    chain = re.search(r"^```\n(errors -> .*?)^```$", PAGE, re.M | re.S)
    assert chain, "the imports, from the ground up"
    floors = [set(floor.replace(",", " ").split()) for floor in chain[1].split("->")]
    assert floors == FLOORS[:-1]


def test_the_page_describes_every_room_and_nothing_else():
    described = set(re.findall(r"^\| (`[^|]*`) \|", PAGE, re.M))
    rooms = {name.strip("/").removesuffix(".py") for cell in described for name in re.findall(r"`([\w./]+)`", cell)}
    there = {_room(path) for path in MODULES} - {"__main__"}
    assert rooms == there


def test_the_front_hall_holds_what_a_newcomer_needs():
    hall = {path.stem for path in SOURCE.glob("*.py")}
    assert hall == {"__init__", "__main__", "errors", "factorization", "initialization", "observe", "rates"}


ROOMS = [path.parent for path in SOURCE.rglob("__init__.py")]


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_every_room_says_what_it_is_for(room):
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
