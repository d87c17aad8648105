"""The cloud: generates content from prompts with the senders' branch models, and keeps the network's knowledge.

- ``cloud_preparation``: stage 1, terms, branch models, summary
- here and in ``cloud_drawing``: stage 2, content
- ``cloud_refusing``: what is not what it says
- ``cloud_update``: stage 3, satisfaction and refined branches
"""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.errors import BadInput
from ..bus.messages import Association, CodecRequest, CodecWeights, Content, Downlink, Failure, Forwarded, GenerateOrder
from ..bus.signed import Signable
from .cloud_history import CloudHistory
from .cloud_refusing import CloudRefusing
from .cloud_state import Order, ServedBy
from .cloud_styling import CloudStyling
from .cloud_text import CloudText
from .edge_files import PICTURE_BITS, content_bits
from .groups import recipients
from .knowledge.items import SUBJECT
from .models.roles import Box, Generate
from .network import backhaul_ns
from .prompt_codec import PromptContent, decode
from .scenes.caption import named


class Cloud(CloudText, CloudHistory, CloudStyling, CloudRefusing):
    """See the module."""

    def start(self, ctx: Context) -> None:
        """Preparation begins."""
        self.begin_preparation(ctx)

    def on_association(self, association: Association, event: Envelope, ctx: Context) -> None:
        """Who is served where; the edge that a user has left is told."""
        known = self.state.served_by.get(association.user)
        if known is None or association.epoch > known.epoch:
            self.state.served_by[association.user] = ServedBy(association.edge, association.epoch)
            if known is not None and known.edge != association.edge:
                ctx.control(known.edge, association)

    def on_downlink(self, downlink: Downlink, event: Envelope, ctx: Context) -> None:
        """From an edge for users that it does not know."""
        self.send_down(downlink, ctx)
        lost = [user for user in downlink.users if user not in self.state.served_by]
        for user in lost if recipients(downlink.body) else ():
            ctx.send(event.source, Failure(downlink.request, self.id, f"{user} is attached nowhere", user))

    def on_content(self, content: Content, event: Envelope, ctx: Context) -> None:
        """From an edge for a user that it does not know."""
        served = self.state.served_by.get(content.recipient)
        if served is None:
            ctx.send(event.source, Failure(content.request, self.id, f"{content.recipient} is attached nowhere"))
        else:
            ctx.send(served.edge, content, after_ns=backhaul_ns(content_bits(content)))

    def on_forwarded(self, message: Forwarded, event: Envelope, ctx: Context) -> None:
        """Something came up from a user, by its edge."""
        if reason := self.distrust(message.body, message.user, message.request, ctx):
            assert isinstance(message.body, Signable)  # nothing else is refused
            self.ask_again(message.body, message.user, message.request, reason, ctx)
            return
        self.method("got", message.body)(message.body, message, ctx)

    def on_codec_request(self, request: CodecRequest, event: Envelope, ctx: Context) -> None:
        """An edge lacks a codec; its weights take their time on the wire."""
        bits = self.around.codec_bits[request.codec]
        ctx.send(event.source, CodecWeights(request.codec, bits), after_ns=backhaul_ns(bits))

    def on_generate_order(self, order: GenerateOrder, event: Envelope, ctx: Context) -> None:
        """Read a prompt and generate what it says, with identifiers that the sender has shared or sent along, and no others."""
        request = order.prompt.request
        if not self.takes(order, event.source, ctx):
            return
        if self.settings.traffic.content in ("text", "alarms"):
            self.write_text(order, event.source, ctx)
            return
        try:
            content = decode(order.prompt.data)
            if content.recipient >= len(self.around.users):
                raise BadInput(f"there is no recipient number {content.recipient}")
            recipient = self.around.users[content.recipient]
        except BadInput as error:
            ctx.send(event.source, Failure(request, self.id, f"prompt cannot be read: {error.message}"))
            return
        names = [self.around.subject_name(order.sender, number) for number in content.subjects]
        names += named(content.caption)
        boxes = self.boxes(order.sender, content)
        names += [box.subject for box in boxes if box.subject]
        sent = {self.around.subject_name(order.sender, number): vector for number, vector in content.identifiers.items()}
        subjects = {}
        for name in sorted({*names, *sent} - {""}):
            item = self.state.kb.get(SUBJECT, name)
            vector = sent.get(name) or (item.data if item is not None and item.provenance == order.sender else b"")
            if vector:
                subjects[name] = vector
        known = [name for name in subjects if name not in sent and self.has_branch(order.sender, name)]
        branches = {name: self.state.subjects[name] for name in known}
        adapters = {name: branch.adapter for name, branch in branches.items() if branch.adapter}
        references = {name: branch.reference for name, branch in branches.items() if branch.reference}
        self.state.orders[request] = Order(order.sender, recipient, order.prompt.t_ns)
        if subjects:
            self.state.shown_subjects[request] = list(subjects)
        steps = self.settings.generator_steps
        text = content.caption or ("" if boxes else ", ".join(content.keywords))
        self.draw(request, Generate(text, content.background, boxes, 0, steps, subjects, adapters, references), ctx)

    def has_branch(self, sender: str, name: str) -> bool:
        """Whether a branch model was made of what the sender itself shared."""
        return name in self.state.subjects and self.state.subjects[name].user == sender

    def boxes(self, sender: str, content: PromptContent) -> list[Box]:
        """Boxes with the names of the subjects that they show."""
        return [
            Box(
                box.label,
                box.colour,
                box.cx,
                box.cy,
                box.width,
                box.height,
                box.score,
                self.around.subject_name(sender, number) if number >= 0 else "",
            )
            for box, number in zip(content.boxes, content.box_subjects, strict=True)
        ]

    def drawn(self, request: str, picture: bytes, ctx: Context) -> None:
        """To the edge of the receiver, in its style."""
        if self.renders(request, picture, ctx):
            return
        order = self.state.orders.pop(request)
        served = self.state.served_by.get(order.recipient)
        if served is None:
            served = self.state.served_by[order.sender]
        content = Content(request, order.sender, order.recipient, order.t_ns, picture)
        ctx.send(served.edge, content, after_ns=backhaul_ns(PICTURE_BITS))
