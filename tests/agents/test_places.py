"""Who knows where users are, and who is told what the cloud knows."""

from semcast.agents.settings import KnowledgeSettings, TrafficSettings
from semcast.bus.messages import Arrived, Association, Content, Downlink, Failure, KbSummary, Terms
from semcast.bus.records import Capture, Shown

from .networks import Run, run, town

TRAFFIC = TrafficSettings(duration_s=14.0, start_s=2.0, rate_hz=1.0, feedback_sync_s=2.0)


def ended(result: Run) -> bool:
    ends = sorted(end.request for end in [*result.of(Shown), *result.of(Failure)])
    return ends == sorted(capture.request for capture in result.of(Capture)) != []


def test_an_edge_hears_of_a_user_only_if_it_serves_or_served_it() -> None:
    result = run(town(traffic=TRAFFIC))
    told = [e for e in result.sent(Association) if e.source == "cloud.0"]
    assert told  # some moved to another edge
    for envelope in told:
        before = [
            e
            for e in result.sent(Association)
            if e.payload.user == envelope.payload.user and e.destination.startswith("edge.") and e.t_send < envelope.t_send
        ]
        assert envelope.destination in {e.destination for e in before if e.source.startswith("bs.")}
        assert envelope.payload.edge != envelope.destination
    assert ended(result)


def test_an_edge_that_does_not_know_a_receiver_sends_by_the_cloud() -> None:
    result = run(town(traffic=TRAFFIC, scheme="semcom"))
    by_cloud = [e for e in result.sent(Content) if e.destination == "cloud.0"]
    assert by_cloud
    assert {e.payload.request for e in by_cloud} == {e.payload.request for e in result.sent(Content) if e.source == "cloud.0"}
    assert ended(result)


def test_a_sender_at_another_edge_hears_how_its_picture_was_received() -> None:
    from semcast.policies.registry import resolve

    policies = (resolve("prompt", "bandit"),)
    result = run(town(traffic=TRAFFIC, policies=policies))
    assert any(e.destination == "cloud.0" and e.source.startswith("edge.") for e in result.sent(Downlink))
    assert any(e.source == "cloud.0" and e.payload.purpose == "feedback" for e in result.sent(Downlink))


def test_only_the_invited_hear_terms_and_summary() -> None:
    result = run(town(knowledge=KnowledgeSettings(privacy_cost=(0.1, 0.5), invited_share=0.0)))
    owners = {"user.0", "user.1", "user.2", "user.3"}
    for body in (Terms, KbSummary):
        heard = {e.destination for e in result.sent(Arrived) if isinstance(e.payload.body, body)}
        assert heard == owners
    assert ended(result)
    everybody = run(town())
    assert len({e.destination for e in everybody.sent(Arrived) if isinstance(e.payload.body, Terms)}) == 8
