"""What must fit together where pictures go to groups, or receivers generate (scheme ``aigc-scm``)."""

from collections.abc import Iterator

from ..agents.models.loading import TABLE
from .build import users_of
from .mistakes import Mistake, nearest
from .schema import Scenario

SCHEME = "aigc-scm"
GROUPS = (SCHEME, "traditional")
"""Schemes in which one request can go to several users."""


def group_mistakes(scenario: Scenario) -> Iterator[Mistake]:
    """All of them."""
    users = [user.id for user in users_of(scenario.network)]
    traffic = scenario.traffic
    for path, named in (("traffic.senders", traffic.senders), ("aigc.informed", scenario.aigc.informed)):
        for i, user in enumerate(named):
            if user not in users:
                yield Mistake(f"{path}[{i}]", f"no user {user!r}: {users[0]} to {users[-1]}", nearest(user, users))
    if traffic.recipients >= max(len(users), 2):
        yield Mistake("traffic.recipients", f"{traffic.recipients}, but a sender has {len(users) - 1} others to send to")
    if scenario.scheme != SCHEME:
        if traffic.recipients > 1 and not traffic.unicast and scenario.scheme not in GROUPS:
            reason = f"scheme {scenario.scheme} sends a request to one receiver: traffic.unicast = true, or --scheme {SCHEME}"
            yield Mistake("traffic.recipients", reason)
        return
    if scenario.models.profile == TABLE:
        reason = f'the table has measured no receivers that generate: models.profile = "tiny", or another scheme than {SCHEME}'
        yield Mistake("models.profile", reason)
    if scenario.models.best_of > 1:
        yield Mistake("models.best_of", f"receivers of scheme {SCHEME} make one picture: leave it out")
    for name in ("denoise", "coded_fallback"):
        if getattr(scenario.models, name):
            yield Mistake(f"models.{name}", f"no picture goes down with scheme {SCHEME}, whose receivers make it: leave it out")
    if scenario.models.calibrate:
        yield Mistake(
            "models.calibrate", f"there is nothing to repair in pictures that scheme {SCHEME} makes at receivers: leave it out"
        )
    if scenario.adversary.stations:
        yield Mistake("adversary.stations", f"it does not falsify prompts of scheme {SCHEME}: leave it out, or --scheme gai-scn")
