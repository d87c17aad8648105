"""Users take turns."""

from ..protocols import Allocation, Draw, ScheduleContext


class RoundRobin:
    """One transfer a turn, users in cyclic order of their names; within a user, who waits longest.

    Where the last user is not known, the user with the fewest symbols served so far is next.
    """

    def allocate(self, context: ScheduleContext, rng: Draw) -> Allocation:
        """Pick the next user after the last one, then its oldest transfer."""
        users = sorted({transfer.user for transfer in context.queue})
        if context.last_user:
            user = next((name for name in users if name > context.last_user), users[0])
            reason = f"next after {context.last_user}"
        else:
            served = dict(context.served)
            user = min(users, key=lambda name: (served.get(name, 0), name))
            reason = f"fewest symbols so far of {len(users)} users"
        own = (transfer for transfer in context.queue if transfer.user == user)
        return Allocation(min(own, key=lambda transfer: (-transfer.waited_ns, transfer.number)).number, f"{user}: {reason}")
