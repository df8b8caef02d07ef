"""What a search may try."""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Options:
    """What the search may use.

    Attributes
    ----------
    kinds : tuple of str
        Offsets to try, from simple to rich.
    depths : tuple of int
        Of the factorization; the first one climbs.
    width : int
        Most directions.
    exact : float
        Root mean square residual, on entries of rms 1, that counts as none.
    seed : int
        Of SGD and of the sampler.
    path : {"minima", "sgd"}
        How each ridge of the falling path is followed.
    """

    kinds: tuple[str, ...]
    depths: tuple[int, ...]
    width: int
    exact: float
    seed: int
    path: str = "minima"
