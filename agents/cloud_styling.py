"""Style at the cloud: content is rendered in the style of its receiver, where that user has shared it."""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import SharedItem
from .cloud_drawing import CloudDrawing
from .knowledge.items import CLOUD, PREFERENCE
from .models.roles import Picture, Restyle
from .style import BYTES, NAME


class CloudStyling(CloudDrawing):
    """Part of the cloud."""

    def take(self, user: str, item: SharedItem, ctx: Context) -> None:
        """A style that was bought; what is no style is not used."""
        if (item.kind, item.name) != (PREFERENCE, NAME):
            super().take(user, item, ctx)
        elif len(item.vector) == BYTES:
            self.learn(ctx, PREFERENCE, f"{user}/{NAME}", f"{user}'s style", data=item.vector, provenance=user, sharing=CLOUD)

    def renders(self, request: str, picture: bytes, ctx: Context) -> bool:
        """Whether content is rendered in the style of its receiver first: then it comes again as the stylist's."""
        order = self.state.orders[request]
        item = self.state.kb.get(PREFERENCE, f"{order.recipient}/{NAME}")
        if not self.settings.restyle or order.styled or item is None:
            return False
        order.styled = True
        ctx.infer("stylist", Restyle(picture, item.data), f"stylist:{request}")
        return True

    def on_picture(self, result: Picture, event: Envelope, ctx: Context) -> None:
        """Drawn, or rendered."""
        role, _, request = event.in_reply_to.partition(":")
        if role == "stylist":
            self.drawn(request, result.picture, ctx)
        else:
            super().on_picture(result, event, ctx)
