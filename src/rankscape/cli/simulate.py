"""``rankscape simulate``."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from rankscape.cli.app import DONE, FAILED
from rankscape.cli.output import Speech, check_files, number
from rankscape.cli.runs import check_output, write_run
from rankscape.config import SimulationConfig, make_config, read_toml
from rankscape.errors import InputError


def simulate(
    file: Path | None = None,
    /,
    *,
    settings: Annotated[SimulationConfig | None, Parameter(name="*", allow_leading_hyphen=True)] = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    figure: Path | None = None,
    checkpoint: Path | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    speech: Speech | None = None,
) -> int:
    """Train a deep matrix factorization and record its rank.

    Parameters
    ----------
    file
        A TOML file with settings as keys, such as `learning_rate = 1e-3`; options override it.
    output
        Write the trajectory as its name ends: .zarr to load and continue it, .nc, .csv, .parquet for other programs.
    figure
        Draw spectrum, rank and errors to this file (PNG, PDF or SVG).
    checkpoint
        Save the run here every few seconds, and continue from here when it exists.
    force
        Replace what stands under --output or --figure, also where that is something else.
    """
    config = _merge(file, settings)
    _check_files(file, config, output, figure, checkpoint, force)
    if output is not None:
        check_output(output, config, force)
    from rankscape.run.watchers.observers import shown_on

    speech = speech or Speech()
    with speech.meter() as bar, _options_as_typed():
        run = config.run(checkpoint=checkpoint, progress=shown_on(bar))
        facts = _facts(run, config)
        bar.update("writing")
        if output is not None:
            facts["output"] = write_run(run, output)
        if figure is not None:
            from rankscape import plot

            facts["figure"] = str(plot.save(plot.draw(plot.trajectory_panels(run.dataset)), figure))
    speech.say(lambda: facts, lambda: _rows(facts))
    return DONE if run.outcome.good else FAILED


def _check_files(
    file: Path | None,
    config: SimulationConfig,
    output: Path | None,
    figure: Path | None,
    checkpoint: Path | None,
    force: bool,
) -> None:
    """Refuse what cannot be written before hours of work, not after."""
    read = {"FILE": file, "the file of --target": config.target, "the file of --entries": config.entries}
    check_files(read, {"--output": output, "--figure": figure, "--checkpoint": checkpoint})
    if figure is not None:
        from rankscape.files.standing import check_marked
        from rankscape.plot import check_figure

        check_figure(figure)
        check_marked(figure, force=force)


@contextmanager
def _options_as_typed() -> Iterator[None]:
    """Errors name settings as Python does, `learning_rate`; here they are options, --learning-rate."""
    try:
        yield
    except InputError as error:
        names = "|".join([*SimulationConfig.model_fields, "checkpoint"])
        text = re.sub(rf"`({names})`", lambda found: "--" + found[1].replace("_", "-"), str(error))
        raise type(error)(text.replace("engine='auto'", "--engine auto")) from error


def _merge(file: Path | None, settings: SimulationConfig | None) -> SimulationConfig:
    given = settings.model_dump(exclude_unset=True) if settings is not None else {}
    if file is None:
        if not given:
            raise InputError("Nothing to simulate: name a TOML file, or give --eigenvalues, --target or --entries.")
        return make_config(given, "command line")
    # Options win over the file, and only those that were given: defaults must not.
    return make_config(read_toml(file) | given, str(file))


def _facts(run: Any, config: SimulationConfig) -> dict[str, Any]:
    attributes, factors = run.dataset.attrs, run.factors
    facts = {
        "outcome": attributes["outcome"],
        "message": attributes["message"],
        "shape": [factors[-1].shape[0], factors[0].shape[1]],
        "depth": len(factors),
        "steps": config.steps,
        "engine": attributes["engine"],
        "engine_why": attributes["engine_why"],
    }
    if not run.dataset.sizes["step"]:  # diverged before the first record
        return facts
    if "jumps" in run.dataset:
        facts["jumps"] = run.dataset.jumps.values.tolist()
    last = run.dataset.isel(step=-1)
    facts |= {"last_record": int(last.step), "loss": float(last.loss)}
    if "heldout_loss" in last:
        facts["heldout_loss"] = float(last.heldout_loss)
    return facts | {
        "effective_rank": float(last.effective_rank),
        "numerical_rank": int(last.numerical_rank),
        # Ten say what there is to see; all of them are in the stored trajectory.
        "singular_values": last.singular_values.values[:10].tolist(),
    }


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The table for people."""
    # Of a run that diverged a warning has said it; `engine_why` begins with the engine.
    for_machines = ("engine",) if facts["outcome"] == "stopped" else ("engine", "message")
    people = {name.removesuffix("_why"): v for name, v in facts.items() if name not in for_machines}
    return [(name.replace("_", " "), _text(v)) for name, v in people.items()]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list) and value and isinstance(value[0], list):  # jumps
        return ", ".join(f"step {step}: {before} to {after}" for step, before, after in value)
    if isinstance(value, list):
        return ", ".join(_text(v) for v in value)
    return str(value)
