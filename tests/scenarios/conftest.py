"""The folder of the handmade run, for the tests of what reads runs."""

from pathlib import Path

import pytest
from semcast.scenarios.folder import write_run

from .tale import write_tale


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The folder of the handmade run."""
    folder = tmp_path / "tale-001"
    folder.mkdir()
    write_tale(folder)
    write_run(folder, {"status": "ok", "scenario": "tale", "requests": 2, "digest": "ab" * 16})
    return folder
