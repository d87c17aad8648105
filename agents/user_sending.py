"""Stage 2 at the sender: a picture is taken, understood, and told in as few bits as the policies choose."""

from collections.abc import Sequence
from dataclasses import replace

from ..bus import keys
from ..bus.channel.csi import dequantise
from ..bus.clock import MS, SECOND, ns
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Ask, JsccPicture, Knowledge, Prompt, SharedItem, Tick
from ..bus.records import Capture
from ..policies.protocols import Candidate, EncoderContext, NoiseContext, PromptChoice, PromptContext, SemanticNoise
from .accounting import KIND_BITS, body_bits
from .camera import photograph
from .csi import error_std_db
from .knowledge import nearest
from .knowledge.items import HISTORY, OWN, SUBJECT, TERM
from .meaning import MAPPING
from .models.framewise import told_frames
from .models.roles import Box, Encode, Extraction, Intent, Symbols
from .own_pictures import album
from .pictures import compress_reference
from .prompt_codec import BOXES, CAPTION, IDENTIFIERS, KEYWORDS, PARTS, REFERENCES, PromptContent, encode, part_bits
from .scenes.caption import unnamed
from .scenes.goals import impersonal
from .scenes.goals import request as wish
from .scenes.vocabulary import LABELS
from .scenes.world import Scene, make_scene
from .traffic import next_s
from .user_filing import UserFiling
from .user_learning import UserLearning
from .user_radio import UserRadio
from .user_rehearsing import UserRehearsing
from .user_seeing import task_of
from .user_state import Sending


