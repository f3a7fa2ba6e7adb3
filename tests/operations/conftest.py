"""Fixtures of tests that break and mend whole servers."""

import pytest

from tests.operations.commands import done


@pytest.fixture(scope="session")
def static_files() -> None:
    """The pages of a real web server need them; `make run` collects them, too."""
    done("collectstatic", "--no-input", "--verbosity", "0")
