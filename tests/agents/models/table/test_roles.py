"""The roles of the table: FLOPs of the measured models, nothing but the prompt in generated pictures, looks of subjects."""

import subprocess
import sys

import numpy as np
import pytest
from msgspec.structs import replace
from semcast.agents.models.loading import WEIGHTS, load_models
from semcast.agents.models.roles import Box, Decode, Embed, Encode, Extract, Generate, Personalise
from semcast.agents.models.table import looks
from semcast.agents.models.table.personaliser import examples as albums
from semcast.agents.models.table.store import COSTS, read_table
from semcast.agents.models.tiny.embedder import similarity
from semcast.agents.scenes.vocabulary import LABELS
from semcast.agents.scenes.world import make_scene
from semcast.agents.sketches import IDENTIFIER, PLAIN, REFERENCE, Counted, Hop, counted, of_scene, read, written
from semcast.bus.errors import BadInput

STORED = read_table(WEIGHTS / "table")
TABLE, TINY = load_models("table"), load_models("tiny")
CATALOG = looks.catalog(STORED)


def photographs(number: int, count: int, own: str = "") -> list[bytes]:
    scenes = [make_scene("table roles", count, index, count=count, subjects=(own,) if own else ()) for index in range(number)]
    return [written(of_scene(scene)) for scene in scenes]


def test_costs_are_those_of_the_measured_models() -> None:
    picture, vector = photographs(1, 2)[0], CATALOG["mia/dog"]
    calls = {
        "extractor": [Extract(picture), Extract(picture, {"mia/dog": vector})],
        "generator": [Generate("a red dog on grass", "", [], 1, 8), Generate("", "grass", [], 1, 3, {}, {}, {"mia/dog": b"x"})],
        "embedder": [Embed(["dog", "I like purple butterflies on a street"]), Embed(["mia's white dog"] * 3)],
        "personaliser": albums(),
        "jscc_encoder": [Encode(picture, "snr01-cbr24"), Encode(picture, "adaptive-cbr12")],
        "jscc_decoder": [Decode(b"", "snr01-cbr24", 1.0), Decode(b"", "adaptive-cbr12", 1.0)],
    }
    for role, examples in calls.items():
        assert [TABLE[role].flops(call) for call in examples] == [TINY[role].flops(call) for call in examples], role


def test_all_sentences_of_the_network_are_reckoned_right() -> None:
    from semcast.agents.scenes.vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, PLURALS

    for label in LABELS:
        said = [f"I like {c} {PLURALS.get(label, label + 's')} {p}" for c in COLOUR_NAMES for p in BACKGROUND_PHRASES.values()]
        assert TABLE["embedder"].flops(Embed(said)) == TINY["embedder"].flops(Embed(said))


def test_most_is_found_in_photographs_and_little_after_a_deep_fade() -> None:
    def found(pictures: list[bytes]) -> float:
        results = [TABLE["extractor"].run([Extract(picture)])[0] for picture in pictures]
        truth = [[thing.box().label for thing in read(picture).things] for picture in pictures]
        shares = [
            sum(label in [box.label for box in result.boxes] for label in labels) / len(labels)
            for result, labels in zip(results, truth, strict=True)
        ]
        return float(np.mean(shares))

    clear = photographs(100, 3)
    faded = [written(replace(read(picture), hops=(Hop("snr07-cbr12", -120),))) for picture in clear]
    assert found(clear) > 0.97
    assert found(faded) < 0.8


def test_own_subjects_are_recognised_by_their_look_alone() -> None:
    pictures = photographs(60, 2, "mia/dog")

    def named(vector: bytes) -> float:
        results = [TABLE["extractor"].run([Extract(picture, {"mia/dog": vector})])[0] for picture in pictures]
        return float(np.mean([any(box.subject == "mia/dog" for box in result.boxes) for result in results]))

    assert named(CATALOG["mia/dog"]) > 0.8
    assert named(CATALOG["leo/cat"]) == 0.0  # another one's look
    assert named(b"\0" * 192) == named(b"short") == 0.0


