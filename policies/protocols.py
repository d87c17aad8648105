"""What each kind of policy is asked and what it answers.

A policy is a small class with one verb: a frozen context in, a decision with a ``reason`` out. It does no I/O and knows
neither Ray nor NATS; the same context, memory and ``rng`` give the same decision. ``rng`` is a ``Draw``: keyed by the run's
seed, the policy kind and the request, so that another policy meets the same luck. Contexts hold only what the deciding
agent knows.

- A policy that learns (kinds noise, prompt and encoder) also has ``learn(memory, lesson) -> memory``, as pure as its verb. The
  agent keeps the memory in its state, hands it to the verb in the context, and calls ``learn`` when it hears what came of a
  decision: an edge by its receivers' feedback, a sender by what receivers say that they saw, which is charged both ways.
- A policy that wants a model asked first names it in ``needs``: ``"rehearsal"`` (kind noise).
- An oracle has ``privileged = True`` and gets what no agent can know as the context's ``truth``, which is ``None`` for all
  others. Only built-in classes can be oracles.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

Draw = Callable[[str], float]
"""``rng("name")`` -> a keyed draw from U[0, 1)."""

Memory = dict[str, tuple[float, ...]]
"""What a policy has learned so far: named vectors, empty at first. A new one replaces it; it is never changed in place."""


class Outcome(Struct, frozen=True):
    """What an agent heard of one of its requests.

    ``quality`` in [0, 1] is the receiver's own (see ``agents.satisfaction``). ``error`` in [0, 1]: semantic error
    (``agents.meaning``) that a sender finds when it compares what it saw with what the receiver says that it saw; ``None`` at an
    edge, and for a request that was not ``shown``, because it failed.
    """

    quality: float
    latency_s: float
    error: float | None = None
    shown: bool = True


class Candidate(Struct, frozen=True):
    """One part that a prompt may hold: its ``name`` and exact cost in ``bits``.

    ``name``: ``keywords``, ``caption``, ``boxes``, ``references`` or ``identifiers``; of a text ``keywords``, ``meals`` or
    ``details``. ``concepts``: the KB concepts it carries (labels, subject names).
    """

    name: str
    bits: int
    concepts: tuple[str, ...] = ()


class NoiseContext(Struct, frozen=True):
    """Asked by a sender before it selects: the prompt's concepts and what it knows of the generating side's knowledge.

    ``known``: concepts that the last KB summary and shared vocabulary cover. ``similarity``: concept -> highest cosine similarity
    (MiniLM) to anything known there, for the concepts not covered word by word. ``certainty``: concept -> the extractor's score.
    ``task`` says what matters ("greeting": any place; "mapping": places count). ``things``: objects seen, all of them.
    ``receiver``: to whom it goes.
    """

    concepts: tuple[str, ...]
    known: tuple[str, ...]
    similarity: dict[str, float]
    certainty: dict[str, float]
    task: str
    things: int = 0
    receiver: str = ""
    memory: Memory = {}
    rehearsed: float | None = None
    """Semantic error of the sender's own rehearsal of the plainest prompt, for policies that need ``"rehearsal"``."""
    truth: float | None = None
    """For an oracle: semantic error of the plainest prompt, drawn as the cloud will draw it, against the true scene."""


class SemanticNoise(Struct, frozen=True):
    """The generating side's expected misunderstanding of a picture.

    ``value`` in [0, 1]: expected semantic error (``agents.meaning``) of what is generated when only the plainest prompt is sent,
    the caption without references or identifiers. GAI-SCN (Xia et al., arXiv 2308.15483, sections III-A and V-A) asks for such
    an estimate and gives no formula. ``uncovered``: the concepts that the generating side does not know.
    """

    value: float
    uncovered: tuple[str, ...]
    reason: str


class PromptContext(Struct, frozen=True):
    """Asked by a sender: which candidates go into the prompt. ``snr_db``: last reported uplink SNR; ``budget_bits``: 0 = none.

    ``knowledge_bits``: what sharing the uncovered subjects' KB items first would cost; 0: there is nothing that may be shared.
    """

    candidates: tuple[Candidate, ...]
    noise: SemanticNoise
    snr_db: float
    task: str
    budget_bits: int = 0
    knowledge_bits: int = 0
    memory: Memory = {}


