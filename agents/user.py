"""The user: a terminal with a camera, a small model of its own, a knowledge base and things it would rather keep to itself.

- ``user_radio``: which base station, what of the channel is measured and reported
- ``user_sharing``: stages 1 and 3, knowledge and incentives
- ``user_sending``: stage 2 on the way out
- ``user_receiving``: stage 2 on the way in
- ``user_reconstructing``: both ways where receivers generate (scheme ``aigc-scm``)
- ``user_styling``: the style that it likes
- ``user_clips``: both ways of short video
- ``user_text``, ``user_alarms``: both ways of texts, and of scenes that go as sentences
"""

from ..bus.content_messages import GroupPrompt
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Arrived, BranchReady, DecoderSet, Delta
from ..bus.signed import Refusal
from .accounting import body_bits, signature_bits
from .signatures import FALSE, kind
from .user_alarms import UserAlarms
from .user_clips import UserClips
from .user_styling import UserStyling


class User(UserClips, UserAlarms, UserStyling):
    """See the module."""

    def start(self, ctx: Context) -> None:
        """Attach, know, and wait for the traffic's start."""
        self.begin_radio(ctx)
        self.begin_knowledge(ctx)
        self.begin_traffic(ctx)

    def on_arrived(self, message: Arrived, event: Envelope, ctx: Context) -> None:
        """Something came over the air; what is signed is looked at first."""
        body = message.body
        if not isinstance(body, DecoderSet):  # those were installed before
            self.wake(ctx)
        reason = self.distrust(body, self.speaker(body), message.request, ctx)
        if reason and isinstance(body, GroupPrompt):
            self.fail_group(body, f"prompt refused: {reason}", ctx)
        if reason == FALSE and isinstance(body, BranchReady | Delta):
            refusal = Refusal(message.request, kind(body))
            self.send_up(ctx, f"refusal:{self.id}:{ctx.now}", "refusal", body_bits(refusal), refusal)
        if reason:
            return
        self.method("got", message.body)(message.body, message, ctx)

    def got_refusal(self, refusal: Refusal, message: Arrived, ctx: Context) -> None:
        """Something of this user's was refused: send it again, newly signed, if this user has really said it."""
        self.not_heard(refusal)
        kept = self.state.kept.get(f"{refusal.message}:{refusal.request}")
        if kept is None:
            return
        bits = kept.payload_bits - signature_bits(kept.body)
        purpose = "resend" if kept.purpose == "prompt" else kept.purpose  # if it is lost, the cloud knows what to do
        self.send_up(ctx, f"{kept.label}:again", purpose, bits, kept.body, request=kept.request)
