"""Stage 2 at the sender, between seeing and telling: it plays the generating side, to hear how well it would be understood.

A noise policy that needs a ``"rehearsal"`` has the plainest prompt (the caption) drawn on the user's own device by the small
generator, with no more than what the last summary says that the cloud knows, and looked at again by its own extractor.

An oracle's ``"truth"`` is the same with the cloud's own generator and the very seed that the cloud will draw the request with,
against the true scene; its time and energy count. It is the cloud's picture of the caption but for branch models: a sender
has neither the reference nor the adapter that the cloud made of what was shared, and draws known subjects by identifier.
"""

from ..bus import keys
from ..bus.engine import Context
from .meaning import recognised, semantic_error
from .models.roles import Extract, Extraction, Generate, Intent
from .network import REHEARSAL_ROLE, REHEARSAL_STEPS, drawing_seed, generator_role
from .user_seeing import UserSeeing
from .user_state import Sending

REHEARSAL = "rehearsal"
"""Keys of the calls of a rehearsal begin with this."""


class UserRehearsing(UserSeeing):
    """See the module."""

    def understood(self, request: str, sending: Sending, seen: Extraction, intent: Intent, ctx: Context) -> None:
        """All local models have answered: rehearse if the noise policy wants it, then tell."""
        sending.seen, sending.intent = seen, intent
        needs = self.around.needs["noise"]
        looks = self.looks()
        known = {name: looks[name] for name in (*self.state.known, *self.state.told) if name in looks}
        if "truth" in needs:
            role, steps, seed = generator_role(self.settings), self.settings.generator_steps, drawing_seed(ctx.seed, request)
        elif REHEARSAL in needs:
            role, steps = REHEARSAL_ROLE, REHEARSAL_STEPS
            seed = keys.integer(1 << 62, ctx.seed, REHEARSAL, request)
        else:
            self.tell_about(request, sending, None, ctx)
            return
        ctx.infer(role, Generate(self.tellable(seen.caption), "", [], seed, steps, known), f"{REHEARSAL}:{request}")

    def rehearsed_picture(self, request: str, picture: bytes, ctx: Context) -> None:
        """Drawn: look at it."""
        ctx.infer(self.runs("extractor"), Extract(picture, self.looks()), f"{REHEARSAL}:{request}")

    def rehearsed(self, request: str, found: Extraction, ctx: Context) -> None:
        """Looked at: how much of what was meant is there?"""
        sending = self.state.sending[request]
        assert sending.seen is not None
        meant = sending.truth or sending.seen.boxes
        error = semantic_error(meant, found.boxes, sending.task, recognised(meant, found.boxes))
        self.tell_about(request, sending, error, ctx)

    def tellable(self, caption: str) -> str:
        """A caption as it may leave this user."""
        raise NotImplementedError

    def tell_about(self, request: str, sending: Sending, rehearsed: float | None, ctx: Context) -> None:
        """Choose a prompt and send it."""
        raise NotImplementedError
