"""Alarms: a scene goes to its receiver as the sentence that matters to it, and nothing else of it leaves the camera.

Every user watches for something (`texts.alarms`), a KB item of kind task, and tells all others by the cloud before the service. A
sender's extractor looks at a scene; what of it its receiver watches for goes up as a caption, in words of the prompt codec. Where
there is nothing, the prompt has no part, and its receiver reads that all is clear.
"""

from ..bus.clock import MS, ns
from ..bus.content_messages import Watch, Watched
from ..bus.engine import Context
from ..bus.messages import Arrived, Prompt, Tick
from ..bus.records import Capture
from ..policies.protocols import Candidate, NoiseContext, PromptChoice, PromptContext
from .accounting import KIND_BITS, body_bits
from .camera import photograph
from .knowledge.items import PUBLIC, TASK
from .models.roles import Extraction, Intent
from .prompt_codec import CAPTION, PromptContent, encode, part_bits
from .texts import alarms
from .user_state import Sending
from .user_text import UserText

WATCH_AT = 0.2
"""When users say what they watch for, as a share of the time before the traffic starts."""


class UserAlarms(UserText):
    """The way out; the way in is that of texts."""

    def begin_traffic(self, ctx: Context) -> None:
        """Before it, say what to be alarmed of."""
        super().begin_traffic(ctx)
        if self.settings.traffic.content == "alarms":
            ctx.timer(ns(WATCH_AT * self.settings.traffic.start_s), Tick("watch"))

    def tick_watch(self, tick: Tick, ctx: Context) -> None:
        """To the cloud, which tells all."""
        watch = Watch(self.id, alarms.encode(alarms.watched(ctx.seed, self.id)))
        self.learn(ctx, TASK, self.id, "what I watch for", data=watch.data, sharing=PUBLIC)
        self.send_up(ctx, f"watch:{self.id}", "preparation", body_bits(watch), watch)

    def got_watched(self, watched: Watched, message: Arrived, ctx: Context) -> None:
        """What somebody watches for."""
        if watched.user != self.id:
            self.learn(ctx, TASK, watched.user, f"{watched.user} watches", data=watched.data, provenance=watched.user)

    def tick_picture(self, tick: Tick, ctx: Context) -> None:
        """Where scenes go as sentences: take one."""
        if self.settings.traffic.content != "alarms":
            super().tick_picture(tick, ctx)
            return
        number = tick.number
        self.next_picture(ctx.now, number + 1, ctx)
        self.wake(ctx)
        scene, recipient, request = self.look(number, ctx), self.recipient(number, ctx), f"{self.id}/{number}"
        picture = photograph(scene, self.settings.pictures)
        boxes = scene.boxes()
        truth = [(box.label, box.colour, box.cx, box.cy, box.width, box.height, box.subject) for box in boxes]
        things = [(box.label, box.colour) for box in boxes]
        raised = alarms.watched(ctx.seed, recipient).raised_by(scene.background, things)
        text = alarms.sentence(alarms.phrase(scene.background, raised))
        self.state.sending[request] = sending = Sending(recipient, ctx.now, "greeting", picture)
        facts = ["alarm"] if raised else []
        ctx.record(Capture(request, recipient, picture, truth, scene.background, "", text, facts), private=True)
        self.see(request, sending, ctx)

    def understood(self, request: str, sending: Sending, seen: Extraction, intent: Intent, ctx: Context) -> None:
        """The extractor has looked at a scene: say what of it matters to its receiver."""
        if self.settings.traffic.content != "alarms":
            super().understood(request, sending, seen, intent, ctx)
            return
        del self.state.sending[request]
        item = self.state.kb.get(TASK, sending.recipient)
        things = [(box.label, box.colour) for box in seen.boxes]
        raised = alarms.decode(item.data).raised_by(seen.background, things) if item is not None else []
        content = PromptContent(
            number=int(request.rpartition("/")[2]),
            recipient=self.around.number_of[sending.recipient],
            time_ms=sending.t_ns // MS,
            task="greeting",
            parts=self.alarm_parts(request, sending, raised, alarms.phrase(seen.background, raised), ctx),
            caption=alarms.phrase(seen.background, raised),
        )
        data, bits = encode(content)
        prompt = Prompt(request, sending.recipient, sending.t_ns, list(content.parts), data)
        self.send_up(ctx, f"prompt:{request}", "prompt", KIND_BITS + bits, prompt, request=request)
        self.remember(request, sending, "a scene", ctx)

    def alarm_parts(
        self, request: str, sending: Sending, raised: list[tuple[str, str]], said: str, ctx: Context
    ) -> tuple[str, ...]:
        """Of an alarm the policies are asked, too; there is one part to choose. Where all is clear there is none."""
        if not raised:
            return ()
        labels = tuple(dict.fromkeys(label for label, _ in raised))
        about = NoiseContext(labels, labels, {}, dict.fromkeys(labels, 1.0), "greeting", len(raised), sending.recipient)
        noise = self.decide(ctx, "noise", "estimate", about, request, private=True)
        bits = part_bits(PromptContent(0, 0, 0, "greeting", (), caption=said))[CAPTION]
        snr_db = self.state.mean.db + self.around.uplink_offset_db
        context = PromptContext((Candidate(CAPTION, bits, labels),), noise, snr_db, "greeting")
        choice: PromptChoice = self.decide(ctx, "prompt", "select", context, request, private=True)
        return choice.parts
