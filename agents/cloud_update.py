"""Stage 3 at the cloud: satisfaction comes in by subject, and the branch model that needs it most is made anew."""

from ..bus.engine import Context
from ..bus.envelope import Envelope
from ..bus.messages import Delta, Satisfaction
from .accounting import body_bits
from .cloud_preparation import CloudPreparation
from .cloud_state import Subject
from .knowledge.retrieval import to_float16
from .models.roles import Branch


class CloudUpdate(CloudPreparation):
    """Stage 3."""

    def on_satisfaction(self, satisfaction: Satisfaction, event: Envelope, ctx: Context) -> None:
        """Account it to the subjects that were drawn; then refine one branch, if there is anything new to learn."""
        for request, value in satisfaction.entries:
            for name in self.state.shown_subjects.pop(request, []):
                subject = self.state.subjects.get(name)
                if subject is not None:
                    subject.served += 1
                    subject.satisfaction += value
        self.refine(ctx)

    def refine(self, ctx: Context) -> None:
        """Make the branch anew whose subject satisfies least, among those with pictures that it has not seen; one at a time."""
        state = self.state
        fresh = [name for name, subject in state.subjects.items() if len(subject.samples) > subject.trained_on]
        if not fresh or state.refining or state.branching:
            return
        state.refining = min(fresh, key=lambda name: (mean_satisfaction(state.subjects[name]), name))
        self.personalise(state.refining, ctx)

    def on_branch(self, result: Branch, event: Envelope, ctx: Context) -> None:
        """A branch model is ready, the first of its subject or a refined one."""
        if result.subject != self.state.refining:
            self.branch_made(result, ctx)
            return
        state, name = self.state, result.subject
        state.refining = ""
        identifier = to_float16(result.identifier)
        self.know(name, identifier, state.subjects[name].user, f"branch of {state.subjects[name].trained_on} pictures", ctx)
        self.keep(result)
        state.version += 1
        delta = Delta(state.version, {name: identifier})
        owner = state.subjects[name].user  # nobody else: it was shared with the cloud, not with all
        self.multicast(ctx, f"delta:{delta.version}", "kb", body_bits(delta), delta, [owner])


def mean_satisfaction(subject: Subject) -> float:
    """Mean satisfaction of the requests that showed a subject; 0.5 where there was none yet."""
    return subject.satisfaction / subject.served if subject.served else 0.5
