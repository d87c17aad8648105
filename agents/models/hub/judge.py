"""A published CLIP in the place of `semcast.agents.models.clip_judge.ClipJudge`; only metrics ask it, never an agent."""

from ....bus.errors import BadInput
from .clip import Clip
from .models import check_judge
from .settings import HubSettings


def published_judge(settings: HubSettings) -> Clip:
    """The CLIP that the settings name as judge.

    Raises:
        Missing: It is not here.
        BadInput: None is named, or it cannot be used; see `check_judge`.
    """
    snapshot = check_judge(settings)
    if snapshot is None:
        raise BadInput("no published judge is named", 'for instance models.hub.judge = "clip-b16"')
    return Clip(snapshot, settings)
