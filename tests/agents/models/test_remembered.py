"""Models that remember answer as before, compute once, and survive a file that was cut short."""

from pathlib import Path

from semcast.agents.models.remembered import Remembered
from semcast.agents.models.roles import Extract, Extraction, Picture

from ..simple_models import models


class Counting:
    """A real model, counted."""

    def __init__(self, model) -> None:
        self._model, self.asked = model, 0
        self.batch, self.flops, self.group = model.batch, model.flops, model.group

    def run(self, arguments):
        assert len(arguments) == self.batch
        self.asked += 1
        return self._model.run(arguments)


def test_results_are_computed_once_and_stay_the_same(tmp_path: Path) -> None:
    black, white = (Extract(bytes([grey]) * (3 * 64 * 64)) for grey in (0, 255))
    plain, extractor = models()["extractor"], Counting(models()["extractor"])
    remembered = Remembered({"extractor": extractor}, tmp_path)["extractor"]
    assert remembered.run([black, white]) == plain.run([black, white])
    again = Remembered({"extractor": extractor}, tmp_path)["extractor"]
    assert again.run([white, black]) == plain.run([white, black]) and extractor.asked == 1
    grey = Extract(bytes([99]) * (3 * 64 * 64))
    assert again.run([white, grey]) == plain.run([white, grey]) and extractor.asked == 2
    assert isinstance(again.run([white, white])[0], Extraction) and extractor.asked == 2


def test_what_was_cut_short_is_computed_again(tmp_path: Path) -> None:
    call = Extract(bytes(3 * 64 * 64))
    extractor = Counting(models()["extractor"])
    remembered = Remembered({"extractor": extractor}, tmp_path)["extractor"]
    first = remembered.run([call, call])
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:5])
    assert remembered.run([call, call]) == first and extractor.asked == 2


def test_what_the_channel_has_a_part_in_is_not_kept(tmp_path: Path) -> None:
    decoder = models()["jscc_decoder"]
    held = Remembered({"jscc_decoder": decoder}, tmp_path)
    assert held["jscc_decoder"] is decoder and list(held) == ["jscc_decoder"] and Picture