class PromptChoice(Struct, frozen=True):
    """``parts``: names of candidates. ``share_knowledge``: first send the uncovered subjects' KB items (bits are charged)."""

    parts: tuple[str, ...]
    share_knowledge: bool
    reason: str


CODED = "coded-"
"""Names of choices that send a picture as coded bits instead of JSCC symbols begin with this."""


class CodecCard(Struct, frozen=True):
    """One JSCC codec that the asker holds: trained at ``snr_db``, ``cbr`` in complex uses / (3 H W), ``symbols`` a picture.

    ``psnr_db``: predicted quality as (snr_db, psnr_db) pairs in rising SNR, measured on validation pictures.

    Where a scenario offers coded bits (`CODED`), their card is made for the receiver: ``symbols`` is what they take on average in
    the scheme for its mean SNR, ``snr_db``.
    """

    name: str
    snr_db: float
    cbr: float
    symbols: int
    psnr_db: tuple[tuple[float, float], ...]
    encode_s: float = 0.0
    """Time that encoding takes the asker's processor."""
    decode_s: float = 0.0
    """Time that decoding takes the other side's processor."""
    joules: float = 0.0
    """Energy of both and of the transmitter for one picture."""


class EncoderContext(Struct, frozen=True):
    """Asked by an edge (or a user's uplink): which codec. CSI as reported: value, age and standard deviation of its error.

    ``doppler_hz``: maximum Doppler shift at the receiver's nominal speed. ``symbol_rate_hz``: the cell's, complex.
    """

    codecs: tuple[CodecCard, ...]
    csi_snr_db: float
    csi_age_s: float
    csi_std_db: float
    doppler_hz: float
    symbol_rate_hz: float
    last_codec: str = ""
    """Last codec chosen for this receiver (hysteresis)."""
    mean_snr_db: float | None = None
    """Mean SNR of this receiver's reports so far; ``None``: not known."""
    lead_s: float = 0.0
    """Time from this decision to the first symbol on the air besides the encoding: what the CSI ages further, at least."""
    waited_s: float = 0.0
    """Age of the picture: time since it was taken."""
    memory: Memory = {}
    denoiser: bool = False
    """Whether receivers can denoise the features of specialists before they decode them."""
    truth: float | None = None
    """For an oracle: the link's true SNR in dB when the first symbol can be on the air."""


class EncoderChoice(Struct, frozen=True):
    """``codec``: name of one of the context's codecs. ``denoise``: whether the receiver, if it can, denoises first."""

    codec: str
    reason: str
    denoise: bool = True


class TermsContext(Struct, frozen=True):
    """Asked of the cloud in stage 1: ``budget`` credits, number of ``users``, the ``kinds`` of KB items it could use."""

    budget: float
    users: int
    kinds: tuple[str, ...]


class IncentiveTerms(Struct, frozen=True):
    """``rewards``: KB item kind -> credits an item."""

    mechanism: str
    rewards: dict[str, float]
    reason: str


class Offer(Struct, frozen=True):
    """One item that a user could share: its ``kind``, ``name``, private ``cost`` in credits.

    ``utility``: what better service by sharing it is worth to the user, in credits.
    """

    kind: str
    name: str
    cost: float
    utility: float


class RespondContext(Struct, frozen=True):
    """Asked of a user: the terms it met and what it could share."""

    terms: IncentiveTerms
    offers: tuple[Offer, ...]


class Response(Struct, frozen=True):
    """``items``: names of the offers that the user shares; ``asked``: credits it asks for."""

    items: tuple[str, ...]
    asked: float
    reason: str


class SettleContext(Struct, frozen=True):
    """Asked of the cloud: what came in: (user, kinds of the items shared, credits asked), in canonical order."""

    terms: IncentiveTerms
    budget: float
    shared: tuple[tuple[str, tuple[str, ...], float], ...]


class Settlement(Struct, frozen=True):
    """``payments``: (user, credits) in the context's order; their sum never exceeds the budget.

    ``accepted``: (user, indices into the items that this user shared), in the context's order; ``None``: all. The cloud does
    not use items that were not accepted.
    """

    payments: tuple[tuple[str, float], ...]
    reason: str
    accepted: tuple[tuple[str, tuple[int, ...]], ...] | None = None


