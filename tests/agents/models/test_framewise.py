"""Clips through models of pictures: what each frame by itself gives."""

import numpy as np
import pytest
from msgspec import UNSET
from semcast.agents.clips.street import make_traffic, street
from semcast.agents.clips.world import film
from semcast.agents.models.framewise import FRAME_BYTES, FramewiseModels, frame, frame_snr_db, frames_in, still, told_frames
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Decode, Encode, Extract
from semcast.agents.scenes.world import make_scene
from semcast.agents.sketches import of_scene, written
from semcast.bus import keys

CLIPS = [film(make_traffic(number, still=street(1), frames=12)).tobytes() for number in range(4)]
CODEC = "adaptive-cbr24"


def test_a_clip_is_its_frames() -> None:
    clip = CLIPS[0]
    assert frames_in(clip) == 12 and told_frames(clip) == 12
    assert b"".join(frame(clip, number) for number in range(12)) == clip
    assert still(clip) == frame(clip, 6)
    assert still(frame(clip, 0)) == frame(clip, 0)
    assert told_frames(frame(clip, 0)) is UNSET
    sketch = written(of_scene(make_scene(1)))
    assert frames_in(sketch) == 1 and still(sketch) == sketch


def test_calls_with_clips_give_what_frames_give() -> None:
    plain = load_models("tiny", ["extractor", "jscc_encoder", "jscc_decoder", "generator"])
    models = FramewiseModels(plain)
    assert models["generator"] is plain["generator"]  # takes no clips
    encoder, decoder, extractor = models["jscc_encoder"], models["jscc_decoder"], models["extractor"]
    clips = [(CLIPS * encoder.batch)[number] for number in range(encoder.batch)]
    sent = encoder.run([Encode(clip, CODEC) for clip in clips])
    one = plain["jscc_encoder"].run([Encode(frame(clip, 5), CODEC) for clip in clips])
    size = len(one[0].symbols)
    assert [each.symbols[5 * size : 6 * size] for each in sent] == [each.symbols for each in one]
    noise = keys.generator("noise").standard_normal(len(sent[0].symbols) // 8).astype("<f4")
    heard = (np.frombuffer(sent[0].symbols, "<c8") + 0.1 * noise).astype("<c8").tobytes()
    (shown, *_) = decoder.run([Decode(heard, CODEC, 10.0, 12)] * decoder.batch)
    own_db = frame_snr_db(heard[5 * size : 6 * size], 10.0)
    (fifth, *_) = plain["jscc_decoder"].run([Decode(heard[5 * size : 6 * size], CODEC, own_db)] * decoder.batch)
    assert len(shown.picture) == 12 * FRAME_BYTES and frame(shown.picture, 5) == fifth.picture
    (seen, *_) = extractor.run([Extract(CLIPS[0])] * extractor.batch)
    (there, *_) = plain["extractor"].run([Extract(frame(CLIPS[0], 3))] * extractor.batch)
    assert len(seen.frames) == 12 and seen.frames[3] == there


def test_each_frame_is_decoded_for_the_fade_that_it_met() -> None:
    rng = keys.generator("frames")

    def heard(snr_db: float) -> bytes:
        sent, noise = (rng.standard_normal((1024, 2)) @ np.array([1, 1j]) / 2**0.5 for _ in range(2))
        sent /= np.sqrt(np.mean(np.abs(sent) ** 2))
        return (sent + 10 ** (-snr_db / 20) * noise).astype("<c8").tobytes()

    for snr_db in (-5.0, 0.0, 5.0):
        assert frame_snr_db(heard(snr_db), 3.0) == pytest.approx(snr_db, abs=1.5)
    assert frame_snr_db(heard(20.0), 3.0) == 10.0  # some other frame was bad
    assert frame_snr_db(heard(20.0), 18.0) == 18.0


def test_a_clip_costs_all_its_frames_and_shares_batches_with_its_like() -> None:
    plain = load_models("tiny", ["jscc_encoder", "jscc_decoder"])
    encoder = FramewiseModels(plain)["jscc_encoder"]
    clip, picture = Encode(CLIPS[0], CODEC), Encode(frame(CLIPS[0], 0), CODEC)
    assert encoder.flops(clip) == 12 * encoder.flops(picture) == 12 * plain["jscc_encoder"].flops(picture)
    assert encoder.group(clip) == encoder.group(Encode(CLIPS[1], CODEC)) != encoder.group(picture)
    assert encoder.group(picture) == plain["jscc_encoder"].group(picture)
