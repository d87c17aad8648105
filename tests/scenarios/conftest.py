"""The folder of the handmade run, for the tests of what reads runs."""

import shutil
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


@pytest.fixture
def damaged(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the recorded run of the test's file or folder, with one bit of the first records of its trace changed."""
    copy = tmp_path / "damaged"
    shutil.copytree(recorded, copy)
    path = copy / "trace/w0-0.mcap"
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"\x28\xb5\x2f\xfd") + 64] ^= 1  # behind the magic number of the first packed chunk
    path.write_bytes(raw)
    return copy
