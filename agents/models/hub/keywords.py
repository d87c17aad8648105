"""Role ``keywords`` of the hub profile: a published language model, shown two examples, names the user's goal and keywords."""

from collections.abc import Sequence

from ..roles import Intent, Interpret
from .language import Language
from .settings import HubSettings
from .snapshot import Snapshot, digest

GOAL_TOKENS, KEYWORD_TOKENS, MOST_KEYWORDS = 16, 24, 8
EXAMPLES = """Message: have a look at my dog in the garden
Picture: a white dog and a red ball on grass
Goal: show my dog on grass
Keywords: dog, white, grass

Message: where did you leave the car?
Picture: a blue car and two trees on a street
Goal: locate the blue car
Keywords: car, blue, street

"""
"""Goals begin with a kind of `semcast.agents.scenes.goals.KINDS`, from which the sender's task follows."""


class HubKeywords:
    """Implements `semcast.agents.models.roles.Model`; calls run one by one, so that a result never depends on companions."""

    role = "keywords"
    batch = 1

    def __init__(self, parts: Sequence[Snapshot], settings: HubSettings) -> None:
        (snapshot,) = parts
        self.name = snapshot.pick.short
        self.sha256 = digest(parts, settings.kept(self.role))
        self._language = Language(snapshot, settings)

    def group(self, arguments: Interpret) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Interpret) -> int:
        """Two lines are written; each is reckoned with the whole window of the language model."""
        return 2 * self._language.flops

    def run(self, arguments: Sequence[Interpret]) -> list[Intent]:
        """Goal and keywords in lower case; at most `MOST_KEYWORDS` different single words, in the order of the model."""
        return [self._intent(call) for call in arguments]

    def _intent(self, call: Interpret) -> Intent:
        text = f"{EXAMPLES}Message: {call.message}\nPicture: {call.caption}\nGoal:"
        goal = self._language.line(text, GOAL_TOKENS).lower()
        listed = self._language.line(f"{text} {goal}\nKeywords:", KEYWORD_TOKENS).lower()
        return Intent(goal, list(dict.fromkeys(listed.replace(",", " ").split()))[:MOST_KEYWORDS])
