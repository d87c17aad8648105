"""Stage 3 at a user: what receivers say that they saw teaches the sender's noise and prompt policies.

Only where one of them learns. The receiver's extractor looks at the picture that was shown; what it finds goes with the
feedback, and the edge hands it on to the sender, who compares it with what it had seen itself. All of it is charged.
A receiver does not know other users' subjects: their looks are no part of what is learned here.
"""

from msgspec.structs import replace

from ..bus.clock import SECOND
from ..bus.engine import Context
from ..bus.messages import Arrived, Feedback, Reception, SeenThing
from ..policies.protocols import NoiseContext, NoiseLesson, Outcome, PromptChoice, PromptContext, PromptLesson, SemanticNoise
from .meaning import semantic_error
from .models.roles import PICTURE_SIDE, Box, Extract, Extraction
from .user_state import Told, UserBase

RECEPTION = "reception"
"""Keys of the extractor's looks at pictures that were shown begin with this."""
MOST_AWAITED = 32
"""Requests that a sender keeps in mind until it hears of them; the oldest is forgotten first."""
MOST_SEEN = 15
"""Things that a feedback can name."""


def seen_things(found: Extraction) -> list[SeenThing]:
    """What an extractor found, as it goes over the air: classes and boxes in whole pixels, most certain first."""
    return [
        SeenThing(box.label, *(min(max(round(value), 0), PICTURE_SIDE - 1) for value in (box.cx, box.cy, box.width, box.height)))
        for box in found.boxes[:MOST_SEEN]
    ]


class UserLearning(UserBase):
    """Both ends of what is learned."""

    # --- the receiver's ----------------------------------------------------------------------------------------------

    def look_back(self, feedback: Feedback, picture: bytes, ctx: Context) -> bool:
        """Have the shown picture looked at, if anybody learns from it; the feedback waits for that."""
        if not self.around.outcomes_wanted:
            return False
        self.state.feedback[feedback.request] = feedback
        ctx.infer(self.runs("extractor"), Extract(picture), f"{RECEPTION}:{feedback.request}")
        return True

    def looked_back(self, request: str, found: Extraction) -> Feedback:
        """The feedback with what was seen."""
        return replace(self.state.feedback.pop(request), seen=seen_things(found))

    # --- the sender's ------------------------------------------------------------------------------------------------

    def await_reception(
        self,
        request: str,
        seen: list[Box],
        noise: tuple[NoiseContext, SemanticNoise],
        prompt: tuple[PromptContext, PromptChoice],
    ) -> None:
        """Keep in mind what was told, until the edge says how it was received."""
        if not self.around.outcomes_wanted:
            return
        bare = replace(noise[0], memory={}, truth=None), replace(prompt[0], memory={})
        self.state.awaited[request] = Told(seen, bare[0], noise[1], bare[1], prompt[1])
        if len(self.state.awaited) > MOST_AWAITED:
            del self.state.awaited[next(iter(self.state.awaited))]

    def got_reception(self, reception: Reception, message: Arrived, ctx: Context) -> None:
        """One of the own requests has ended: learn."""
        told = self.state.awaited.pop(reception.request, None)
        if told is None:
            return
        found = [Box(thing.label, "", thing.cx, thing.cy, thing.width, thing.height) for thing in reception.seen]
        # what the air lost tells nothing of what was understood
        error = semantic_error(told.seen, found, told.noise_context.task) if reception.shown else None
        outcome = Outcome(reception.quality, reception.latency_ns / SECOND, error, reception.shown)
        lesson = NoiseLesson(told.noise_context, told.noise, told.prompt.parts, told.prompt.share_knowledge, outcome)
        self.study("noise", lesson)
        self.study("prompt", PromptLesson(told.prompt_context, told.prompt, outcome))
