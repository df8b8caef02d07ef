"""The file that `complete --model` writes."""

from pathlib import Path

from rankscape.errors import InputError

ENDING = ".npz"


def check_model(path: Path) -> None:
    """Raise unless a model can be written at `path`."""
    from rankscape.ground.kinds import MODEL
    from rankscape.ground.storage import check_writable

    if path.suffix.lower() != ENDING:
        raise InputError(f"--model {path}: a model is an NPZ file; end its name in {ENDING}.")
    check_writable(path, [MODEL])
