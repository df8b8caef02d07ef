"""The jobs that batch systems would be given, and addresses of schedulers; SLURM itself is in `test_slurm`."""

import socket

import pytest
from test_sweep_store import BASE

import rankscape as rs
from rankscape.cli.app import BAD_INPUT, start
from rankscape.errors import InputError
from rankscape.sweeps.clusters import BATCH_SYSTEMS, NEVER_PAUSE, job_cluster
from rankscape.sweeps.worker import ONE_THREAD

OPTIONS = {"queue": "long", "cores": 3, "memory": "6GB", "walltime": "01:30:00", "interface": "lo"}

ASKED = {
    "slurm": ["#SBATCH -p long", "#SBATCH --cpus-per-task=3", "#SBATCH --mem=6G", "#SBATCH -t 01:30:00"],
    "pbs": ["#PBS -q long", "#PBS -l select=1:ncpus=3:mem=5723MB", "#PBS -l walltime=01:30:00"],
    "lsf": ["#BSUB -q long", "#BSUB -n 3", "#BSUB -M 6000000", "#BSUB -W 01:30:00"],
    "sge": ["#$ -q long", "#$ -pe smp 3", "#$ -l h_vmem=6G", "#$ -l h_rt=01:30:00"],
}
"""How each system is asked for them."""

OWN = {"sge": {"resource_spec": "h_vmem=6G", "job_extra_directives": ["-pe smp 3"]}}
"""SGE has no words for cores and memory that all its clusters know."""

pytestmark = pytest.mark.filterwarnings("ignore")  # Dask warns of clusters that it could not make


@pytest.fixture(params=BATCH_SYSTEMS)
def kind(request):
    return request.param


def test_a_job_asks_for_what_the_user_asked_for_and_a_process_for_each_core(kind):
    options = OPTIONS | OWN.get(kind, {}) | {"job_script_prologue": ["module load python"]}
    with job_cluster(kind, options) as cluster:
        script = cluster.job_script().splitlines()
    assert not set(ASKED[kind]) - set(script)
    for name, value in (ONE_THREAD | NEVER_PAUSE).items():
        assert f"export {name}={value}" in script
    assert "module load python" in script
    command = next(line for line in script if "dask_worker" in line)
    assert all(option in command for option in ("--nthreads 1 ", "--nworkers 3 ", "--memory-limit 1.86GiB"))


def test_options_that_a_cluster_does_not_know_are_refused(kind):
    with pytest.raises(InputError, match=r"`cluster`: \w+Cluster refuses .*quality"):
        job_cluster(kind, OPTIONS | {"quality": "high"})


def test_an_address_where_nobody_speaks_is_refused_soon(tmp_path, monkeypatch):
    monkeypatch.setattr("rankscape.sweeps.clusters.ANSWER", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(InputError, match=f"No Dask scheduler answers at {address}"):
            rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "grid.zarr", executor=address)
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="missing port number"):
        rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "grid.zarr", executor="tcp://hello")


def test_a_batch_system_that_is_not_here_is_refused_before_any_work(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    command = BATCH_SYSTEMS[kind].submit
    with pytest.raises(InputError, match=f"submits jobs with '{command}', and there is no such command here"):
        rs.sweep(BASE, {"alpha": [0.1]}, store=tmp_path / "grid.zarr", executor=kind)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "grid.toml").write_text("eigenvalues = [1]\nsteps = 1\n[over]\nalpha = [0.1]\n")
    assert start(["sweep", str(tmp_path / "grid.toml"), "--executor", kind]) == BAD_INPUT
    assert "no such command here" in capsys.readouterr().err
    assert not (tmp_path / "grid.zarr").exists()
