"""Vectors are counted from the messages as they were sent: in answers, in knowledge and in the code of prompts."""

import numpy as np
from semcast.agents.knowledge.retrieval import to_float16
from semcast.agents.prompt_codec import PromptContent, encode
from semcast.agents.settings import KnowledgeSettings
from semcast.bus.envelope import AGENT, DATA, VERSION, Envelope
from semcast.bus.messages import Knowledge, Prompt, Share, SharedItem, Uplink
from semcast.scenarios.metrics.privacy import privacy_results, told_vectors
from semcast.scenarios.metrics.story import collect

ONE, TWO = (to_float16(np.random.default_rng(n).standard_normal(16).astype("<f4").tobytes()) for n in (1, 2))


def prompt(parts: tuple[str, ...]) -> Prompt:
    content = PromptContent(0, 1, 0, "greeting", parts, caption="a red dog on grass", identifiers={0: TWO})
    return Prompt("user.a/0", "user.b", 0, list(parts), encode(content)[0])


def test_vectors_of_every_kind_of_body() -> None:
    share = Share("user.a", [SharedItem("preference", "pictures", "", ONE), SharedItem("subject", "mia/dog", "dog", b"")], 0.0)
    assert told_vectors(share) == [ONE]
    assert told_vectors(Knowledge("user.a", [SharedItem("subject", "mia/dog", "dog", TWO)])) == [TWO]
    assert told_vectors(prompt(("caption", "identifiers"))) == [TWO]
    assert told_vectors(prompt(("caption",))) == []


def test_a_vector_that_is_sent_again_is_one_release() -> None:
    bodies = [
        Share("user.a", [SharedItem("preference", "pictures", "", ONE)], 0.0),
        prompt(("caption", "identifiers")),
        Knowledge("user.a", [SharedItem("subject", "mia/dog", "dog", TWO)]),
    ]
    sent = [Uplink("user.a", 0, f"{n}", "", "kb", 1, body) for n, body in enumerate(bodies)]
    _, network = collect([Envelope(VERSION, n, n, DATA, "user.a", "bs.0", n, "", AGENT, up) for n, up in enumerate(sent)], {})
    assert {user: len(vectors) for user, vectors in network.told.items()} == {"user.a": 2}
    found = privacy_results(network.told, KnowledgeSettings(privacy_epsilon=1.5))
    assert found["privacy_releases"] == found["privacy_releases_per_user_max"] == 2
    assert 1.5 < found["privacy_epsilon_per_user_max"] < 3.0
    assert privacy_results({}, KnowledgeSettings(privacy_epsilon=1.5))["privacy_epsilon_per_user_max"] == 0.0
