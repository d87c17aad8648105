"""Pictures without pixels: they say what they show, cost what pictures cost, and damaged ones are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents import pictures, sketches
from semcast.agents.camera import developed, photograph
from semcast.agents.models.roles import Box
from semcast.agents.scenes.vocabulary import SUBJECTS
from semcast.agents.scenes.world import make_scene
from semcast.agents.sketches import Counted, Hop, Sketch, Thing, counted, is_sketch, of_scene, read, symbol_count, written
from semcast.bus.errors import BadInput
from semcast.bus.messages import SharedItem
from semcast.scenarios.metrics.quality import psnr_db

PLACES = st.integers(0, 1024)
THINGS = st.builds(Thing, st.integers(0, 24), st.integers(0, 8), PLACES, PLACES, PLACES, PLACES, st.sampled_from(["", "mia/dog"]))
HOPS = st.builds(Hop, st.sampled_from(["snr07-cbr12", "coded-q85"]), st.integers(-200, 400))
SKETCHES = st.builds(
    Sketch,
    st.lists(THINGS, max_size=12).map(tuple),
    st.integers(0, 4),
    st.integers(0, 2**30),
    st.integers(0, 3),
    st.integers(0, 50),
    st.lists(HOPS, max_size=2).map(tuple),
)


@given(SKETCHES)
def test_what_is_written_is_read(sketch: Sketch) -> None:
    assert is_sketch(written(sketch))
    assert read(written(sketch)) == sketch
    assert pictures.decompress(pictures.compress(written(sketch))) == written(sketch)


@given(st.binary(max_size=80))
def test_anything_else_is_refused(data: bytes) -> None:
    if not is_sketch(data):
        with pytest.raises(BadInput):
            read(data)
    with pytest.raises(BadInput):
        read(b"\x92\xa6sketch" + data)


def test_a_photograph_holds_the_scene_in_few_bytes() -> None:
    scene = make_scene("sketch", 1, count=4, subjects=("mia/dog",))
    picture = photograph(scene, sketches.SKETCH)
    assert len(picture) < 200
    assert [thing.box() for thing in read(picture).things] == scene.boxes()
    raw = photograph(scene, sketches.RAW)
    assert not is_sketch(raw)
    assert developed(raw) == raw
    assert psnr_db(developed(picture), raw) > 20  # all but tints, mirrored things and spots


def test_unknown_things_are_refused() -> None:
    with pytest.raises(BadInput, match="unknown"):
        read(written(Sketch((Thing(25, 1, 0, 0, 16, 16),), 1, 0)))
    with pytest.raises(BadInput, match="unknown"):
        read(written(Sketch((), 5, 0)))


@pytest.mark.parametrize("quality", [50, 85])
def test_files_are_as_long_as_webp(quality: int) -> None:
    for number in (1, 4, 7):
        scenes = [make_scene("webp test", number, index, count=number) for index in range(60)]
        lengths = {
            form: [len(pictures.compress(photograph(scene, form), quality)) for scene in scenes] for form in ("raw", "sketch")
        }
        assert np.mean(lengths["sketch"]) == pytest.approx(np.mean(lengths["raw"]), rel=0.1)
        assert np.std(lengths["sketch"]) == pytest.approx(np.std(lengths["raw"]), rel=0.9)


def test_a_reference_shows_what_is_in_its_box() -> None:
    scene = make_scene("cut", 3, count=3, subjects=("leo/cat",))
    box = next(box for box in scene.boxes() if box.subject)
    file = pictures.compress_reference(pictures.cut(photograph(scene, sketches.SKETCH), box))
    assert 100 < len(file) < 700
    (only,) = read(pictures.decompress(file)).things
    assert only.subject == "leo/cat"
    nothing = pictures.cut(written(Sketch((), 1, 0)), box)
    assert read(nothing).things == ()
    corner = pictures.cut(photograph(scene, sketches.SKETCH), Box("", "", -40.0, -40.0, 8.0, 8.0))
    assert read(corner).things == ()


def test_albums_have_both_forms() -> None:
    for name in list(SUBJECTS)[:2]:
        files = pictures.shared_album(name, sketches.SKETCH)
        assert len(files) == pictures.ALBUM_PICTURES
        assert all(any(thing.subject == name for thing in read(pictures.decompress(file)).things) for file in files)


def test_symbols_are_counted() -> None:
    picture = written(of_scene(make_scene("symbols", 1)))
    data = written(Counted(1024, picture))
    assert symbol_count(data) == 1024
    assert counted(data).picture == picture
    assert symbol_count(bytes(8 * 77)) == 77
    assert symbol_count(b"") == 0
    for wrong in (picture, *(written(Counted(number, picture)) for number in (0, -1, 1 << 20))):
        with pytest.raises(BadInput):
            counted(wrong)


def test_only_pictures_of_the_networks_own_form_are_taken() -> None:
    files = {form: pictures.shared_album("mia/dog", form)[:1] for form in ("raw", "sketch")}
    items = {form: SharedItem("subject", "mia/dog", "dog", b"", files[form], [(1.0, 1.0, 4.0, 4.0)]) for form in files}
    for form, item in items.items():
        assert pictures.sound(item, form)
        assert not pictures.sound(item, "raw" if form == "sketch" else "sketch")
    assert not pictures.sound(items["raw"], "sketch") and not pictures.sound(items["sketch"])


def test_a_crowd_beyond_all_prompts_is_refused() -> None:
    thing = Thing(1, 1, 16, 16, 16, 16)
    read(written(Sketch((thing,) * 64, 1, 0)))
    with pytest.raises(BadInput, match="unknown"):
        read(written(Sketch((thing,) * 65, 1, 0)))
