"""Stage 2 at the sender, first half: local models look at a picture, word it, and tell what the user wants with it."""

import msgspec

from ..bus.engine import Context
from ..bus.envelope import Envelope
from .meaning import MAPPING
from .models.roles import Extract, Extraction, Intent, Interpret
from .user_sharing import UserSharing
from .user_state import Sending

RECEIVED = "received"
"""Keys of the extractor's looks at received pictures begin with this."""
PLACED = ("locate", "compare")
"""Kinds of goals for which places count; the others are greetings."""


def task_of(goal: str) -> str:
    """The task that a goal in a few words makes: ``mapping`` where places count, else ``greeting``."""
    return MAPPING if goal.split(" ")[0] in PLACED else "greeting"


class UserSeeing(UserSharing):
    """From a picture to what it shows and what it is for; each model is asked only if the settings want it."""

    def see(self, request: str, sending: Sending, ctx: Context) -> None:
        """Begin."""
        ctx.infer(self.runs("extractor"), Extract(sending.picture, self.looks()), f"extractor:{request}")

    def on_extraction(self, result: Extraction, event: Envelope, ctx: Context) -> None:
        """A local model has looked at a picture: the extractor, then perhaps the captioner."""
        role, _, what = event.in_reply_to.partition(":")
        if role == RECEIVED:
            self.understood_received(what, result, ctx)
            return
        if role == "rehearsal":
            self.rehearsed(what, result, ctx)
            return
        if role == "reception":
            self.tell_feedback(what, result, ctx)
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
        sending.task = task_of(result.goal)
        assert sending.seen is not None
        self.understood(request, sending, sending.seen, result, ctx)

    def understood_received(self, request: str, seen: Extraction, ctx: Context) -> None:
        """The extractor has looked at a received picture."""
        raise NotImplementedError

    def rehearsed(self, request: str, found: Extraction, ctx: Context) -> None:
        """The extractor has looked at a rehearsed picture."""
        raise NotImplementedError

    def tell_feedback(self, request: str, found: Extraction, ctx: Context) -> None:
        """The extractor has looked at a picture that was shown."""
        raise NotImplementedError

    def understood(self, request: str, sending: Sending, seen: Extraction, intent: Intent, ctx: Context) -> None:
        """All local models have answered."""
        raise NotImplementedError
