"""Texts at a user: written, understood and told in a few bits; or received, mended in their wording and shown.

With scheme ``gai-scn`` the sender's extractor reads its text and the prompt policy chooses what is told; with ``traditional``
the text goes up as a compressed file. The receiver decodes words or opens a file.
"""

from ..bus.clock import MS
from ..bus.content_messages import CodedText, Profile, WordText
from ..bus.engine import Context
from ..bus.messages import Arrived, Ask, Feedback, Prompt, Tick
from ..bus.records import Capture, Shown
from ..bus.signed import Refusal
from ..policies.protocols import Candidate, NoiseContext, PromptChoice, PromptContext, SemanticNoise
from .accounting import KIND_BITS, body_bits
from .cloud_text import PROFILE
from .knowledge.items import CLOUD, HISTORY, PREFERENCE
from .satisfaction import timeliness
from .texts import prompt as prompts
from .texts.composing import joined
from .texts.files import PACK_FLOPS, packed, unpacked
from .texts.itinerary import Itinerary, Preferences, draw, preferences
from .texts.mending import MEND_FLOPS, decided_text, mended
from .texts.reading import READ_FLOPS, read
from .texts.words import decided, likelihoods, unspelled
from .texts.writing import write
from .user_sending import UserSending
from .user_state import Receiving, Sending

PREFERENCES = "texts"
"""Name of the KB item with what a user always wants, and the concept that a text is in terms of."""
FILE = "deflate"
WORDS = "words"


