"""Counts of a run as JSON, for `make test`: written to the file that MEP_TEST_REPORT names."""

import json
import os
from pathlib import Path

import pytest


class Report:
    """Collects each test's outcome; a skipped one with its reason, because none may be skipped silently."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif report.skipped:
            self.outcomes[report.nodeid] = "skipped"
            self.reasons[report.nodeid] = str(report.longrepr)
        else:
            self.outcomes.setdefault(report.nodeid, "passed")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif report.skipped:
            self.outcomes[report.nodeid] = "skipped"
            self.reasons[report.nodeid] = str(report.longrepr)

    def pytest_sessionfinish(self) -> None:
        target = os.environ.get("MEP_TEST_REPORT")
        if target:
            content = {"outcomes": self.outcomes, "reasons": self.reasons}
            Path(target).write_text(json.dumps(content), encoding="utf-8")
