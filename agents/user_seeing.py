"""Stage 2 at the sender, first half: local models look at a picture, word it, and tell what the user wants with it."""

import msgspec

from ..bus.engine import Context
from ..bus.envelope import Envelope
from .models.roles import Extract, Extraction, Intent, Interpret
from .scenes.goals import request as wish
from .scenes.world import Scene
from .user_sharing import UserSharing
from .user_state import Sending

RECEIVED = "received"
"""Keys of the extractor's looks at received pictures begin with this."""
MAPPING = ("locate", "compare")
"""Kinds of goals for which places count; the others are greetings."""


class UserSeeing(UserSharing):
    """From a picture to what it shows and what it is for; each model is asked only if the settings want it."""

    def see(self, request: str, sending: Sending, scene: Scene, ctx: Context) -> None:
        """Begin; where goals are inferred, the user says something about the picture, and the drawn task is not looked at."""
        if self.settings.goals == "inferred":
            own = self.around.user_settings[self.id].subjects
            sending.message = wish(scene, own, ctx.seed, "wish", request).message
        ctx.infer(self.runs("extractor"), Extract(sending.picture, self.looks()), f"extractor:{request}")

    def on_extraction(self, result: Extraction, event: Envelope, ctx: Context) -> None:
        """A local model has looked at a picture: the extractor, then perhaps the captioner."""
        role, _, what = event.in_reply_to.partition(":")
        if role == RECEIVED:
            self.understood_received(what, result, ctx)
            return
        if what.startswith("share:"):
            self.found_own(what.split(":")[1], result, ctx)
            return
        sending = self.state.sending[what]
        if role == "extractor" and self.settings.caption == "captioner":
            sending.seen = result
            ctx.infer(self.runs("captioner"), Extract(sending.picture), f"captioner:{what}")
            return
        if role == "captioner" and sending.seen is not None:
            result = msgspec.structs.replace(sending.seen, caption=result.caption)
        if self.settings.goals == "inferred":
            sending.seen = result
            own = list(self.around.user_settings[self.id].subjects)
            ctx.infer(self.runs("keywords"), Interpret(sending.message, result.caption, result.boxes, own), f"keywords:{what}")
            return
        self.understood(what, sending, result, Intent("", []), ctx)

    def on_intent(self, result: Intent, event: Envelope, ctx: Context) -> None:
        """What the user wants is known; the task follows from the goal's kind."""
        request = event.in_reply_to.partition(":")[2]
        sending = self.state.sending[request]
        sending.task = "mapping" if result.goal.split(" ")[0] in MAPPING else "greeting"
        assert sending.seen is not None
        self.understood(request, sending, sending.seen, result, ctx)

    def understood_received(self, request: str, seen: Extraction, ctx: Context) -> None:
        """The extractor has looked at a received picture."""
        raise NotImplementedError

    def understood(self, request: str, sending: Sending, seen: Extraction, intent: Intent, ctx: Context) -> None:
        """All local models have answered."""
        raise NotImplementedError
