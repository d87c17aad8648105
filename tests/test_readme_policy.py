"""The policies of the READMEs are such, and do what they say."""

import re
from pathlib import Path

from semcast.policies.checks import check_policy
from semcast.policies.registry import load, resolve

ROOT = Path(__file__).resolve().parent.parent
README, MORE = (ROOT / "README.md").read_text(), (ROOT / "policies" / "README.md").read_text()


def test_the_policy_of_the_readme_passes_the_conformance_kit(tmp_path: Path) -> None:
    code = next(code for code in re.findall(r"```python\n(.*?)```", README, flags=re.S) if "BoxesWhenUnsure" in code)
    (tmp_path / "mine.py").write_text(code)
    policy = load(resolve("prompt", "mine.py:BoxesWhenUnsure:boxes_above=0.1", folder=tmp_path))
    assert policy.parameters.boxes_above == 0.1
    check_policy("prompt", policy)


def test_the_policies_of_the_folders_readme_do_too(tmp_path: Path) -> None:
    first, learning = re.findall(r"```python\n(.*?)```", MORE, flags=re.S)
    (tmp_path / "mine.py").write_text(first + learning)
    for name in ("BoxesWhenGood", "CaptionUntilMisunderstood"):
        check_policy("prompt", load(resolve("prompt", f"mine.py:{name}", folder=tmp_path)))