class UserSending(UserRadio, UserFiling, UserRehearsing, UserLearning):
    """Traffic and the way out."""

    def begin_traffic(self, ctx: Context) -> None:
        """Pictures are taken as a Poisson process."""
        self.next_picture(ns(self.settings.traffic.start_s), 0, ctx)

    def next_picture(self, after_t_ns: int, number: int, ctx: Context) -> None:
        """Set the timer of picture ``number``, which follows the one at ``after_t_ns``."""
        traffic = self.settings.traffic
        silent = traffic.rate_hz <= 0 or (traffic.senders and self.id not in traffic.senders)
        if silent or (traffic.max_requests and number >= traffic.max_requests):
            return
        draw = ctx.draw("traffic", self.id, number)
        if traffic.shape:
            t_ns = ns(next_s(after_t_ns / SECOND, draw, traffic.rate_hz, traffic.shape, traffic.duration_s))
        else:
            t_ns = after_t_ns + ns(next_s(0.0, draw, traffic.rate_hz, (), 0.0))
        if t_ns < self.traffic_ends_ns:
            ctx.timer(t_ns - ctx.now, Tick("picture", number))

    def tick_picture(self, tick: Tick, ctx: Context) -> None:
        """Take a picture and begin to send it."""
        number = tick.number
        self.next_picture(ctx.now, number + 1, ctx)
        mapping = ctx.draw("task", self.id, number) < self.settings.traffic.mapping_share
        task = MAPPING if mapping else "greeting"
        for request, recipient in self.requests(number, ctx):
            if self.settings.traffic.images:
                self.send_own(request, recipient, task, ctx)
            else:
                self.take_picture(request, self.look(number, ctx), recipient, task, "", ctx)

    def on_ask(self, ask: Ask, event: Envelope, ctx: Context) -> None:
        """Somebody outside acts as this user: the same, with choices of its own."""
        count = ask.things or self.settings.traffic.objects
        shown = (ask.subject,) if ask.subject else ()
        scene = make_scene(ctx.seed, "scene", self.id, ask.number, count=count, subjects=shown)
        self.take_picture(ask.number, scene, ask.recipient, ask.task, ask.words, ctx)

    def cannot(self, ask: Ask) -> str:
        """Why this user cannot do what somebody outside asks; empty if it can."""
        own = self.around.user_settings[self.id].subjects
        if self.settings.traffic.images:
            return "the users of this run send pictures of a folder"
        if ask.recipient not in self.around.user_settings or ask.recipient == self.id:
            return f"{ask.recipient!r} is no other user of this run"
        if ask.subject and ask.subject not in own:
            return f"{ask.subject!r} is no subject of {self.id}"
        return ""

    def take_picture(self, number: int, scene: Scene, recipient: str, task: str, words: str, ctx: Context) -> None:
        """Photograph a scene and begin to send it. ``words``: what the user says; empty: as it likes."""
        self.wake(ctx)
        request = f"{self.id}/{number}"
        picture = photograph(scene, self.settings.pictures)
        truth = [(box.label, box.colour, box.cx, box.cy, box.width, box.height, box.subject) for box in scene.boxes()]
        sending = self.state.sending[request] = Sending(recipient, ctx.now, task, picture)
        if "truth" in self.around.needs["noise"]:
            sending.truth = [
                Box(label, colour, cx, cy, wide, high, 1.0, name) for label, colour, cx, cy, wide, high, name in truth
            ]
        sending.message = words
        if self.settings.goals == "inferred" and not words:  # then the drawn task is not looked at
            wanted = wish(scene, self.around.user_settings[self.id].subjects, ctx.seed, "wish", request)
            sending.message, task = wanted.message, task_of(wanted.goal.phrase())
        self.begin(Capture(request, recipient, picture, truth, scene.background, task), sending, ctx)

    def send_own(self, number: int, recipient: str, task: str, ctx: Context) -> None:
        """Begin to send a picture of the folder that is used in place of scenes: each in turn, over users and requests."""
        self.wake(ctx)
        pictures, users = album(self.settings.traffic.images), self.around.users
        own = pictures[(self.around.number_of[self.id] + number * len(users)) % len(pictures)]
        request = f"{self.id}/{number}"
        sending = self.state.sending[request] = Sending(recipient, ctx.now, task, own.picture)
        self.begin(Capture(request, recipient, own.picture, list(own.things), "", task, file=own.file), sending, ctx)

    def begin(self, capture: Capture, sending: Sending, ctx: Context) -> None:
        """A picture is there: note it, and let the scheme do what comes first."""
        request = capture.request
        ctx.record(capture, private=True)
        if self.settings.scheme == "semcom":
            self.encode_picture(request, sending, ctx)
        elif self.settings.scheme == "traditional":
            self.write_file(request, ctx)
        else:
            self.see(request, sending, ctx)

    def look(self, number: int, ctx: Context) -> Scene:
        """The scene in front of the camera."""
        subjects = self.around.user_settings[self.id].subjects
        shown: tuple[str, ...] = ()
        if subjects and ctx.draw("subject", self.id, number) < self.settings.traffic.subject_share:
            shown = (subjects[keys.integer(len(subjects), ctx.seed, "which subject", self.id, number)],)
        return make_scene(ctx.seed, "scene", self.id, number, count=self.settings.traffic.objects, subjects=shown)

    def recipient(self, number: int, ctx: Context) -> str:
        """Any other user, equally likely (itself where it is alone)."""
        users, own = self.around.users, self.around.number_of[self.id]
        drawn = keys.integer(max(1, len(users) - 1), ctx.seed, "recipient", self.id, number)
        return users[min(drawn + (drawn >= own), len(users) - 1)]

    def requests(self, number: int, ctx: Context) -> list[tuple[int, str]]:
        """Numbers and recipients of the requests that picture ``number`` makes: one, or one for each recipient."""
        recipient, traffic = self.recipient(number, ctx), self.settings.traffic
        if not traffic.unicast:
            return [(number, recipient)]
        group = [recipient, *self.further(f"{self.id}/{number}", recipient, ctx)]
        return [(number * traffic.recipients + place, user) for place, user in enumerate(group)]

    def further(self, picture: str, recipient: str, ctx: Context) -> list[str]:
        """Recipients of a picture besides the first, equally likely."""
        left = [user for user in self.around.users if user not in (self.id, recipient)]
        found = []
        for number in range(min(self.settings.traffic.recipients - 1, len(left))):
            found.append(left.pop(keys.integer(len(left), ctx.seed, "further recipient", picture, number)))
        return found

    # --- prompts ---------------------------------------------------------------------------------------------------

    def tell_about(self, request: str, sending: Sending, rehearsed: float | None, ctx: Context) -> None:
        """The local models have looked at a picture: choose a prompt and send it."""
        del self.state.sending[request]
        seen, intent = sending.seen, sending.intent
        assert seen is not None and intent is not None
        content = self.content(request, sending, seen, intent)
        noise, choice = self.select(request, sending, content, rehearsed, ctx)
        parts = choice.parts
        if choice.share_knowledge and (told := self.tell(request, noise, content, ctx)) is not content:
            content, parts = told, tuple(p for p in (*parts, REFERENCES) if p != IDENTIFIERS or told.identifiers)
        self.send_prompt(request, sending, replace(content, parts=tuple(p for p in PARTS if p in parts)), ctx)
        self.remember(request, sending, seen.caption, ctx)
        own = next((box for box in seen.boxes if box.subject), None)
        if own is not None:
            self.share_more(sending.picture, own, ctx)

    def content(self, request: str, sending: Sending, seen: Extraction, intent: Intent) -> PromptContent:
        """All that a prompt could say at most. Own subjects that the other side knows are references, others identifiers."""
        own = self.around.user_settings[self.id].subjects
        numbers = {name: own.index(name) for name in dict.fromkeys(box.subject for box in seen.boxes) if name in own}
        known = [name for name in numbers if name in self.state.known or name in self.state.told]
        untold = [name for name in numbers if name not in known and self.may_tell(name)]
        most = self.settings.granularity
        boxes = tuple(seen.boxes[: most.boxes])
        looks = self.told_looks()
        return PromptContent(
            number=int(request.rpartition("/")[2]),
            recipient=self.around.number_of[sending.recipient],
            time_ms=sending.t_ns // MS,
            task=sending.task,
            parts=(),
            goal=self.tellable_goal(intent.goal),
            keywords=tuple(intent.keywords[: most.keywords]),
            caption=self.tellable(seen.caption),
            background=seen.background,
            boxes=boxes,
            box_subjects=tuple(numbers[box.subject] if box.subject in known or box.subject in untold else -1 for box in boxes),
            subjects=tuple(numbers[name] for name in known),
            identifiers={numbers[name]: looks[name] for name in untold},
        )

    def tellable(self, caption: str) -> str:
        """A caption as it may leave this user: without whose the things are that it keeps to itself."""
        for item in self.state.kb.of_kind(SUBJECT):
            if item.sharing == OWN:
                caption = unnamed(caption, item.name)
        return caption

    def tellable_goal(self, goal: str) -> str:
        """A goal as it may leave this user: "show the dog" for "show my dog" where that is nobody's business."""
        for item in self.state.kb.of_kind(SUBJECT):
            if item.sharing == OWN:
                goal = impersonal(goal, item.name.rpartition("/")[2])
        return goal

    def may_tell(self, name: str) -> bool:
        """Whether an own subject's look exists and may leave this user."""
        item = self.state.kb.get(SUBJECT, name)
        return item is not None and bool(item.data) and item.sharing != OWN and name not in self.state.albums

    def select(
        self, request: str, sending: Sending, content: PromptContent, rehearsed: float | None, ctx: Context
    ) -> tuple[SemanticNoise, PromptChoice]:
        """Estimate the semantic noise, then choose the parts."""
        seen = sending.seen
        assert seen is not None
        about = self.noise_context(sending, seen, rehearsed)
        noise: SemanticNoise = self.decide(ctx, "noise", "estimate", about, request, private=True)
        snr_db = self.state.mean.db + self.around.uplink_offset_db
        own = self.around.user_settings[self.id].subjects
        untold = [own[number] for number in content.identifiers if own[number] in noise.uncovered]
        context = PromptContext(
            self.candidates(content, seen),
            noise,
            snr_db,
            sending.task,
            knowledge_bits=body_bits(self.knowledge_of(untold)) if untold else 0,
            memory=self.memory("prompt"),
        )
        choice: PromptChoice = self.decide(ctx, "prompt", "select", context, request, private=True)
        self.await_reception(request, seen.boxes, (about, noise), (context, choice))
        return noise, choice

    def noise_context(self, sending: Sending, seen: Extraction, rehearsed: float | None) -> NoiseContext:
        """What the prompt is about, and what is known of the other side: the shared vocabulary and the last summary."""
        certainty: dict[str, float] = {}
        for box in seen.boxes:
            for concept in (box.label, box.subject):
                if concept:
                    certainty[concept] = max(certainty.get(concept, 0.0), box.score)
        known = (*LABELS, *self.state.known, *self.state.told)
        terms = self.state.kb.of_kind(TERM)
        similarity = {}
        for concept in certainty:
            item = self.state.kb.get(SUBJECT, concept)
            if concept not in known and item is not None:
                best = nearest(item.vector, terms)
                similarity[concept] = best[0][0] if best else 0.0
        relevant = tuple(name for name in known if name in certainty)
        told = {"truth": rehearsed} if "truth" in self.around.needs["noise"] else {"rehearsed": rehearsed}
        return NoiseContext(
            concepts=tuple(certainty),
            known=relevant,
            similarity=similarity,
            certainty=certainty,
            task=sending.task,
            things=len(seen.boxes),
            receiver=sending.recipient,
            memory=self.memory("noise"),
            **told,
        )

    def candidates(self, content: PromptContent, seen: Extraction) -> tuple[Candidate, ...]:
        """The parts that a policy may choose from, with their exact costs."""
        bits = part_bits(content)
        labels = tuple(dict.fromkeys(box.label for box in seen.boxes))
        own = self.around.user_settings[self.id].subjects
        offered = {KEYWORDS: labels} if content.keywords else {}
        offered[CAPTION] = labels
        if content.boxes:
            offered[BOXES] = labels
        if content.subjects:
            offered[REFERENCES] = tuple(own[number] for number in content.subjects)
        if content.identifiers:
            offered[IDENTIFIERS] = tuple(own[number] for number in content.identifiers)
        return tuple(Candidate(part, bits[part], concepts) for part, concepts in offered.items())

    def tell(self, request: str, noise: SemanticNoise, content: PromptContent, ctx: Context) -> PromptContent:
        """Share the uncovered subjects' looks (identifier and cut-out) ahead of the prompt, which then refers to them."""
        own = self.around.user_settings[self.id].subjects
        names = [own[number] for number in content.identifiers if own[number] in noise.uncovered]
        if not names:
            return content
        knowledge = self.knowledge_of(names)
        self.send_up(ctx, f"knowledge:{request}", "kb", body_bits(knowledge), knowledge, request=request)
        self.state.told += names
        told = tuple(own.index(name) for name in names)
        kept = {number: vector for number, vector in content.identifiers.items() if number not in told}
        return replace(content, subjects=(*content.subjects, *told), identifiers=kept)

    def knowledge_of(self, names: Sequence[str]) -> Knowledge:
        """The looks of own subjects, as they are shared when they are needed."""
        looks = self.told_looks()
        references = {name: [compress_reference(self.state.references[name])] for name in names if name in self.state.references}
        items = [SharedItem(SUBJECT, name, name.rpartition("/")[2], looks[name], references.get(name, [])) for name in names]
        return Knowledge(self.id, items)

    def send_prompt(self, request: str, sending: Sending, content: PromptContent, ctx: Context) -> None:
        """Code the prompt and send it."""
        data, bits = encode(content)
        prompt = Prompt(request, sending.recipient, sending.t_ns, list(content.parts), data)
        self.send_up(ctx, f"prompt:{request}", "prompt", KIND_BITS + bits, prompt, request=request)

    def remember(self, request: str, sending: Sending, caption: str, ctx: Context) -> None:
        """A history item for a picture sent; the oldest goes when there are too many."""
        self.learn(ctx, HISTORY, request, f"to {sending.recipient}: {caption}")
        history = self.state.kb.of_kind(HISTORY)
        if len(history) > self.settings.knowledge.history_items:
            self.forget(ctx, HISTORY, history[0].name)

    # --- scheme semcom -----------------------------------------------------------------------------------------------

    def encode_picture(self, request: str, sending: Sending, ctx: Context) -> None:
        """Choose a codec for the own uplink and encode the picture itself."""
        radio, state = self.around.air.radio, self.state
        snr_db = dequantise(state.last_level, radio.csi_bits) + self.around.uplink_offset_db
        context = EncoderContext(
            codecs=self.around.uplink_cards,
            csi_snr_db=snr_db,
            csi_age_s=(ctx.now - state.last_csi_ns) / SECOND,
            csi_std_db=error_std_db(snr_db, radio),
            doppler_hz=self.around.doppler_hz(self.id),
            symbol_rate_hz=self.settings.radio.bandwidth_hz,
            last_codec=state.last_codec,
            mean_snr_db=state.mean.db + self.around.uplink_offset_db,
            lead_s=self.around.latency_s("user", "bs"),
            memory=self.memory("encoder"),
            truth=self.around.true_snr_db(self.id, state.bs, "up", ctx.now) if "truth" in self.around.needs["encoder"] else None,
        )
        choice = self.decide(ctx, "encoder", "choose", context, request, about=f"{request}:up", private=True)
        sending.codec = state.last_codec = choice.codec
        ctx.infer(self.runs("jscc_encoder"), Encode(sending.picture, choice.codec, snr_db), f"jscc_encoder:{request}")

    def on_symbols(self, result: Symbols, event: Envelope, ctx: Context) -> None:
        """Encoded: symbols go up behind their header."""
        request = event.in_reply_to.partition(":")[2]
        sending = self.state.sending.pop(request)
        header = JsccPicture(request, sending.recipient, sending.t_ns, sending.codec, frames=told_frames(sending.picture))
        self.send_up(
            ctx, f"features:{request}:up", "features", body_bits(header), header, request=request, symbols=result.symbols
        )
        self.remember(request, sending, "a picture", ctx)
