"""Measurements -> the table's file and its card."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from ...agents.models.cards import Card, write_card
from ...agents.models.loading import PROFILES, TABLE, load_models, model_table
from ...agents.models.roles import Embed, Model
from ...agents.models.table import outcomes
from ...agents.models.table.embedder import SENTENCE
from ...agents.models.table.outcomes import Cause, Effect
from ...agents.models.table.store import TABLE_NAME, Table
from ...agents.scenes.vocabulary import BACKGROUND_NAMES, BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS, SUBJECTS
from .measuring import Measured

Item = TypeVar("Item")
MOST_LOOKS = 250
"""Of one cell; more are left out."""
MOST_ALIKE = 80
"""Requests of equal causes and, to half a dB, equal quality; more are left out."""
MOST_OUTCOMES = 6500


def write_table(folder: Path, measured: Sequence[Measured], provenance: Mapping[str, Any]) -> Card:
    """Write the table and its card.

    Args:
        folder: Where to; it is made.
        measured: Of all runs, in their order.
        provenance: For the card: what was measured, how.
    """
    looks: dict[str, list[bytes]] = {}
    for one in measured:
        for cell, patterns in one.looks.items():
            looks.setdefault(cell, []).extend(patterns)
    requests = [request for one in measured for request in one.outcomes]
    alike: dict[Cause, list[tuple[Cause, Effect]]] = {}
    for cause, effect in requests:
        if cause.end == outcomes.SHOWN:
            key = msgspec.structs.replace(cause, quality_db=round(2 * cause.quality_db) / 2)
            alike.setdefault(key, []).append((cause, effect))
    codecs: list[str] = []
    kept = [request for same in alike.values() for request in _thinned(same, MOST_ALIKE)]
    rows = [outcomes.packed(cause, effect, codecs) for cause, effect in kept]
    embedder = load_models("tiny", ["embedder"])["embedder"]
    table = Table(
        {cell: _thinned(looks[cell], MOST_LOOKS) for cell in sorted(looks)},
        b"".join(_thinned(rows, MOST_OUTCOMES)),
        codecs,
        _vectors(embedder),
        _catalog(),
    )
    roles = list(PROFILES[TABLE])
    flops = {row.role: row.flops for row in model_table("tiny") if row.role in roles}
    folder.mkdir(parents=True, exist_ok=True)
    raw = msgspec.msgpack.encode(table)
    (folder / TABLE_NAME).write_bytes(raw)
    data = {
        "name": "table",
        "roles": roles,
        "params": len(raw) // 2,
        "flops": max(flops.values()),
        "flops_by_role": flops,
        "batch": 1,
        "recipe": "models",
        "mend": "measure it: semcast calibrate models, or reinstall the package",
        "samples": {"looks": {cell: len(rows) for cell, rows in sorted(looks.items())}, "requests": len(requests)},
        "kept": {"looks": sum(map(len, table.extractions.values())), "requests": min(len(rows), MOST_OUTCOMES)},
        **provenance,
        "files": [TABLE_NAME],
    }
    return write_card(folder, data)


def _thinned(rows: Sequence[Item], most: int) -> list[Item]:
    """As many as are kept, evenly."""
    return list(rows) if len(rows) <= most else [rows[i * len(rows) // most] for i in range(most)]


def _catalog() -> dict[str, bytes]:
    from ...agents.models.tiny.personaliser import catalog

    return {name: np.frombuffer(vector, "<f4").astype("<f2").tobytes() for name, vector in catalog().items()}


def _vectors(embedder: Model) -> dict[str, bytes]:
    """Of the vocabulary's words, of what is said of subjects, and what words add to a sentence of what somebody likes."""
    subjects = [f"{one.owner}'s {one.colour} {one.label}" for one in SUBJECTS.values()]
    texts = [*LABELS, *BACKGROUND_NAMES, *subjects]
    parts = ["I like", *COLOUR_NAMES, *LABELS, *BACKGROUND_NAMES]
    sentences = list(product(COLOUR_NAMES, LABELS, BACKGROUND_NAMES))[::7]
    said = [
        f"I like {colour} {PLURALS.get(label, label + 's')} {BACKGROUND_PHRASES[ground]}" for colour, label, ground in sentences
    ]
    which = np.zeros((len(sentences), len(parts)))
    for row, words in enumerate(sentences):
        which[row, [0, *(1 + parts[1:].index(word) for word in words)]] = 1
    added = np.linalg.lstsq(which, _embedded(embedder, said), rcond=None)[0]
    found = dict(zip(texts, _embedded(embedder, texts), strict=True))
    for part, vector in zip(parts, added, strict=True):
        for word in _words_of(part):
            found[SENTENCE + word] = vector
    return {text: vector.astype("<f2").tobytes() for text, vector in found.items()}


def _words_of(part: str) -> list[str]:
    """The word by which a part of a sentence is known there; the beginning is known by its first word."""
    if part == "I like":
        return ["i"]
    return [PLURALS.get(part, part + "s")] if part in LABELS else [part]


def _embedded(embedder: Model, texts: Sequence[str]) -> np.ndarray:
    calls = [Embed([text]) for text in texts]
    calls += calls[-1:] * (-len(calls) % embedder.batch)
    starts = range(0, len(calls), embedder.batch)
    results = [result for start in starts for result in embedder.run(calls[start : start + embedder.batch])]
    return np.array([np.frombuffer(result.vectors[0], "<f4") for result in results[: len(texts)]], np.float64)
