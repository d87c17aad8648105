"""Records read for metrics: the fields that decide a result, and nothing of what they carry besides.

A lean payload has the kind of a message or record and some of its fields, under their names; whoever takes it can as well be
given the whole one. Results of model calls have none: that they came, and when, is all that is asked.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from ...agents.models.roles import Result
from ...bus.content_messages import TextContent
from ...bus.envelope import Envelope
from ...bus.messages import Attach, Body, Content, Failure, Feedback, SharedItem
from ...bus.payload import Message, kind_of
from ...bus.records import AirRecord, Attack, Capture, Decision, Shown, Verdict


class _Lean(Struct, frozen=True, gc=False, tag=kind_of):
    """Takes what it has fields for; the rest is passed over."""


class _Share(_Lean, frozen=True, tag="share"):
    user: str
    items: list[SharedItem]


class _ShareHeads(_Lean, frozen=True, tag="share"):
    user: str
    items: list[Raw]


class _Settlement(_Lean, frozen=True, tag="settlement"):
    user: str
    credits: float


class _BranchReady(_Lean, frozen=True, tag="branch_ready"):
    user: str
    subject: str


class _Delta(_Lean, frozen=True, tag="delta"):
    version: int


class _Knowledge(_Lean, frozen=True, tag="knowledge"):
    user: str
    items: list[SharedItem]


class _Prompt(_Lean, frozen=True, tag="prompt"):
    parts: list[str]
    data: bytes


class _Order(_Lean, frozen=True, tag="prompt"):
    request: str


class _GenerateOrder(_Lean, frozen=True, tag="generate_order"):
    prompt: _Order


class _Csi(Struct, frozen=True, gc=False):
    csi_snr_db: Any = None
    csi_age_s: Any = None


class _Choice(Struct, frozen=True, gc=False):
    value: Any = None
    parts: Any = ()
    codec: Any = ""


class LeanDecision(_Lean, frozen=True, tag="decision"):
    """What rows hold of a `Decision`; of kinds of policies that rows do not tell of, whatever has these names."""

    request: str
    policy_kind: str
    context: _Csi
    choice: _Choice


def lean_decision(decision: Decision) -> LeanDecision:
    """The lean form of a whole one."""
    context, choice = msgspec.convert(decision.context, _Csi), msgspec.convert(decision.choice, _Choice)
    return LeanDecision(decision.request, decision.policy_kind, context, choice)


class _KbRecord(_Lean, frozen=True, tag="kb_record"):
    item_kind: str
    name: str
    removed: bool


def _bodies(*kept: type) -> Any:
    """A union of all kinds of bodies: these, and the others without a field."""
    by_kind = {kind_of(body.__name__): body for body in Body.__args__}
    lean: dict[str, type] = {kind: msgspec.defstruct(kind, [], tag=kind, frozen=True, gc=False) for kind in by_kind}
    lean |= {str(each.__struct_config__.tag): each for each in kept}  # type: ignore[attr-defined]
    union: Any = None
    for body in lean.values():
        union = body if union is None else union | body
    return union


def _carrier(kind: str, body: Any, *fields: str) -> type:
    return msgspec.defstruct(kind, [*((name, str) for name in fields), ("body", body)], tag=kind, frozen=True, gc=False)


def _payloads(vectors: bool) -> dict[str, Any]:
    """Kind -> what is read of it; ``vectors``: also those that users send."""
    up = _bodies(Feedback, _Share, _Knowledge, _Prompt) if vectors else _bodies(Feedback)
    whole: tuple[type[Message], ...] = (Capture, AirRecord, Content, TextContent, Shown, Failure, Attach, Attack, Verdict)
    return {
        **{str(each.__struct_config__.tag): each for each in whole},
        "uplink": _carrier("uplink", up, "user", "request"),
        "forwarded": _carrier("forwarded", _bodies(_ShareHeads, _Settlement, _BranchReady, _Delta), "request"),
        "downlink": _carrier("downlink", _bodies(_Settlement, _BranchReady, _Delta), "request"),
        "arrived": _carrier("arrived", _bodies(), "request"),
        "generate_order": _GenerateOrder,
        "decision": LeanDecision,
        "kb_record": _KbRecord,
        **{kind_of(result.__name__): Raw for result in Result.__args__},
    }


def readers(vectors: bool = False) -> Mapping[str, Callable[[bytes], Envelope]]:
    """Kind -> function that reads the MessagePack form of an envelope of that kind; kinds that decide nothing are not there.

    Args:
        vectors: Whether what users tell of themselves is wanted (see `privacy`).
    """
    found: dict[str, Callable[[bytes], Any]] = {}
    for kind, payload in _payloads(vectors).items():
        fields = [(field.name, payload if field.name == "payload" else field.type) for field in msgspec.structs.fields(Envelope)]
        typed = msgspec.defstruct(f"Lean_{kind}", fields, bases=(Envelope,), frozen=True, array_like=True, gc=False)
        found[kind] = msgspec.msgpack.Decoder(typed).decode
    return found
