"""Stage 2 at the cloud, its models' part: content is drawn of a prompt, once or several times, and then the best is kept.

With ``models.best_of = n`` every prompt is drawn n times with seeds of their own, as processors are free; an extractor looks at
each as soon as it is there, and the one that agrees best with the prompt (`selection`) goes on. All n drawings and looks take
their time and energy.
"""

import msgspec

from ..bus.engine import Context
from ..bus.envelope import Envelope
from .cloud_update import CloudUpdate
from .models.roles import Extract, Extraction, Generate, Picture
from .network import drawing_seed, generator_role
from .selection import agreement, asked_by


class CloudDrawing(CloudUpdate):
    """From the arguments of the generator to one picture."""

    def draw(self, request: str, call: Generate, ctx: Context) -> None:
        """Begin; the order is known already, and the seeds follow from the request."""
        role, number = generator_role(self.settings), self.settings.best_of
        self.state.orders[request].asked = asked_by(call) if number > 1 else None
        for candidate in range(number):
            which = (candidate,) if candidate else ()
            seed = drawing_seed(ctx.seed, request, candidate)
            ctx.infer(role, msgspec.structs.replace(call, seed=seed), ":".join(map(str, ("generator", request, *which))))

    def on_picture(self, result: Picture, event: Envelope, ctx: Context) -> None:
        """One is drawn."""
        _, request, *which = event.in_reply_to.split(":")
        order = self.state.orders[request]
        if order.asked is None:
            self.drawn(request, result.picture, ctx)
            return
        candidate = int(which[0]) if which else 0
        order.candidates[candidate] = result.picture
        ctx.infer("extractor", Extract(result.picture), f"selector:{request}:{candidate}")

    def on_extraction(self, result: Extraction, event: Envelope, ctx: Context) -> None:
        """One candidate is looked at; after the last, the best goes on (of equals the first)."""
        _, request, candidate = event.in_reply_to.split(":")
        order = self.state.orders[request]
        assert order.asked is not None
        order.agreements[int(candidate)] = agreement(order.asked, result)
        if len(order.agreements) == self.settings.best_of:
            chosen = min(order.agreements, key=lambda number: (-order.agreements[number], number))
            self.drawn(request, order.candidates[chosen], ctx)

    def drawn(self, request: str, picture: bytes, ctx: Context) -> None:
        """The content of a request is there."""
        raise NotImplementedError
