"""Scheme ``aigc-scm``: a prompt goes to one or several receivers, and each makes the content itself, by its own generator and KB.

After Wang et al., "Harnessing the Power of AI-Generated Content for Semantic Communication", section IV. The variant fixes the
prompt: a caption (``ni``, ``hi``), or background, labels and boxes (``na``, ``ha``). With history (``hi``, ``ha``) it names
personal subjects, by their owners in captions, by numbers in boxes: the paper's identifiers, here charged. A receiver that has
the history draws them by identifier and adapter (``hi``) or by identifier and reference picture (``ha``); for all others the name
says nothing. What a receiver's generator has learned of the world in general was there before.

Every user learns to recognise its own subjects in its own pictures. With history it shares these before the service; the cloud
passes them on to the users who are to be informed, over the air and charged, and every one of them learns the subject on its own
device.
"""

from msgspec.structs import replace

from ..bus.clock import MS
from ..bus.content_messages import GroupPrompt
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.errors import BadInput
from ..bus.messages import Arrived, Body, Failure, Knowledge, SharedItem
from ..bus.records import Capture
from .accounting import body_bits
from .knowledge.items import CLOUD, OWN, SUBJECT
from .knowledge.retrieval import to_float16
from .models.roles import Box, Branch, Embedding, Extraction, Generate, Intent, Personalise
from .network import drawing_seed, generator_role
from .pictures import decompress, sound
from .prompt_codec import BOXES, CAPTION, TASKS, PromptContent, decode, encode
from .satisfaction import GENERATED
from .scenes.caption import named, unnamed
from .scenes.vocabulary import SUBJECTS
from .user_receiving import UserReceiving
from .user_sending import UserSending
from .user_state import Receiving, Sending

SCHEME = "aigc-scm"


