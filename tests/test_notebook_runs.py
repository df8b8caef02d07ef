"""The notebook of the examples runs from top to bottom, and shows tables, pictures and progress."""

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

NOTEBOOK = Path(__file__).parents[1] / "examples" / "notebook.ipynb"


@pytest.mark.filterwarnings("ignore")  # what Jupyter warns of is its own affair
def test_the_notebook_runs_and_shows_what_it_says(tmp_path):
    book = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells)  # outputs are made, not kept
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    shown = [[kind for out in cell.outputs for kind in out.get("data", {})] for cell in code]
    html = ["".join(out.get("data", {}).get("text/html", "") for out in cell.outputs) for cell in code]
    assert "Completed matrix" in html[0]
    assert "film 7" in html[1]
    assert "Certificate of the completion" in html[3]
    assert sum("image/png" in kinds for kinds in shown) == 2
    assert "all 20000 steps" in html[-1]
    assert len(code[0].outputs) > 1  # progress stands above the table
    assert not any(out.output_type == "stream" and out.name == "stderr" for cell in code for out in cell.outputs)
