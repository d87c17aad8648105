"""One hub cache with a tiny random-weight checkpoint for every row of the table, made once for all tests of the folder."""

from pathlib import Path

import pytest
import torch

from .checkpoints import make_all


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the cache; nobody changes it."""
    return make_all(tmp_path_factory.mktemp("hub"))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """As in a run; small networks are also faster so."""
    torch.set_num_threads(1)
