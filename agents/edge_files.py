"""Pictures that an edge sends down as coded bits: as the encoder policy chose, or as the scheme prescribes.

In ``gai-traditional`` the edge writes what was generated as a file; in ``traditional`` the sender's file goes through as it is.
Neither needs CSI of the edge: the cell chooses modulation and coding, and repeats what is lost.
"""

from typing import Any

from msgspec import UnsetType

from ..bus.clock import ns
from ..bus.engine import Context
from ..bus.errors import BadInput
from ..bus.messages import CodedPicture, Content, Downlink, Forwarded
from .accounting import body_bits
from .base import NetworkAgent
from .models.framewise import FRAME_BYTES, frames_in
from .network import backhaul_ns
from .picture_files import opened, written
from .pictures import compress

PICTURE_BITS = 8 * FRAME_BYTES
"""Of a raw picture."""


def content_bits(content: Content) -> int:
    """What a picture, or a clip, takes on the wires: its file where it has one, else raw frames."""
    return PICTURE_BITS * frames_in(content.picture) if isinstance(content.file, UnsetType) else 8 * len(content.file)


class EdgeFiles(NetworkAgent):
    """Part of the edge."""

    state: Any

    def wire(self, bs: str) -> str:
        """Who takes what goes to a base station."""
        raise NotImplementedError

    def send_down(self, downlink: Downlink, ctx: Context) -> None:
        """One message to each cell that serves some of the users."""
        raise NotImplementedError

    def fail(self, request: str, reason: str, ctx: Context) -> None:
        """A request ends here."""
        raise NotImplementedError

    def hand_on(self, content: Content, ctx: Context) -> None:
        """What came up is for another user, here or elsewhere."""
        place = self.state.places.get(content.recipient)
        if place is None or place.edge != self.id:
            to = self.settings.cloud if place is None else place.edge
            ctx.send(to, content, after_ns=backhaul_ns(content_bits(content)))
            return
        ctx.record(content)
        self.deliver(content, ctx)

    def deliver(self, content: Content, ctx: Context) -> None:
        """Begin a delivery."""
        raise NotImplementedError

    def got_coded_picture(self, body: CodedPicture, message: Forwarded, ctx: Context) -> None:
        """A sender's file (scheme ``traditional``): it goes on if it can be opened."""
        try:
            picture = opened(body.file)
        except BadInput as error:
            self.fail(body.request, f"file cannot be read: {error.message}", ctx)
            return
        content = Content(body.request, message.user, body.recipient, body.t_ns, picture, body.file)
        if not isinstance(body.further, UnsetType):
            ctx.record(content)
            group = [body.recipient, *body.further]
            down = Downlink(group, f"features:{body.request}:down", body.request, "features", body_bits(body), body)
            self.send_down(down, ctx)
            return
        self.hand_on(content, ctx)

    def deliver_file(self, content: Content, ctx: Context) -> None:
        """As the scheme prescribes."""
        form = self.around.prescribed
        assert form is not None
        if isinstance(content.file, UnsetType):
            file, flops = written(content.picture, form.codec, form.quality), form.encode_flops
        else:
            file, flops = content.file, 0
        self.send_file(content, form.name, file, flops, ctx)

    def send_coded(self, request: str, codec: str, ctx: Context) -> None:
        """As the encoder policy chose it, instead of JSCC."""
        content = self.state.deliveries.pop(request).content
        form = self.around.formats[codec]
        self.send_file(content, codec, compress(content.picture, form.quality), form.encode_flops, ctx)

    def send_file(self, content: Content, codec: str, file: bytes, flops: int, ctx: Context) -> None:
        """Coded bits, which the cell retransmits until they are there."""
        place = self.state.places[content.recipient]
        body = CodedPicture(content.request, content.recipient, content.t_ns, codec, file)
        label = f"features:{content.request}:down"
        downlink = Downlink([content.recipient], label, content.request, "features", body_bits(body), body)
        ctx.send(self.wire(place.bs), downlink, after_ns=ns(flops / self.settings.compute.edge_flops))