class UserReconstructing(UserSending, UserReceiving):
    """Both ends of the scheme."""

    # --- history -----------------------------------------------------------------------------------------------------

    def on_embedding(self, result: Embedding, event: Envelope, ctx: Context) -> None:
        """The KB's first items are there: look for own subjects in own pictures."""
        super().on_embedding(result, event, ctx)
        if self.settings.scheme == SCHEME:
            for name in self.around.user_settings[self.id].subjects:
                self.look_through(name, ctx)

    def share(self, ctx: Context) -> None:
        """All own subjects are found: learn to recognise them, and share them where history is wanted."""
        if self.settings.scheme != SCHEME:
            super().share(ctx)
            return
        items = []
        for name, album in self.state.albums.items():
            items.append(SharedItem(SUBJECT, name, SUBJECTS[name].label, b"", album.pictures, album.boxes))
            self.learn_look(items[-1], adapter=False, ctx=ctx)
        self.state.albums = {}
        if not self.settings.aigc.history:
            return
        for item in items:
            own = self.state.kb.get(SUBJECT, item.name)
            assert own is not None
            self.learn(ctx, SUBJECT, own.name, own.text, vector=own.vector, data=own.data, sharing=CLOUD)
        history = Knowledge(self.id, items)
        self.send_up(ctx, f"history:{self.id}", "preparation", body_bits(history), history)

    def got_knowledge(self, history: Knowledge, message: Arrived, ctx: Context) -> None:
        """Somebody's subjects: learn them, by adapters where captions are to be drawn."""
        owner = self.around.user_settings.get(history.user)
        for item in history.items:
            if owner and item.name in owner.subjects and sound(item, self.settings.pictures) and item.pictures and item.boxes:
                self.learn_look(item, adapter=self.by_adapter, ctx=ctx)

    @property
    def by_adapter(self) -> bool:
        """Whether subjects of others are drawn by adapters, and not by references."""
        return not self.settings.aigc.places and self.settings.knowledge.branch == "adapter"

    def learn_look(self, item: SharedItem, *, adapter: bool, ctx: Context) -> None:
        """Make a branch of a subject on this device."""
        pictures = [decompress(file) for file in item.pictures]
        boxes = [Box(item.label, "", *box, subject=item.name) for box in item.boxes]
        call = Personalise(item.name, item.label, pictures, boxes, adapter=adapter)
        ctx.infer("personaliser", call, f"personaliser:{item.name}")

    def on_branch(self, result: Branch, event: Envelope, ctx: Context) -> None:
        """A subject is learned: an own one, or one of somebody else."""
        name = result.subject
        if name in self.around.user_settings[self.id].subjects:
            super().on_branch(result, event, ctx)
            return
        identifier = to_float16(result.identifier)
        owner = next((user for user, settings in self.around.user_settings.items() if name in settings.subjects), "")
        self.learn(ctx, SUBJECT, name, f"{name}, shared before", data=identifier, provenance=owner, sharing=OWN)
        if self.settings.aigc.places and self.settings.knowledge.branch != "identifier":
            self.state.references[name] = result.reference
        if result.adapter:
            self.state.adapters[name] = result.adapter

    # --- the way out -------------------------------------------------------------------------------------------------

    def begin(self, capture: Capture, sending: Sending, ctx: Context) -> None:
        """A picture is there: draw its further recipients, where there are any."""
        if not self.settings.traffic.unicast:
            sending.further = self.further(capture.request, sending.recipient, ctx)
        super().begin(replace(capture, further=sending.further), sending, ctx)

    def understood(self, request: str, sending: Sending, seen: Extraction, intent: Intent, ctx: Context) -> None:
        """Local models have looked at a picture: say what it shows, as the variant wants it said."""
        if self.settings.scheme != SCHEME:
            super().understood(request, sending, seen, intent, ctx)
            return
        del self.state.sending[request]
        own = self.around.user_settings[self.id].subjects
        aigc, boxes = self.settings.aigc, tuple(seen.boxes[: self.settings.granularity.boxes])
        caption = seen.caption
        for name in own if not aigc.history else ():
            caption = unnamed(caption, name)
        content = PromptContent(
            number=int(request.rpartition("/")[2]),
            recipient=self.around.number_of[sending.recipient],
            time_ms=sending.t_ns // MS,
            task=sending.task if sending.task in TASKS else TASKS[0],
            parts=(BOXES,) if aigc.places else (CAPTION,),
            caption=caption,
            background=seen.background,
            boxes=boxes,
            box_subjects=tuple(own.index(box.subject) if aigc.history and box.subject in own else -1 for box in boxes),
        )
        data, bits = encode(content)
        group = [sending.recipient, *sending.further]
        prompt = GroupPrompt(request, self.id, group, sending.t_ns, list(content.parts), data, bits)
        self.send_up(ctx, f"prompt:{request}:up", "prompt", body_bits(prompt), prompt, request=request)
        self.remember(request, sending, caption, ctx)

    # --- the way in --------------------------------------------------------------------------------------------------

    def speaker(self, body: Body) -> str:
        """Who says what arrives: other users in this scheme, else the cloud."""
        if isinstance(body, GroupPrompt):
            return body.sender
        return body.user if isinstance(body, Knowledge) else self.settings.cloud

    def got_group_prompt(self, prompt: GroupPrompt, message: Arrived, ctx: Context) -> None:
        """Make the content, with what this user's KB holds of its subjects; a request is taken once."""
        request = prompt.request
        if request in self.state.receiving:
            return
        device = self.settings.device_of.get(self.id)
        if device is not None and not device.generates:
            self.fail_group(prompt, f"a {device.name} has no generator", ctx)
            return
        try:
            call = self.call_of(prompt.sender, decode(prompt.data))
        except BadInput as error:
            self.fail_group(prompt, f"prompt cannot be read: {error.message}", ctx)
            return
        self.state.receiving[request] = Receiving(prompt.t_ns, GENERATED, message.snr_db)
        ctx.infer(self.generator, replace(call, seed=drawing_seed(ctx.seed, request)), f"generator:{request}")

    @property
    def generator(self) -> str:
        """The role of this user's generator: its device's variant, or that of the scenario."""
        own = self.runs("generator")
        return own if "@" in own else generator_role(self.settings)

    def call_of(self, sender: str, content: PromptContent) -> Generate:
        """What a prompt says to this user."""
        boxes = []
        for box, number in zip(content.boxes, content.box_subjects, strict=True):
            boxes.append(box if number < 0 else self.box_of(box, self.around.subject_name(sender, number)))
        names = sorted({*named(content.caption), *(box.subject for box in boxes)} - {""})
        looks = {}
        for name in names if self.settings.aigc.history else ():
            item = self.state.kb.get(SUBJECT, name)
            if item is not None and item.data and item.provenance == sender:
                looks[name] = item.data
        return Generate(
            content.caption,
            content.background,
            boxes,
            0,
            self.settings.generator_steps,
            looks,
            {name: self.state.adapters[name] for name in looks if name in self.state.adapters},
            {name: self.state.references[name] for name in looks if name in self.state.references},
        )

    @staticmethod
    def box_of(box: Box, subject: str) -> Box:
        """A box with the name of the subject that it shows."""
        return Box(box.label, box.colour, box.cx, box.cy, box.width, box.height, box.score, subject)

    def fail_group(self, prompt: GroupPrompt, reason: str, ctx: Context) -> None:
        """The request ends here, for this user alone."""
        ctx.record(Failure(prompt.request, self.id, reason, self.id))
