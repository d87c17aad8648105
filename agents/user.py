"""The user: a terminal with a camera, a small model of its own, a knowledge base and things it would rather keep to itself.

- ``user_radio``: which base station, what of the channel is measured and reported
- ``user_sharing``: stages 1 and 3, knowledge and incentives
- ``user_sending``: stage 2 on the way out
- ``user_receiving``: stage 2 on the way in
"""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Arrived
from .user_radio import UserRadio
from .user_receiving import UserReceiving
from .user_sending import UserSending


class User(UserRadio, UserSending, UserReceiving):
    """See the module."""

    def start(self, ctx: Context) -> None:
        """Attach, know, and wait for the traffic's start."""
        self.begin_radio(ctx)
        self.begin_knowledge(ctx)
        self.begin_traffic(ctx)

    def on_arrived(self, message: Arrived, event: Envelope, ctx: Context) -> None:
        """Something came over the air."""
        self.method("got", message.body)(message.body, message, ctx)
