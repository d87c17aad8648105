"""The knowledge base of one agent: the fold of its ``KbRecord`` events, so that a trace rebuilds every KB."""

from collections.abc import Iterable

from msgspec import Struct, field

from ...bus.errors import RunFailed
from ...bus.records import KbRecord
from .items import KINDS, SHARING, KbItem, key_of


class KnowledgeBase(Struct):
    """All items of one agent by `key_of`, in the order in which they first came.

    Change it with `apply` only: what has no record does not exist after a replay.
    """

    items: dict[str, KbItem] = field(default_factory=dict)

    def apply(self, record: KbRecord) -> None:
        """Take one change: put an item of the next version, or remove it.

        Raises:
            RunFailed: The kind or sharing level is unknown, or the version does not follow on the one that is held.
        """
        if record.item_kind not in KINDS or record.sharing not in SHARING:
            raise RunFailed(
                f"KB record {record.item_kind}:{record.name} with sharing {record.sharing!r}",
                f"kinds: {', '.join(KINDS)}; sharing: {', '.join(SHARING)}",
            )
        key = key_of(record.item_kind, record.name)
        if record.version != self.next_version(record.item_kind, record.name):
            raise RunFailed(
                f"KB record {key} has version {record.version}, {self.next_version(record.item_kind, record.name)} is due"
            )
        if record.removed:
            del self.items[key]
            return
        self.items[key] = KbItem(
            record.item_kind,
            record.name,
            record.version,
            record.provenance,
            record.sharing,
            record.text,
            record.vector,
            record.data,
        )

    def next_version(self, kind: str, name: str) -> int:
        """Version of the next change of an item; 1 if there is none (versions of a removed item start again)."""
        held = self.items.get(key_of(kind, name))
        return held.version + 1 if held else 1

    def get(self, kind: str, name: str) -> KbItem | None:
        """The item, or None."""
        return self.items.get(key_of(kind, name))

    def of_kind(self, kind: str) -> list[KbItem]:
        """All items of one kind, oldest first."""
        return [item for item in self.items.values() if item.kind == kind]

    def visible(self, level: str) -> list[KbItem]:
        """Items whose sharing level is ``level`` or wider."""
        wide = SHARING[SHARING.index(level) :]
        return [item for item in self.items.values() if item.sharing in wide]


def fold(records: Iterable[KbRecord]) -> KnowledgeBase:
    """The knowledge base that a sequence of records makes, from nothing."""
    base = KnowledgeBase()
    for record in records:
        base.apply(record)
    return base


def change(
    base: KnowledgeBase,
    kind: str,
    name: str,
    text: str,
    *,
    provenance: str,
    sharing: str = "private",
    vector: bytes = b"",
    data: bytes = b"",
    removed: bool = False,
) -> KbRecord:
    """The record of the next change of an item; the caller writes it to the trace and applies it."""
    version = base.next_version(kind, name)
    return KbRecord(kind, name, version, provenance, sharing, text, vector, data, removed)
