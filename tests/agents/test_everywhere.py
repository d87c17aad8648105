"""Many calls of one function: in this process, and as Ray tasks."""

import os

import pytest
from semcast.agents.ray_hosting import connected, run_everywhere
from semcast.bus import keys
from semcast.bus.errors import Missing, RunFailed

WORDS = ["a", "b", "c"]


def test_one_job_calls_in_this_process_and_in_order() -> None:
    seen: list[str] = []

    def note(word: str) -> str:
        seen.append(word)
        return word.upper()

    answers = run_everywhere(note, WORDS, jobs=1)
    assert next(answers) == (0, "A") and seen == ["a"]  # nothing is called before it is wanted
    assert list(answers) == [(1, "B"), (2, "C")]


def test_a_cluster_that_is_not_there_is_told_soon() -> None:
    with pytest.raises(Missing, match="127.0.0.1:9"):
        list(run_everywhere(keys.uniform, WORDS, address="127.0.0.1:9"))


@pytest.mark.slow
def test_ray_answers_the_same_and_tells_failures() -> None:
    assert sorted(run_everywhere(keys.uniform, WORDS, jobs=2)) == list(run_everywhere(keys.uniform, WORDS, jobs=1))
    with pytest.raises(RunFailed, match="Ray task"):
        list(run_everywhere(keys.uniform, ["a", None], jobs=2))


@pytest.mark.slow
def test_workers_stay_while_connected() -> None:
    def pid(_: str) -> int:  # travels by value: workers cannot import tests
        return os.getpid()

    with connected(jobs=1):
        assert list(run_everywhere(pid, ["a"], jobs=1)) == [(0, os.getpid())]
    with connected(jobs=2):
        one, two = ({pid for _, pid in run_everywhere(pid, WORDS, jobs=2)} for _ in range(2))
        assert one & two
    import ray

    assert not ray.is_initialized()
