"""How residuals count: by their squares, or by how far off they are where gross errors and heavy tails mislead."""

from typing import Literal, TypeAlias

# "auto" tries the robust way where tails are heavy, and keeps it where it is better.
LossChoice: TypeAlias = Literal["auto", "squares", "robust"]
