"""Stage 1 at the cloud: terms, settlement, branch models, a summary of what it knows, and the codec library."""

from collections.abc import Sequence

from msgspec.structs import replace

from ..bus.clock import ns
from ..bus.engine import Context
from ..bus.messages import (
    BranchReady,
    DecoderSet,
    Forwarded,
    KbSummary,
    Knowledge,
    Library,
    Settlement,
    Share,
    SharedItem,
    Terms,
    Tick,
)
from ..policies.protocols import IncentiveTerms, SettleContext, TermsContext
from ..policies.protocols import Settlement as Settled
from .accounting import body_bits, decoder_bits
from .cloud_ledger import CloudLedger
from .cloud_state import Sample, Subject, Taken
from .knowledge import summary_of
from .knowledge.items import CLOUD, HISTORY, PREFERENCE, SUBJECT
from .knowledge.retrieval import to_float16
from .models.roles import Box, Branch, Personalise
from .pictures import decompress, sound

TERMS_AT, SETTLE_AT = 0.1, 0.5
"""When terms are published and answers settled, as shares of the time before the traffic starts."""


def is_album(item: SharedItem) -> bool:
    """Whether an item has pictures, each with its box."""
    return 0 < len(item.pictures) == len(item.boxes)


class CloudPreparation(CloudLedger):
    """Stage 1."""

    def begin_preparation(self, ctx: Context) -> None:
        """Offer the library; set the two dates."""
        library = Library(self.around.codec_bits)
        for edge in self.settings.edges:
            ctx.control(edge, library)
        start_ns = ns(self.settings.traffic.start_s)
        ctx.timer(int(start_ns * TERMS_AT), Tick("terms"))
        ctx.timer(int(start_ns * SETTLE_AT), Tick("settle"))

    def tick_terms(self, tick: Tick, ctx: Context) -> None:
        """Publish what is paid; distribute the decoders."""
        if self.around.prescribed is None and self.settings.traffic.content not in ("text", "alarms"):  # these need none
            decoders = DecoderSet(list(self.around.decoder_bits))
            self.multicast(ctx, "decoders", "installation", decoder_bits(decoders, self.around.decoder_bits), decoders)
        if not self.settings.generates:
            return  # nothing is generated: there is nothing to pay for
        kinds = (PREFERENCE, SUBJECT) if self.ledger is None else (PREFERENCE, SUBJECT, HISTORY)
        context = TermsContext(self.credits_left(), len(self.around.invited), kinds)
        terms: IncentiveTerms = self.decide(ctx, "incentive", "terms", context, about="terms", private=False)
        self.state.mechanism, self.state.rewards, self.state.terms_reason = terms.mechanism, terms.rewards, terms.reason
        published = Terms(terms.mechanism, terms.rewards)
        self.multicast(ctx, "terms", "preparation", body_bits(published), published, list(self.around.invited))

    def got_share(self, share: Share, message: Forwarded, ctx: Context) -> None:
        """An answer; one that comes after the settlement is not paid and not used, nor is what cannot be used."""
        if not self.state.settled:
            usable = [item for item in share.items if sound(item, self.settings.pictures)]
            self.state.shares[share.user] = share if usable == share.items else replace(share, items=usable)

    def tick_settle(self, tick: Tick, ctx: Context) -> None:
        """Pay, and begin to make branch models of what was accepted; with a ledger, once the block that says so is sealed."""
        state = self.state
        state.settled = True
        shares = [state.shares[user] for user in sorted(state.shares) if state.shares[user].items]
        offered = [(share.user, [(item.kind, item) for item in share.items], share.asked) for share in shares]
        taken, payments = self.settle(offered, state.rewards, "settle", ctx)
        state.shares = {}
        if self.ledger is not None:
            self.begin_rounds(ctx)
            self.enter(taken, payments, ctx)
            return
        for user, credits in payments:
            payment = Settlement(user, credits)
            self.multicast(ctx, f"settlement:{user}", "preparation", body_bits(payment), payment, [user])
        self.use(taken, ctx)

    def settle(
        self,
        offered: Sequence[tuple[str, list[tuple[str, SharedItem]], float]],
        rewards: dict[str, float],
        about: str,
        ctx: Context,
    ) -> tuple[Taken, tuple[tuple[str, float], ...]]:
        """Have what was offered settled; what is not accepted is kept nowhere."""
        if not offered:
            return [], ()
        terms = IncentiveTerms(self.state.mechanism, rewards, self.state.terms_reason)
        shared = tuple((user, tuple(kind for kind, _ in items), asked) for user, items, asked in offered)
        context = SettleContext(terms, self.credits_left(), shared)
        settled: Settled = self.decide(ctx, "incentive", "settle", context, about=about, private=False)
        rows = {} if settled.accepted is None else dict(settled.accepted)
        taken = [
            (user, kind, item)
            for user, items, _ in offered
            for index, (kind, item) in enumerate(items)
            if settled.accepted is None or index in rows.get(user, ())
        ]
        return taken, settled.payments

    def use(self, taken: Taken, ctx: Context) -> None:
        """Use accepted items; if no branch model is to be made, all hear what the cloud knows."""
        for user, _, item in taken:
            self.take(user, item, ctx)
        if not self.state.branching and not self.state.version:
            self.publish_summary(ctx)

    def take(self, user: str, item: SharedItem, ctx: Context) -> None:
        """Use one accepted item; pictures of a subject that has a branch are for its refinement."""
        if item.kind == SUBJECT and is_album(item):
            known = item.name in self.state.subjects
            self.add_samples(user, item)
            if not known:
                self.state.branching.append(item.name)
                self.personalise(item.name, ctx)
        elif item.kind == PREFERENCE:
            self.learn(ctx, PREFERENCE, user, f"{user} likes", vector=item.vector, provenance=user, sharing=CLOUD)

    def add_samples(self, user: str, item: SharedItem) -> None:
        """Keep the pictures of a subject."""
        subject = self.state.subjects.setdefault(item.name, Subject(user, item.label))
        subject.samples += [Sample(picture, box) for picture, box in zip(item.pictures, item.boxes, strict=True)]

    def personalise(self, name: str, ctx: Context) -> None:
        """Make a branch model of all pictures of a subject; a refined one keeps the adapter that its owner has downloaded."""
        subject = self.state.subjects[name]
        first = not subject.trained_on
        subject.trained_on = len(subject.samples)
        pictures = [decompress(sample.picture) for sample in subject.samples]
        boxes = [Box(subject.label, "", *sample.box, subject=name) for sample in subject.samples]
        call = Personalise(name, subject.label, pictures, boxes, adapter=first and self.settings.knowledge.branch == "adapter")
        ctx.infer("personaliser", call, f"personaliser:{name}:{len(pictures)}")

    def branch_made(self, result: Branch, ctx: Context) -> None:
        """A first branch model is ready: its owner downloads it; after the last one all hear what the cloud knows."""
        state, name = self.state, result.subject
        state.branching.remove(name)
        identifier = to_float16(result.identifier)
        user = state.subjects[name].user
        self.know(name, identifier, user, "branch", ctx)
        self.keep(result)
        ready = BranchReady(user, name, identifier, 8 * len(result.adapter))
        self.multicast(ctx, f"branch:{name}", "preparation", body_bits(ready), ready, [user])
        if not state.branching:
            self.publish_summary(ctx)

    def keep(self, result: Branch) -> None:
        """Keep those parts of a branch model that stay in the cloud."""
        subject = self.state.subjects[result.subject]
        if self.settings.knowledge.branch != "identifier":
            subject.reference = result.reference
        subject.adapter = result.adapter or subject.adapter

    def know(self, name: str, identifier: bytes, user: str, how: str, ctx: Context) -> None:
        """Keep a subject's look in the KB."""
        self.learn(ctx, SUBJECT, name, f"{name} of {user}, by {how}", data=identifier, provenance=user, sharing=CLOUD)

    def publish_summary(self, ctx: Context) -> None:
        """Tell the users that were invited which subjects the cloud can draw."""
        self.state.version += 1
        summary: KbSummary = summary_of(self.state.kb, self.state.version)
        label = f"summary:{summary.version}"
        self.multicast(ctx, label, "kb", body_bits(summary), summary, list(self.around.invited))

    def got_knowledge(self, knowledge: Knowledge, message: Forwarded, ctx: Context) -> None:
        """More from a user: an identifier of its own making where there is no branch, or further pictures where there is one."""
        for item in knowledge.items:
            if item.kind != SUBJECT or not sound(item, self.settings.pictures):
                continue
            if item.vector and item.name not in self.state.subjects:
                self.know(item.name, to_float16(item.vector), knowledge.user, "its owner's identifier", ctx)
                if item.pictures and self.settings.knowledge.branch != "identifier":
                    told = Subject(knowledge.user, item.label, reference=decompress(item.pictures[0]))
                    self.state.subjects[item.name] = told
            elif is_album(item) and item.name in self.state.subjects and self.ledger is not None:
                self.state.ledger.later.append((knowledge.user, item))
            elif is_album(item) and item.name in self.state.subjects:
                self.add_samples(knowledge.user, item)
