"""Requests to a group end for each of its receivers: what a lost message means for them."""

from ..bus.content_messages import GroupPrompt
from ..bus.messages import Downlink, Failure, Uplink


def failures(message: Uplink | Downlink, where: str, reason: str) -> list[Failure]:
    """What ended as a message was lost: its request, or that request for each receiver that it was for.

    On the way up it was for all recipients, on the way down for the users of this transmission.
    """
    body = message.body
    if not isinstance(body, GroupPrompt):
        return [Failure(message.request, where, reason)]
    lost = message.users if isinstance(message, Downlink) else body.recipients
    return [Failure(message.request, where, reason, user) for user in lost]
