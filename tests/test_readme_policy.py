"""The policy of the README is one, and does what it says."""

import re
from pathlib import Path

from semcast.policies.checks import check_policy
from semcast.policies.registry import load, resolve

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()


def test_the_policy_of_the_readme_passes_the_conformance_kit(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    (tmp_path / "mine.py").write_text(code)
    policy = load(resolve("prompt", "mine.py:BoxesWhenUnsure:boxes_above=0.1", folder=tmp_path))
    assert policy.parameters.boxes_above == 0.1
    check_policy("prompt", policy)
