"""A completion told to people: in plain sentences, and as one page that needs no network."""

from rankscape.reports.subject import Subject
from rankscape.reports.words import explain
from rankscape.reports.writing import check_report, report

__all__ = ["Subject", "check_report", "explain", "report"]
