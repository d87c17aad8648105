"""The user: a terminal with a camera, a small model of its own, a knowledge base and things it would rather keep to itself.

- ``user_radio``: which base station, what of the channel is measured and reported
- ``user_sharing``: stages 1 and 3, knowledge and incentives
- ``user_sending``: stage 2 on the way out
- ``user_receiving``: stage 2 on the way in
"""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Arrived
from ..bus.signed import Refusal
from .accounting import signature_bits
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
        """Something came over the air; what is signed is looked at first."""
        if self.objection(message.body, self.settings.cloud, message.request, ctx):
            return
        self.method("got", message.body)(message.body, message, ctx)

    def got_refusal(self, refusal: Refusal, message: Arrived, ctx: Context) -> None:
        """Something of this user's was refused: send it again, newly signed, if this user has really said it."""
        kept = self.state.kept.get(f"{refusal.message}:{refusal.request}")
        if kept is None:
            return
        bits = kept.payload_bits - signature_bits(kept.body)
        self.send_up(ctx, f"{kept.label}:again", kept.purpose, bits, kept.body, request=kept.request)