class QueuedTransfer(Struct, frozen=True):
    """One transfer that waits for air at a base station. ``snr_db`` as last reported; ``waited_ns`` since it was queued.

    ``mean_snr_db``: mean of this user's reports so far; ``None``: not known.
    """

    number: int
    user: str
    direction: str
    purpose: str
    symbols: int
    snr_db: float
    waited_ns: int
    mean_snr_db: float | None = None


class ScheduleContext(Struct, frozen=True):
    """Asked of a base station when one direction of its air is free.

    ``served``: (user, symbols so far) in user order, of those that wait and were served before;
    ``last_user``: whose transfer went last in this direction; empty: nobody's, or not known.
    """

    queue: tuple[QueuedTransfer, ...]
    served: tuple[tuple[str, int], ...]
    last_user: str = ""


class Allocation(Struct, frozen=True):
    """``number`` of the transfer that goes next."""

    number: int
    reason: str


class StoredCodec(Struct, frozen=True):
    """One codec in an edge's store: its size, how often and how long ago it was last used, and what it costs to get again.

    ``level``: the store's level when it was last used or came in.
    """

    name: str
    bits: int
    uses: int
    idle_s: float
    fetch_s: float
    level: float = 0.0


class EvictionContext(Struct, frozen=True):
    """Asked of an edge whose store is full when codec ``name`` comes: ``held`` in the order of last use, oldest first.

    ``room_bits``: what must be freed at least. ``level``: that of the last ``Eviction``, 0 at first.
    """

    held: tuple[StoredCodec, ...]
    name: str
    room_bits: int
    level: float = 0.0


class Eviction(Struct, frozen=True):
    """``names``: codecs that go. ``level``: a number that the store keeps for the policy (see ``EvictionContext``)."""

    names: tuple[str, ...]
    reason: str
    level: float = 0.0


class NoiseLesson(Struct, frozen=True):
    """What came of an estimate; ``parts``: what was sent in the end; ``shared``: whether knowledge went first.

    The context is without memory and truth.
    """

    context: NoiseContext
    choice: SemanticNoise
    parts: tuple[str, ...]
    shared: bool
    outcome: Outcome


class PromptLesson(Struct, frozen=True):
    """What came of a prompt. The context is without memory."""

    context: PromptContext
    choice: PromptChoice
    outcome: Outcome


class EncoderLesson(Struct, frozen=True):
    """What came of a codec. The context is without memory and truth."""

    context: EncoderContext
    choice: EncoderChoice
    outcome: Outcome


class NoisePolicy(Protocol):
    """Estimates semantic noise."""

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Estimate the noise that the context's concepts would meet."""


class PromptPolicy(Protocol):
    """Selects the prompt."""

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select among the candidates; the parts must be names of candidates."""


class EncoderPolicy(Protocol):
    """Chooses the JSCC codec by CSI."""

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose one of the context's codecs."""


class IncentivePolicy(Protocol):
    """Pays for shared preferences. ``respond`` is the user's own interest under the mechanism."""

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish what is paid."""

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """Decide what to share."""

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Pay within the budget."""


class SchedulingPolicy(Protocol):
    """Allocates air time."""

    def allocate(self, context: ScheduleContext, rng: Draw) -> Allocation:
        """Pick the next transfer; the queue is never empty."""


class EvictionPolicy(Protocol):
    """Makes room in an edge's store of codecs."""

    def evict(self, context: EvictionContext, rng: Draw) -> Eviction:
        """Free at least the room that is needed."""


CONTEXTS: dict[str, type[Struct]] = {
    "estimate": NoiseContext,
    "select": PromptContext,
    "choose": EncoderContext,
    "terms": TermsContext,
    "respond": RespondContext,
    "settle": SettleContext,
    "allocate": ScheduleContext,
    "evict": EvictionContext,
}
"""What each verb is given."""

LESSONS: dict[str, type[Struct]] = {"noise": NoiseLesson, "prompt": PromptLesson, "encoder": EncoderLesson}
"""What ``learn`` is given, by kind."""