def test_a_generated_picture_shows_what_the_prompt_says_and_nothing_else() -> None:
    box = Box("dog", "white", 20.0, 30.0, 16.0, 12.0, 0.9, "mia/dog")
    call = Generate("mia's white dog and a red cup on snow", "", [box], 7)
    (unknown,) = TABLE["generator"].run([call])
    shown = read(unknown.picture)
    assert [(thing.box().label, thing.box().colour) for thing in shown.things] == [("dog", "white"), ("cup", "red")]
    assert shown.things[0].box() == replace(box, score=1.0, subject="")  # whose it is says nothing of how it looks
    assert shown.background == 3 and shown.hops == ()
    own, falsified = {"mia/dog": CATALOG["mia/dog"]}, {"mia/dog": (-np.frombuffer(CATALOG["mia/dog"], "<f4")).tobytes()}
    (other,) = TABLE["generator"].run([replace(call, subjects=falsified, references={"mia/dog": b"r"})])
    assert read(other.picture).things[0].look == PLAIN  # whose look a vector is, is seen in the vector
    known = [replace(call, subjects=own), replace(call, subjects=own, references={"mia/dog": b"r"})]
    assert [read(TABLE["generator"].run([one])[0].picture).things[0].look for one in known] == [IDENTIFIER, REFERENCE]
    assert shown.things[0].look == PLAIN


def test_what_a_prompt_leaves_open_follows_from_the_seed() -> None:
    one, same, other = (read(TABLE["generator"].run([Generate("dog, cup", "", [], seed)])[0].picture) for seed in (1, 1, 2))
    assert one == same != other
    assert all(thing.label and thing.colour for thing in one.things) and one.background
    assert all(0 <= thing.cx <= 1024 and 0 <= thing.cy <= 1024 for thing in one.things)
    assert (
        len(read(TABLE["generator"].run([Generate("nine red dogs and nine blue cups on sand", "", [], 3)])[0].picture).things)
        == 12
    )


def test_what_the_table_does_not_know_is_refused() -> None:
    with pytest.raises(BadInput, match="adapter"):
        TABLE["generator"].flops(Generate("", "grass", [], 1, 8, {}, {"mia/dog": b"x"}))
    with pytest.raises(BadInput, match="steps"):
        TABLE["generator"].flops(Generate("", "grass", [], 1, 0))
    with pytest.raises(BadInput, match="adapters"):
        TABLE["personaliser"].flops(replace(albums()[0], adapter=True))
    with pytest.raises(BadInput, match="boxes"):
        TABLE["personaliser"].run([Personalise("mia/dog", "dog", [], [])])
    with pytest.raises(BadInput, match="calibrator"):
        load_models("table", ["calibrator"])


def test_a_codec_counts_its_symbols_and_leaves_its_mark() -> None:
    picture = photographs(1, 2)[0]
    (symbols,) = TABLE["jscc_encoder"].run([Encode(picture, "snr07-cbr24")])
    assert counted(symbols.symbols) == Counted(512, picture)
    (decoded,) = TABLE["jscc_decoder"].run([Decode(symbols.symbols, "snr07-cbr24", 3.14159)])
    assert read(decoded.picture) == replace(read(picture), hops=(Hop("snr07-cbr24", 31),))
    for wrong in (Decode(symbols.symbols, "snr07-cbr12", 3.0), Decode(symbols.symbols, "snr07-cbr24", float("nan"))):
        with pytest.raises(BadInput, match="symbols"):
            TABLE["jscc_decoder"].run([wrong])


def test_branches_hold_the_look_that_the_pictures_show() -> None:
    for call in albums():
        (branch,) = TABLE["personaliser"].run([call])
        assert looks.alike(STORED, call.subject, branch.identifier) > 0.99
        assert [thing.subject for thing in read(branch.reference).things] == [call.subject]
    elsewhere = [Box("", "", 1.0, 1.0, 2.0, 2.0)] * len(albums()[0].pictures)
    (branch,) = TABLE["personaliser"].run([replace(albums()[0], boxes=elsewhere)])
    assert looks.alike(STORED, "mia/dog", branch.identifier) < 0.5


def test_embeddings_are_near_the_measured_ones() -> None:
    texts = ["dog", "grass", "mia's white dog", "I like red cups on sand", "I like blue butterflies on a street"]
    table, tiny = (models["embedder"].run([Embed(texts)] * models["embedder"].batch)[0].vectors for models in (TABLE, TINY))
    assert all(similarity(a, b) > 0.98 for a, b in zip(table, tiny, strict=True))
    (strange,) = TABLE["embedder"].run([Embed(["zyx", "zyx", ""])])
    assert strange.vectors[0] == strange.vectors[1] and all(similarity(v, v) == pytest.approx(1.0) for v in strange.vectors)


def test_the_card_names_what_is_kept() -> None:
    assert set(STORED.costs) == set(COSTS)
    assert STORED.card.data["profile"] == "tiny"


def test_neither_torch_nor_pixels_are_needed() -> None:
    code = (
        "import sys; from semcast.agents.models.loading import load_models;"
        "models = load_models('table'); [models[role] for role in models];"
        "import semcast.scenarios.metrics.judging; semcast.scenarios.metrics.judging.judged([]);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'diffusers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
