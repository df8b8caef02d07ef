"""``rankscape denoise``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter, validators

from rankscape.cli.outlying import outlying_facts, outlying_words, print_outlying
from rankscape.cli.output import Speech, check_files, number
from rankscape.cli.source import SOURCE, Reading
from rankscape.errors import InputError

if TYPE_CHECKING:
    from rankscape.data.source import Source


def denoise(
    source: Annotated[str, Parameter(help=SOURCE, allow_leading_hyphen=True)],
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    figure: Path | None = None,
    reading: Reading | None = None,
    noise: Annotated[float | None, Parameter(validator=validators.Number(gte=0))] = None,
    loss: Literal["auto", "squares", "robust"] = "auto",
    norm: Literal["frobenius", "operator", "nuclear"] = "frobenius",
    depth: Annotated[int, Parameter(validator=validators.Number(gte=2))] = 3,
    alpha: Annotated[float | None, Parameter(validator=validators.Number(gt=0))] = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    speech: Speech | None = None,
) -> None:
    """Remove the noise of a matrix without holes.

    Nothing is drawn at random: the same file gives the same result.

    Parameters
    ----------
    output
        File for the denoised matrix; its extension chooses the format. Default: here, named after the source.
    figure
        Draw what was kept of each direction to this file (PNG, PDF or SVG).
    noise
        Standard deviation of the noise of an entry; read off the singular values if left out.
    loss
        How residuals count; auto tries a robust way where they have heavy tails.
    norm
        The norm of the error that is to be small.
    depth
        Number of factors.
    alpha
        Scale of the start; tuned to the noise if left out.
    force
        Replace files that hold something else than an earlier answer to the same source.
    """
    from rankscape import files
    from rankscape.data.source import open_source
    from rankscape.estimators import DeepMatrixDenoiser
    from rankscape.files.standing import check_denoised, check_marked
    from rankscape.plot import check_figure

    opened = open_source(source, **(reading or Reading()).settings())
    X = opened.table.dense()
    if missing := int(np.isnan(X).sum()):
        raise InputError(f"{source}: {missing:,} of {X.size:,} cells are missing; `rankscape complete` fills them.")
    output = files.check_writable(output or Path(f"{opened.stem}-denoised{opened.extension}"))
    check_files({"the source itself": opened.path}, {"--output": output, "--figure": figure})
    check_denoised(output, opened.table, force=force)
    if figure is not None:
        check_figure(figure)
        check_marked(figure, force=force)
    model = DeepMatrixDenoiser(depth, noise=noise, loss=loss, norm=norm, alpha=alpha).fit(X)
    files.write(output, model.transform(X), opened.table.renewed())
    if figure is not None:
        _draw(model, opened.stem, figure)
    facts = _facts(model, opened, output, figure)
    speech = speech or Speech()
    speech.say(lambda: facts, lambda: _rows(model, facts))
    if not (speech.json or speech.quiet):
        print_outlying(model.outliers_, opened.table)


def _draw(model: Any, name: str, path: Path) -> None:
    from rankscape import plot

    title = f"{name}: rank {model.rank_}, noise {number(model.noise_)}"
    plot.save(plot.draw(plot.denoising_panels(model.path_, model.stop_step_), title=title), path)


def _facts(model: Any, opened: "Source", output: Path, figure: Path | None) -> dict[str, Any]:
    certificate = model.certificate_
    return {
        "source": opened.name,
        "shape": [len(model.row_noise_), len(model.column_noise_)],
        "rank": model.rank_,
        "noise": model.noise_,
        "noise_given": certificate.given,
        "noise_differs": certificate.unequal,
        "expected_error": certificate.expected_error,
        "outliers": outlying_facts(model.outliers_, opened.table),
        "singular_values": model.singular_values_,
        "stop_step": model.stop_step_,
        "certificate": asdict(certificate) | {"words": str(certificate)},
        "output": str(output),
        "figure": None if figure is None else str(figure),
    }


def _rows(model: Any, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The table for people."""
    certificate = model.certificate_
    level = f"{number(model.noise_)}, {'as given' if certificate.given else 'read off the singular values'}"
    sharp = ", by the whole spectrum: no rank is sharp" if certificate.by_spectrum else ""
    rows = [
        ("matrix", f"{facts['source']}, {facts['shape'][0]} x {facts['shape'][1]}"),
        ("rank kept", f"{model.rank_}{sharp}"),
        ("noise of an entry", level + (", differing between rows and columns" if certificate.unequal else "")),
        ("error to expect", f"{number(certificate.expected_error)} of an entry of the result"),
        ("trust", str(certificate)),
        *([("look wrong", outlying_words(model.outliers_))] if len(model.outliers_) else []),
        ("written", facts["output"]),
    ]
    return rows if facts["figure"] is None else [*rows, ("picture", facts["figure"])]
