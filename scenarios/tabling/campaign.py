"""The runs that make a table, one after the other; what a run has shown is kept, so that a campaign that was cut off goes on."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ...agents.models.cards import Card
from ...agents.models.codecs.library import read_library
from ...agents.models.loading import WEIGHTS, model_table
from ...bus import keys
from ..folder import JUDGES
from ..loading import load
from .measuring import Measured, measure
from .writing import write_table

Progress = Callable[[int, int, str], None]
VERSION = 1
"""Of the way in which is measured; another one measures anew."""
PARTS_FOLDER = "parts"


@dataclass(frozen=True)
class Part:
    """Runs of ``quickstart`` with some settings changed, one a seed."""

    name: str
    runs: int
    changes: Mapping[str, Any]


PERSONAL = {"traffic.subject_share": 0.9}
MANY = {"traffic.objects": [5, 8], "traffic.duration_s": 12.0}
SHORT = {"traffic.duration_s": 12.0}
CAPTIONS = {"policies.prompt": "fixed:parts=caption+identifiers+references"}
PLACES = {"policies.prompt": "fixed:parts=caption+boxes+identifiers+references"}
SEMCOM = {"scheme": "semcom"}
WEAK = {**SHORT, "radio.bs_power_dbm": 17.0, "radio.user_power_dbm": 19.0, "traffic.objects": [4, 8]}


def _at(snr_db: float) -> dict[str, Any]:
    return {**SHORT, "radio.fixed_snr_db": snr_db}


FULL = (
    Part("as it is", 4, {}),
    Part("personal", 2, PERSONAL),
    Part("many objects", 1, MANY),
    Part("places", 1, {**PLACES, **PERSONAL}),
    Part("places, many objects", 1, {**PLACES, **MANY}),
    Part("captions", 1, {**CAPTIONS, **PERSONAL, **SHORT}),
    *(Part(f"at {snr_db:g} dB", 1, _at(snr_db)) for snr_db in (-3.0, 3.0, 8.0)),
    Part("weak links, many objects", 3, WEAK),
    Part("semcom", 1, SEMCOM),
    *(Part(f"semcom at {snr_db:g} dB", 1, {**SEMCOM, **_at(snr_db)}) for snr_db in (2.0, 8.0)),
    Part("semcom, many objects", 1, {**SEMCOM, **MANY}),
    Part("identifiers", 1, {**PERSONAL, **SHORT, "knowledge.branch": "identifier"}),
    Part("nothing known", 1, {**PERSONAL, **SHORT, "knowledge.budget": 0.0}),
    Part("4 steps", 1, {**SHORT, "models.generator_steps": 4}),
    Part("adaptive codecs", 1, {**_at(8.0), "models.codecs": "adaptive"}),
    Part("coded pictures", 1, {**SHORT, "models.coded_fallback": True, "policies.encoder": "fixed:codec=coded-q85"}),
)
"""Prompts of all kinds, pictures of 1 to 8 objects, subjects more and less known, every codec, SNRs from a deep fade to none."""
_BRIEF = {"traffic.duration_s": 4.5, "traffic.rate_hz": 0.4, "models.generator_steps": 1}
QUICK = (Part("as it is", 1, {**_BRIEF, **PERSONAL}), Part("semcom", 1, {**_BRIEF, **SEMCOM}))


def calibrate(out: Path, *, quick: bool = False, seed: int = 1, progress: Progress = lambda done, total, what: None) -> Card:
    """Measure the ``tiny`` profile in the network and write the table.

    Args:
        out: Folder of the table; what single runs have shown lies in ``parts`` below it until all is done.
        quick: Two short runs: a rough table, for tests.
        seed: Those of the runs follow from it and the names of their parts.
        progress: Told (done, total, what comes next).

    Returns:
        The table's card.
    """
    cards = {row.role: row.sha256 for row in model_table("tiny")}
    library = read_library(WEIGHTS / "jscc")
    runs = [(part, number) for part in (QUICK if quick else FULL) for number in range(part.runs)]
    measured = []
    for done, (part, number) in enumerate(runs):
        progress(done, len(runs), part.name)
        own = keys.integer(1 << 31, "table", seed, part.name, number)
        described = [VERSION, part.name, dict(part.changes), own, cards, judges()]
        path = out / PARTS_FOLDER / f"{hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]}.msgpack"
        if not path.is_file():
            found = measure(load("quickstart", overrides={"seed": own, **part.changes}), library)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".part").write_bytes(msgspec.msgpack.encode(found))
            path.with_suffix(".part").replace(path)
        measured.append(msgspec.msgpack.decode(path.read_bytes(), type=Measured))
    progress(len(runs), len(runs), "writing")
    return write_table(out, measured, _provenance(quick, seed, cards))


def judges() -> dict[str, str]:
    """Hashes of the cards of the models that score what was shown."""
    return {folder: hashlib.sha256((WEIGHTS / folder / "card.json").read_bytes()).hexdigest() for folder in JUDGES}


def _provenance(quick: bool, seed: int, cards: Mapping[str, str]) -> dict[str, Any]:
    parts = QUICK if quick else FULL
    return {
        "command": f"semcast calibrate models{' --quick' if quick else ''} --seed {seed}",
        "profile": "tiny",
        "version": VERSION,
        "scenario": "quickstart",
        "seed": seed,
        "runs": [{"name": part.name, "runs": part.runs, "changes": dict(part.changes)} for part in parts],
        "measured_cards": dict(cards),
        "judges": judges(),
    }
