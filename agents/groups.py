"""Requests to a group end for each of its receivers: what a lost message means for them."""

from msgspec import UnsetType

from ..bus.content_messages import CodedPicture, GroupPrompt
from ..bus.messages import Body, Downlink, Failure, Uplink


def recipients(body: Body) -> list[str]:
    """Whom a request to a group is for; empty: the body is of no such request."""
    if isinstance(body, GroupPrompt):
        return body.recipients
    if isinstance(body, CodedPicture) and not isinstance(body.further, UnsetType):
        return [body.recipient, *body.further]
    return []


def failures(message: Uplink | Downlink, where: str, reason: str) -> list[Failure]:
    """What ended as a message was lost: its request, or that request for each receiver that it was for.

    On the way up it was for all recipients, on the way down for the users of this transmission.
    """
    group = recipients(message.body)
    if not group:
        return [Failure(message.request, where, reason)]
    lost = message.users if isinstance(message, Downlink) else group
    return [Failure(message.request, where, reason, user) for user in lost]
