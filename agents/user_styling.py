"""Style at a user: its KB knows which it prefers, and what it generates itself it renders in that.

Where the cloud generates, a user may share its style like every other preference: six numbers, for which the incentive pays.
"""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import SharedItem
from ..policies.protocols import Offer
from .knowledge.items import CLOUD, OWN, PREFERENCE
from .models.roles import Embedding, Picture, Restyle
from .settings import AT_RECEIVERS
from .style import NAME, liked, preferred
from .user_reconstructing import UserReconstructing


class UserStyling(UserReconstructing):
    """Part of the user."""

    def on_embedding(self, result: Embedding, event: Envelope, ctx: Context) -> None:
        """The KB's first items: the style is one of them."""
        seed, share = ctx.seed, self.settings.knowledge.style_share
        if look := liked(seed, self.id, share):
            style = preferred(seed, self.id, share)
            self.learn(ctx, PREFERENCE, NAME, f"I like {look} pictures", data=style, sharing=OWN)
        super().on_embedding(result, event, ctx)

    @property
    def style(self) -> bytes:
        """The preferred style, packed; empty: none."""
        item = self.state.kb.get(PREFERENCE, NAME)
        return item.data if item is not None else b""

    def offers(self) -> tuple[Offer, ...]:
        """A style is offered where somebody would render in it."""
        offers = super().offers()
        useful = self.settings.restyle and self.settings.generates and self.settings.scheme not in AT_RECEIVERS
        return tuple(offer for offer in offers if useful or offer.name != f"{PREFERENCE}:{NAME}")

    def prepare(self, kind: str, name: str, ctx: Context) -> None:
        """A style is shared as its numbers."""
        if (kind, name) != (PREFERENCE, NAME):
            super().prepare(kind, name, ctx)
            return
        item = self.state.kb.get(kind, name)
        assert item is not None
        self.learn(ctx, kind, name, item.text, data=item.data, sharing=CLOUD)
        self.state.preparing.append(SharedItem(kind, name, "", item.data))

    def on_picture(self, result: Picture, event: Envelope, ctx: Context) -> None:
        """What this user has generated is rendered in its style before it is shown."""
        role, _, request = event.in_reply_to.partition(":")
        if role == "generator" and self.settings.restyle and self.style:
            ctx.infer(self.runs("stylist"), Restyle(result.picture, self.style), f"stylist:{request}")
        else:
            super().on_picture(result, event, ctx)
