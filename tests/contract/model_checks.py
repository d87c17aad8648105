"""What every model promises (`semcast.agents.models.roles.Model`), whatever its profile: checked on calls of one group."""

from collections.abc import Sequence
from typing import Any

import msgspec
from semcast.agents.models import roles

RESULTS = {
    "calibrator": roles.Picture,
    "captioner": roles.Extraction,
    "denoiser": roles.Denoised,
    "embedder": roles.Embedding,
    "extractor": roles.Extraction,
    "generator": roles.Picture,
    "jscc_decoder": roles.Picture,
    "jscc_encoder": roles.Symbols,
    "keywords": roles.Intent,
    "personaliser": roles.Branch,
    "restorer": roles.Picture,
    "stylist": roles.Picture,
}


def coded(messages: Sequence[Any]) -> list[bytes]:
    return [msgspec.msgpack.encode(message) for message in messages]


def one_group(it: Any, examples: Sequence[Any]) -> list[Any]:
    """Different examples that may share a batch, at least two."""
    groups: dict[str, list[Any]] = {}
    for arguments in examples:
        groups.setdefault(it.group(arguments), []).append(arguments)
    largest = max(groups.values(), key=len)
    assert len(largest) >= 2, "give at least two examples of one group"
    return largest


def check_flops(it: Any, examples: Sequence[Any]) -> None:
    """FLOPs and group are pure, and FLOPs are positive."""
    for arguments in examples:
        flops = it.flops(arguments)
        assert isinstance(flops, int) and flops > 0
        assert it.flops(arguments) == flops
        assert isinstance(it.group(arguments), str)


def check_batch(it: Any, calls: Sequence[Any]) -> None:
    """A batch gives results of the role, in order, and the same ones again; the arguments stay as they are."""
    batch = [calls[index % len(calls)] for index in range(it.batch)]
    before = coded(batch)
    first, second = it.run(batch), it.run(list(batch))
    assert len(first) == it.batch
    assert all(type(result) is RESULTS[it.role] for result in first)
    assert coded(first) == coded(second)
    assert coded(batch) == before


def check_companions(it: Any, calls: Sequence[Any]) -> None:
    """DESIGN section 2, rule 7: the engine fills up a batch with whatever waits; neither that nor the place in it matters."""
    alone = coded(it.run([calls[0]] * it.batch))[0]
    for place in sorted({0, it.batch // 2, it.batch - 1}):
        batch = [calls[1 + (place + index) % (len(calls) - 1)] for index in range(it.batch)]
        batch[place] = calls[0]
        assert coded(it.run(batch))[place] == alone
