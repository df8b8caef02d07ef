"""Credit: BibTeX for rankscape and for the papers whose mathematics it computes."""

from rankscape import __version__

_ENTRIES = {
    "rankscape": r"""@software{rankscape,
  title   = {rankscape: deep matrix factorization and the rank of the product while it is trained},
  author  = {{The rankscape developers}},
  version = {VERSION},
  year    = {2026}
}""".replace("VERSION", __version__),
    "chou2024": r"""@article{chou2024gradient,
  title   = {Gradient descent for deep matrix factorization: Dynamics and implicit bias towards low rank},
  author  = {Chou, Hung-Hsu and Gieshoff, Carsten and Maly, Johannes and Rauhut, Holger},
  journal = {Applied and Computational Harmonic Analysis},
  volume  = {68},
  pages   = {101595},
  year    = {2024}
}""",
    "wang2024": r"""@inproceedings{wang2024implicit,
  title     = {Implicit bias of {SGD} in {L2}-regularized linear {DNNs}: One-way jumps from high to low rank},
  author    = {Wang, Zihan and Jacot, Arthur},
  booktitle = {International Conference on Learning Representations},
  year      = {2024}
}""",
}


def bibtex() -> str:
    """All entries, separated by blank lines.

    Examples
    --------
    >>> print(bibtex().splitlines()[0])
    @software{rankscape,
    """
    return "\n\n".join(_ENTRIES.values())
