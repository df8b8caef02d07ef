"""How ours stands in one fit: against the best peer, against the clock, and against what was said."""

from dataclasses import dataclass

from store import Record

TIE = 0.03
"""Errors within 3 % are a tie."""

SLOWER, GRACE = 5.0, 2.0
"""Times the fastest peer that is as accurate, and CPU seconds that nobody minds."""

SILENT = 2.0
"""Times the error that was stated, from which on a trusted answer is silently wrong."""


@dataclass(frozen=True)
class Standing:
    """One fit beside its peers; `best` is None where no peer ended."""

    record: Record

    @property
    def ours(self) -> dict:
        """What was measured of ours; empty if it was not."""
        return self.record.get("ours") or {}

    @property
    def error(self) -> float | None:
        """Of the judged cells; None where the fit failed."""
        return self.ours.get("error")

    @property
    def peers(self) -> dict[str, dict]:
        """Those that ended."""
        return {name: peer for name, peer in self.record["peers"].items() if peer.get("error") is not None}

    @property
    def best(self) -> str | None:
        """The peer with the smallest error, picked after the fact."""
        return min(self.peers, key=lambda name: self.peers[name]["error"], default=None)

    def over(self, peer: str | None) -> float | None:
        """Our error over that of a peer; below the floor of a case all are alike."""
        if self.error is None or peer not in self.peers:
            return None
        floor = self.record["floor"]
        return max(self.error, floor) / max(self.peers[peer]["error"], floor)

    @property
    def ratio(self) -> float | None:
        """Our error over that of the best peer; a fit that failed has none."""
        return self.over(self.best)

    @property
    def overtime(self) -> float:
        """CPU seconds beyond what the rule of time allows: zero or less is fine."""
        if self.error is None:
            return 0.0
        floor = self.record["floor"]
        alike = [p["seconds"] for p in self.peers.values() if p["error"] <= (1 + TIE) * max(self.error, floor)]
        return self.ours["seconds"] - max(SLOWER * min(alike), GRACE) if alike else 0.0

    @property
    def silent(self) -> bool:
        """Trusted, and wrong by more than twice what was said."""
        over = self.ours.get("over_stated")
        return bool(self.ours.get("trusted")) and over is not None and over > SILENT


def count(standings: list[Standing]) -> dict[str, int]:
    """Wins, ties, losses by more than 3 and by more than 10 %; a fit that failed is lost."""
    ratios = [float("inf") if s.ratio is None else s.ratio for s in standings if s.ours and s.best]
    return {
        "fits": len(ratios),
        "wins": sum(ratio < 1 - TIE for ratio in ratios),
        "ties": sum(1 - TIE <= ratio <= 1 + TIE for ratio in ratios),
        "losses": sum(ratio > 1 + TIE for ratio in ratios),
        "losses by > 10 %": sum(ratio > 1.1 for ratio in ratios),
    }
