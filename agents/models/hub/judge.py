"""A published CLIP in the place of `semcast.agents.models.clip_judge.ClipJudge`; only metrics ask it, never an agent."""

from ....bus.errors import BadInput
from .clip import Clip
from .settings import HubSettings
from .snapshot import find
from .table import JUDGE, PARTS, pick


def published_judge(settings: HubSettings) -> Clip:
    """The CLIP that the settings name as judge.

    Raises:
        Missing: It is not here.
        BadInput: None is named, or it has the weights of a part that it would judge.
    """
    if not settings.judge:
        raise BadInput("no published judge is named", 'for instance models.hub.judge = "clip-b16"')
    chosen = pick(JUDGE, settings.judge)
    same = [part for part in PARTS if settings.pick(part).id == chosen.id]
    if same:
        raise BadInput(f"models.hub.judge: {chosen} is also the {same[0]}", "a judge never shares weights with what it judges")
    return Clip(find(chosen, settings.folder), settings)
