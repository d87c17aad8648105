"""What a run's users did not share, and whether any of it is in a message."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from semcast.agents.knowledge.items import CLOUD
from semcast.agents.knowledge.retrieval import as_vector, to_float16
from semcast.agents.pictures import compress, shared_album
from semcast.agents.prompt_codec import PromptContent, decode
from semcast.agents.scenes.vocabulary import SUBJECTS
from semcast.bus.envelope import Envelope
from semcast.bus.messages import Knowledge, Prompt, Share, Uplink
from semcast.bus.records import Capture, Decision, KbRecord, Shown

Record = tuple[Envelope, bytes, bool]
"""(envelope, its bytes, whether it is private)."""


@dataclass
class Secrets:
    """Of a run, as its private records tell.

    ``vectors``: name -> embeddings and identifiers of items that their owner declined to share, or never offered.
    ``pictures``: name -> raw and compressed pictures that were not shared. ``subjects``: owner -> those it declined to share.
    """

    vectors: dict[str, list[bytes]] = field(default_factory=dict)
    pictures: dict[str, list[bytes]] = field(default_factory=dict)
    subjects: dict[str, list[str]] = field(default_factory=dict)


def secrets_of(records: Iterable[Record]) -> Secrets:
    """Collect them: the answers to the terms say what was declined, and what is shared later is in the users' messages."""
    found, declined, shared, agreed, more = Secrets(), set(), set(), set(), set()
    rows = [(envelope, private) for envelope, _, private in records]
    for envelope, _ in rows:
        payload, user = envelope.payload, envelope.source
        if isinstance(payload, Decision) and payload.verb == "respond":
            items = {offer["name"] for offer in payload.context["offers"]}
            declined |= {(user, name) for name in items - set(payload.choice["items"])}
            shared |= {(user, name) for name in payload.choice["items"]}
        if isinstance(payload, KbRecord) and user.startswith("user.") and payload.sharing == CLOUD:
            agreed.add((user, f"{payload.item_kind}:{payload.name}"))  # it may be told when it is needed
        if isinstance(payload, Uplink) and isinstance(payload.body, Knowledge):
            more |= {picture for item in payload.body.items for picture in item.pictures}
    declined, shared = declined - agreed, shared | agreed
    for envelope, private in rows:
        payload, user = envelope.payload, envelope.source
        if isinstance(payload, KbRecord) and user.startswith("user.") and payload.sharing == "private":
            item = f"{payload.item_kind}:{payload.name}"
            vectors = [vector for vector in (payload.vector, payload.data) if vector]
            if vectors and (user, item) not in shared:
                found.vectors.setdefault(f"{user} {item}", []).extend(vectors)
        elif isinstance(payload, Capture | Shown):
            assert private
            files = [] if compress(payload.picture) in more else [compress(payload.picture)]
            found.pictures[f"{user} {payload.request} {type(payload).__name__}"] = [payload.picture, *files]
    for user, item in sorted(declined):
        kind, _, name = item.partition(":")
        if kind == "subject":
            found.pictures[f"{user} {item}"] = shared_album(name)
            found.subjects.setdefault(user, []).append(name)
    return found


def leaks(records: Iterable[Record], secrets: Secrets) -> Iterator[str]:
    """Where a secret is in a record that is not private: as it is, as float16, or inside a prompt's code."""
    known = {to_float16(vector): name for name, vectors in secrets.vectors.items() for vector in vectors}
    wanted = [(name, raw) for group in (secrets.vectors, secrets.pictures) for name, raws in group.items() for raw in raws]
    wanted += [(name, as_vector(v).astype("<f2").tobytes()) for name, vectors in secrets.vectors.items() for v in vectors]
    wanted += [(known[v], v) for v in known]
    for envelope, raw, private in records:
        if private:
            continue
        where = f"{envelope.kind} of {envelope.source} to {envelope.destination}"
        yield from (f"{name} in {where}" for name, secret in wanted if secret in raw)
        body = getattr(envelope.payload, "body", None)
        if isinstance(body, Prompt) and envelope.source.startswith("user."):
            yield from (f"{what} in {where}" for what in prompt_leaks(decode(body.data), envelope.source, known, secrets))
        if isinstance(body, Share | Knowledge):
            yield from (f"{item.name} in {where}" for item in body.items if item.name in secrets.subjects.get(body.user, ()))


def prompt_leaks(prompt: PromptContent, user: str, known: dict[bytes, str], secrets: Secrets) -> Iterator[str]:
    """What a prompt tells of things that are not shared: identifiers, references, or whose they are."""
    yield from (known[vector] for vector in prompt.identifiers.values() if vector in known)
    for name in secrets.subjects.get(user, ()):
        if SUBJECTS[name].owner in prompt.caption or SUBJECTS[name].owner in " ".join((prompt.goal, *prompt.keywords)):
            yield f"{name} by its owner's name: {prompt.caption!r}"
        label = SUBJECTS[name].label
        if re.search(rf"\bmy ([\w-]+ )?{label}\b", prompt.goal):
            yield f"{name} by its owner's goal: {prompt.goal!r}"
        if prompt.subjects or any(number >= 0 for number in prompt.box_subjects):
            yield f"{name} by its number"
