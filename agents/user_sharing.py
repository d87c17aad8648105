"""Stage 1 and 3 at a user: what it knows and likes, what it shares for which reward, what comes back."""

from ..bus import keys
from ..bus.clock import ns
from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Arrived, BranchReady, DecoderSet, Delta, KbSummary, Knowledge, Settlement, Share, SharedItem, Terms
from ..policies.protocols import IncentiveTerms, Offer, RespondContext, Response
from .accounting import body_bits
from .knowledge.items import CLOUD, HISTORY, OWN, PREFERENCE, PUBLIC, SUBJECT, TASK, TERM
from .knowledge.retrieval import to_float16
from .models.roles import Box, Branch, Embed, Embedding, Extract, Extraction, Personalise
from .pictures import ALBUM_PICTURES, compress, cut, decompress, place, shared_album
from .prompt_codec import TASKS
from .scenes.vocabulary import BACKGROUND_NAMES, BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS, SUBJECTS
from .user_ledger import UserLedger
from .user_privacy import UserPrivacy
from .user_state import Album

CREDITS_A_PICTURE = 0.1
"""What it is worth to a user that a picture of its own subject is drawn right."""
TASK_TEXTS = {"greeting": "say hello with a picture, any place will do", "mapping": "show where things are"}


class UserSharing(UserLedger, UserPrivacy):
    """Knowledge and incentives."""

    def begin_knowledge(self, ctx: Context) -> None:
        """Put tasks, a preference, the own subjects and what they are compared with into the KB; the embedder's vectors first."""
        for task in TASKS:
            self.learn(ctx, TASK, task, TASK_TEXTS[task], sharing=PUBLIC)
        ctx.infer("embedder", Embed(list(self.texts())), "embedder:knowledge")

    def texts(self) -> dict[str, tuple[str, str, str]]:
        """Text -> (kind, name, sharing) of all that is embedded at the start; a subject's and its class's words differ."""
        likes = keys.digest((self.settings.seed, "preference", self.id), 3)
        colour, label = COLOUR_NAMES[likes[0] % len(COLOUR_NAMES)], LABELS[likes[1] % len(LABELS)]
        place = BACKGROUND_PHRASES[BACKGROUND_NAMES[likes[2] % len(BACKGROUND_NAMES)]]
        texts = {f"I like {colour} {PLURALS.get(label, label + 's')} {place}": (PREFERENCE, "pictures", "private")}
        for name in self.around.user_settings[self.id].subjects:
            subject = SUBJECTS[name]
            texts[f"{subject.owner}'s {subject.colour} {subject.label}"] = (SUBJECT, name, "private")
        if not self.around.user_settings[self.id].subjects:
            return texts
        terms = {word: (TERM, word, PUBLIC) for word in (*LABELS, *BACKGROUND_NAMES)}  # what subjects are compared with
        return texts | terms

    def on_embedding(self, result: Embedding, event: Envelope, ctx: Context) -> None:
        """The embeddings are there: the KB's first items."""
        for (text, (kind, name, sharing)), vector in zip(self.texts().items(), result.vectors, strict=True):
            source = "vocabulary" if kind == TERM else self.id
            self.learn(ctx, kind, name, text, vector=vector, sharing=sharing, provenance=source)
        early, self.state.early_terms = self.state.early_terms, None
        if early is not None:
            self.answer(early, ctx)

    # --- terms and answer ------------------------------------------------------------------------------------------

    def got_terms(self, terms: Terms, message: Arrived, ctx: Context) -> None:
        """Answer, or keep the terms until the KB has its first items."""
        if self.state.kb.of_kind(PREFERENCE):
            self.answer(terms, ctx)
        else:
            self.state.early_terms = terms

    def answer(self, terms: Terms, ctx: Context) -> None:
        """Decide what to share, in this user's own interest."""
        context = RespondContext(IncentiveTerms(terms.mechanism, terms.rewards, ""), self.offers())
        response: Response = self.decide(ctx, "incentive", "respond", context, about=self.id, private=True)
        self.state.asked, self.state.rewards = response.asked, terms.rewards
        self.vote(ctx)
        for name in response.items:
            kind, _, item = name.partition(":")
            self.prepare(kind, item, ctx)
        for own in self.state.kb.of_kind(SUBJECT):  # shared or not: a user wants to recognise what is its own
            self.look_through(own.name, ctx)
        if not self.state.albums:
            self.share(ctx)

    def offers(self) -> tuple[Offer, ...]:
        """What this user could share, with its keyed privacy costs; the utility is that of better pictures of its own subject."""
        offers = []
        for kind in (PREFERENCE, SUBJECT):
            for item in self.state.kb.of_kind(kind):
                utility = self.subject_utility() if kind == SUBJECT else 0.0
                offers.append(Offer(kind, f"{kind}:{item.name}", self.privacy_cost(kind, item.name), utility))
        return tuple(offers)

    def subject_utility(self) -> float:
        """What it is worth to this user, in credits, that one of its subjects is drawn right in the pictures of a run."""
        traffic = self.settings.traffic
        expected = traffic.rate_hz * max(traffic.duration_s - traffic.start_s, 0.0) * traffic.subject_share
        return CREDITS_A_PICTURE * expected / max(1, len(self.state.kb.of_kind(SUBJECT)))

    def privacy_cost(self, kind: str, name: str) -> float:
        """What sharing an item costs this user, in credits; keyed."""
        low, high = self.settings.knowledge.privacy_cost
        return low + (high - low) * keys.uniform(self.settings.seed, "privacy", self.id, kind, name)

    def prepare(self, kind: str, name: str, ctx: Context) -> None:
        """Make an item ready to be shared: its level rises."""
        item = self.state.kb.get(kind, name)
        assert item is not None
        self.learn(ctx, kind, name, item.text, vector=item.vector, data=item.data, sharing=CLOUD)
        if kind != SUBJECT:
            self.state.preparing.append(SharedItem(kind, name, "", self.protected(kind, name, item.vector)))

    def look_through(self, name: str, ctx: Context) -> None:
        """Find a subject in the pictures that its owner has of it."""
        self.state.albums[name] = Album()
        for index, file in enumerate(shared_album(name, self.settings.pictures)):
            self.state.albums[name].pictures.append(file)
            ctx.infer(self.runs("extractor"), Extract(decompress(file)), f"extractor:share:{name}:{index}")

    def found_own(self, name: str, result: Extraction, ctx: Context) -> None:
        """The extractor has looked at one picture of an own subject; after the last one all is shared."""
        own = self.state.albums[name]
        box = place(SUBJECTS[name].label, result.boxes)
        own.boxes.append((box.cx, box.cy, box.width, box.height))
        if self.settings.calibrate and name not in self.state.references:
            self.state.references[name] = cut(decompress(own.pictures[len(own.boxes) - 1]), box)
        if all(len(each.boxes) == ALBUM_PICTURES for each in self.state.albums.values()):
            self.share(ctx)

    def share(self, ctx: Context) -> None:
        """Answer the terms; no items means declined."""
        state = self.state
        for name, album in state.albums.items():
            item = state.kb.get(SUBJECT, name)
            if item is None or item.sharing == OWN:
                continue
            state.preparing.append(SharedItem(SUBJECT, name, SUBJECTS[name].label, b"", album.pictures, album.boxes))
        share = Share(self.id, state.preparing, state.asked)
        state.preparing = []
        self.send_up(ctx, f"share:{self.id}", "preparation", body_bits(share), share)

    # --- what comes back -------------------------------------------------------------------------------------------

    def got_settlement(self, settlement: Settlement, message: Arrived, ctx: Context) -> None:
        """Credits."""
        self.state.credits += settlement.credits

    def got_branch_ready(self, branch: BranchReady, message: Arrived, ctx: Context) -> None:
        """The cloud has made a branch model of an own subject: the local extractor can recognise it now."""
        self.take_identifier(branch.subject, branch.identifier, "branch", ctx)

    def take_identifier(self, name: str, identifier: bytes, provenance: str, ctx: Context) -> None:
        """Keep a subject's look."""
        item = self.state.kb.get(SUBJECT, name)
        if item is not None:
            self.learn(
                ctx, SUBJECT, name, item.text, vector=item.vector, data=identifier, sharing=item.sharing, provenance=provenance
            )

    def got_decoder_set(self, decoders: DecoderSet, message: Arrived, ctx: Context) -> None:
        """Decoders of the edges' library are installed."""
        self.state.decoders = decoders.codecs

    def got_kb_summary(self, summary: KbSummary, message: Arrived, ctx: Context) -> None:
        """What the generating side knows; an own subject that was not shared, or was left out, is learned here."""
        self.state.known = summary.subjects
        looks = self.looks()
        for name, album in self.state.albums.items():
            if name in summary.subjects:
                continue
            self.reconsider(name, ctx)
            if name not in looks:
                label = SUBJECTS[name].label
                boxes = [Box(label, "", *box) for box in album.boxes]
                pictures = [decompress(file) for file in album.pictures]
                ctx.infer("personaliser", Personalise(name, label, pictures, boxes), f"personaliser:{name}")
        self.state.albums = {}

    def reconsider(self, name: str, ctx: Context) -> None:
        """Whether a look that the cloud did not buy may be told when a picture needs it, for nothing but better pictures.

        One look costs its share of what the album costs. What is not worth it stays with its owner, also if it was offered.
        """
        item = self.state.kb.get(SUBJECT, name)
        assert item is not None
        cost = self.privacy_cost(SUBJECT, name) / ALBUM_PICTURES
        level = CLOUD if cost <= self.subject_utility() else OWN
        if level != item.sharing:
            self.learn(ctx, SUBJECT, name, item.text, vector=item.vector, data=item.data, sharing=level)

    def on_branch(self, result: Branch, event: Envelope, ctx: Context) -> None:
        """The own subject has been learned locally."""
        self.take_identifier(result.subject, to_float16(result.identifier), "local", ctx)
        if self.settings.knowledge.branch != "identifier":
            self.state.references.setdefault(result.subject, result.reference)

    # --- stage 3 ---------------------------------------------------------------------------------------------------

    def got_delta(self, delta: Delta, message: Arrived, ctx: Context) -> None:
        """Refined identifiers; those of own subjects are taken."""
        for name, identifier in delta.identifiers.items():
            if self.state.kb.get(SUBJECT, name) is not None:
                self.take_identifier(name, identifier, f"delta:{delta.version}", ctx)

    def share_more(self, picture: bytes, box: Box, ctx: Context) -> None:
        """Share a further picture of an own subject that was taken anyway, at most one each sync period.

        The cloud knows the look, so that a further picture costs no privacy any more; where such pictures are paid for, the
        incentive is asked.
        """
        item, state = self.state.kb.get(SUBJECT, box.subject), self.state
        period_ns = ns(self.settings.traffic.feedback_sync_s)
        if item is None or item.sharing != CLOUD or box.subject not in state.known or ctx.now - state.extra_ns < period_ns:
            return
        state.extra_ns = ctx.now
        if HISTORY in state.rewards:
            offers = (Offer(HISTORY, f"{HISTORY}:{item.name}", 0.0, 0.0),)
            context = RespondContext(IncentiveTerms(self.policies["incentive"][0], state.rewards, ""), offers)
            about = f"{self.id}:{ctx.now}"
            response: Response = self.decide(ctx, "incentive", "respond", context, about=about, private=True)
            if not response.items:
                return
        place = (box.cx, box.cy, box.width, box.height)
        shared = SharedItem(SUBJECT, box.subject, box.label, b"", [compress(picture)], [place])
        more = Knowledge(self.id, [shared])
        self.send_up(ctx, f"more:{self.id}:{ctx.now}", "kb", body_bits(more), more)