class UserText(UserSending):
    """Texts, both ways."""

    # --- the way out -----------------------------------------------------------------------------------------------

    def tick_picture(self, tick: Tick, ctx: Context) -> None:
        """Where users send texts: write one."""
        if self.settings.traffic.content != "text":
            super().tick_picture(tick, ctx)
            return
        self.next_picture(ctx.now, tick.number + 1, ctx)
        self.write_text(tick.number, ctx)

    def cannot(self, ask: Ask) -> str:
        """Pictures alone can be asked for."""
        return "the users of this run send no pictures" if self.settings.traffic.content != "pictures" else super().cannot(ask)

    @property
    def likes(self) -> Preferences:
        """What this user always wants."""
        return preferences(self.settings.seed, self.id)

    def write_text(self, number: int, ctx: Context) -> None:
        """Write about a journey and begin to send it."""
        self.wake(ctx)
        request, recipient = f"{self.id}/{number}", self.recipient(number, ctx)
        plan = draw(self.likes, ctx.seed, self.id, number)
        text = write(plan, ctx.seed, self.id, number)
        self.state.sending[request] = Sending(recipient, ctx.now, "", b"", message=text)
        ctx.record(Capture(request, recipient, b"", [], "", "", text, list(plan.facts())), private=True)
        coded = self.settings.scheme == "traditional"
        flops = (PACK_FLOPS if coded else READ_FLOPS) * len(text)
        ctx.timer(self.work_ns(flops), Tick("packed" if coded else "read", request=request))

    def tick_packed(self, tick: Tick, ctx: Context) -> None:
        """Scheme ``traditional``: the file is written."""
        request = tick.request
        sending = self.state.sending.pop(request)
        body = CodedText(request, sending.recipient, sending.t_ns, packed(sending.message))
        self.send_up(ctx, f"features:{request}:up", "features", body_bits(body), body, request=request)
        self.remember(request, sending, "a text", ctx)

    def tick_read(self, tick: Tick, ctx: Context) -> None:
        """The extractor has read the text: choose a prompt and send it."""
        request = tick.request
        sending = self.state.sending.pop(request)
        told = read(sending.message)
        known = PREFERENCES in self.state.told
        noise, choice = self.select_parts(request, sending, told, known, ctx)
        if choice.share_knowledge and PREFERENCES in noise.uncovered:
            self.tell_profile(request, ctx)
            known = True
        number, recipient = int(request.rpartition("/")[2]), self.around.number_of[sending.recipient]
        content = prompts.TextPrompt(number, recipient, sending.t_ns // MS, choice.parts, told, known)
        data, bits = prompts.encode(content, self.likes)
        prompt = Prompt(request, sending.recipient, sending.t_ns, list(choice.parts), data)
        self.send_up(ctx, f"prompt:{request}", "prompt", KIND_BITS + bits, prompt, request=request)
        self.remember(request, sending, "a text", ctx)

    def select_parts(
        self, request: str, sending: Sending, told: Itinerary, known: bool, ctx: Context
    ) -> tuple[SemanticNoise, PromptChoice]:
        """Estimate the semantic noise, then choose the parts."""
        about = NoiseContext(
            concepts=(PREFERENCES,),
            known=(PREFERENCES,) if known else (),
            similarity={},
            certainty={PREFERENCES: 1.0},
            task="greeting",
            receiver=sending.recipient,
        )
        noise: SemanticNoise = self.decide(ctx, "noise", "estimate", about, request, private=True)
        bits = prompts.part_bits(told, self.likes, known)
        candidates = tuple(Candidate(part, bits[part], (PREFERENCES,)) for part in prompts.PARTS)
        snr_db = self.state.mean.db + self.around.uplink_offset_db
        sharing_bits = 0 if known else body_bits(self.profile())
        context = PromptContext(candidates, noise, snr_db, "greeting", knowledge_bits=sharing_bits)
        choice: PromptChoice = self.decide(ctx, "prompt", "select", context, request, private=True)
        return noise, choice

    def profile(self) -> Profile:
        """This user's preferences, as it shares them."""
        return Profile(self.id, prompts.encode_profile(self.likes)[0])

    def tell_profile(self, request: str, ctx: Context) -> None:
        """Share them ahead of a prompt that refers to them."""
        profile = self.profile()
        self.learn(ctx, PREFERENCE, PREFERENCES, "what I always want in texts", data=profile.data, sharing=CLOUD)
        self.send_up(ctx, f"profile:{request}", "kb", body_bits(profile), profile, request=request)
        self.state.told.append(PREFERENCES)

    def not_heard(self, refusal: Refusal) -> None:
        """The cloud lacks what this user always wants, if it has ever told that: it goes with the next text that needs it."""
        if refusal.message == PROFILE and PREFERENCES in self.state.told:
            self.state.told.remove(PREFERENCES)

    # --- the way in ------------------------------------------------------------------------------------------------

    def got_coded_text(self, body: CodedText, message: Arrived, ctx: Context) -> None:
        """A text has arrived as a file."""
        text = unpacked(body.file)
        self.state.receiving[body.request] = Receiving(body.t_ns, FILE, message.snr_db, text.encode())
        ctx.timer(self.work_ns(PACK_FLOPS * len(text)), Tick("worded", 100, body.request))

    def got_word_text(self, header: WordText, message: Arrived, ctx: Context) -> None:
        """A text has arrived as symbols, some of which may be wrong: decode, and mend the wording where the settings want it."""
        scores = likelihoods(message.symbols, message.snr_db)
        heard = decided(scores)
        tokens = mended(scores, self.likes.style) if self.settings.calibrate else []
        text = joined(unspelled(tokens or decided_text(heard)))
        self.state.receiving[header.request] = Receiving(header.t_ns, WORDS, message.snr_db, text.encode())
        sure = round(100 * sum(map(bool, heard)) / max(1, len(heard)))
        work_ns = self.work_ns(MEND_FLOPS * len(heard)) if self.settings.calibrate else 0
        ctx.timer(work_ns, Tick("worded", sure, header.request))

    def tick_worded(self, tick: Tick, ctx: Context) -> None:
        """Show it, remember it, and tell the edge how satisfied this user is: by the words (per cent) that came for sure."""
        request = tick.request
        receiving = self.state.receiving.pop(request)
        latency_ns = ctx.now - receiving.t_ns
        text = receiving.picture.decode()
        ctx.record(Shown(request, b"", receiving.codec, receiving.snr_db, latency_ns, text), private=True)
        sender = request.partition("/")[0]
        self.learn(ctx, HISTORY, request, f"from {sender}", provenance=sender)
        history = self.state.kb.of_kind(HISTORY)
        if len(history) > self.settings.knowledge.history_items:
            self.forget(ctx, HISTORY, history[0].name)
        good = tick.number / 100
        feedback = Feedback(request, good * timeliness(latency_ns), good, latency_ns)
        self.send_up(ctx, f"feedback:{request}", "feedback", body_bits(feedback), feedback, request=request)
