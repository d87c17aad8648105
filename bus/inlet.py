"""Where participants' asks come in: a worker's ear for those that are for its users (bus/asks.py says what they are).

It has a connection of its own, so that nothing that comes from outside stands in the way of the exchange. What comes is looked at
at once: refused with a reason, or kept until the next barrier, where it is written to the log and then acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from . import asks
from .asks import Accepted, Answer, Asking, AskLog
from .errors import SemcastError
from .exchange.client import Received
from .exchange.kept import Counts
from .exchange.link import RIGHTS, Link
from .exchange.rejected import Rejected
from .messages import Ask
from .outside import Injection

if TYPE_CHECKING:
    from .access import Access

log = logging.getLogger(__name__)

RATE_HZ, BURST = 20.0, 40
"""Asks of one user that are looked at in a second of wall-clock time, in the long run and at once."""
MOST_WAITING = 256
"""Asks that wait for a barrier."""
MOST_WORDS = 300
"""Characters of a reason."""
_INBOX = re.compile(r"_INBOX(\.[A-Za-z0-9_-]{1,64}){1,3}")
_LOST_S = 60.0


def injection(accepted: Accepted, number: int) -> Injection:
    """What the engine is given for an accepted ask."""
    by = f"{accepted.participant}:{accepted.counter}"
    return Injection(accepted.t_ns, number, accepted.user, by, accepted.ask)


class AskInlet:
    """See ``outside.Inlet``.

    Args:
        access: Server and this worker's credentials.
        patterns: Subjects to listen to, with wildcards.
        users: Subject -> user, for this worker's users.
        objection: Why a user cannot do what is asked; empty where it can.
        log: Of this worker.
        span_ns: Simulated times from which and up to which asks are taken. What comes earlier waits.
        counts: ``rejected`` is counted there, answers that the server refuses among them.
        rejected: Where refused bytes are kept.
    """

    def __init__(
        self,
        access: Access,
        patterns: Sequence[str],
        users: Mapping[str, str],
        objection: Callable[[str, Ask], str],
        log: AskLog,
        span_ns: tuple[int, int],
        counts: Counts,
        rejected: Rejected,
    ) -> None:
        self._patterns, self._users, self._objection, self._log = patterns, users, objection, log
        self._span_ns, self._counts, self._rejected = span_ns, counts, rejected
        self._link = Link(access, "semcast inlet", self._fail, Counts(), _LOST_S, on_unsent=self._unanswered)
        self._failure: SemcastError | None = None
        self._unheard = 0
        self._known = {each.name: each for each in log.entries}
        self._asked: dict[str, int] = {}
        for each in log.entries:
            self._asked[each.user] = self._asked.get(each.user, 0) + 1
        self._waiting: list[tuple[str, Asking, str]] = []
        self._allowed: dict[str, tuple[float, float]] = {}

    async def open(self) -> None:
        """Connect and listen; see ``Inlet``."""
        await self._link.open(dict.fromkeys(self._patterns, self.heard), _LOST_S)

    async def close(self) -> None:
        """Refuse what still waits, and disconnect."""
        try:
            for _, _, reply in self._waiting:
                self._answer(reply, Answer(accepted=False, reason="the run has ended"))
        finally:
            await self._link.close()
            self._log.close()

    def heard(self, message: Received) -> None:
        """Something has come."""
        user = self._users.get(message.subject)
        if user is None or not _INBOX.fullmatch(message.reply):
            self._refuse(message, "no user of this worker" if user is None else "no request: there is no inbox for the answer")
            return
        if not self._in_time(user):
            self._refuse(message, f"more than {RATE_HZ:g} asks a second of {user}")
            return
        if len(self._waiting) >= MOST_WAITING:
            self._refuse(message, f"{MOST_WAITING} asks wait already")
            return
        try:
            asking = asks.decode(message.data)
        except ValueError as error:
            self._refuse(message, str(error))
            return
        if reason := self._objection(user, asking.ask(asks.FIRST_NUMBER)):
            self._refuse(message, reason)
            return
        self._waiting.append((user, asking, message.reply))

    async def taken(self, t_ns: int) -> list[Injection]:
        """Accept what waits; see ``Inlet``. Asks that were accepted before are acknowledged again."""
        await asyncio.sleep(0)  # what has come is heard also where a worker never waits for anybody
        if self._failure is not None:
            raise self._failure
        if t_ns < self._span_ns[0] or not self._waiting:
            return []
        waiting, self._waiting = self._waiting, []
        before = len(self._log.entries)
        new: list[Accepted] = []
        answers = [(reply, self._look_at(user, asking, t_ns, new)) for user, asking, reply in waiting]
        if new:
            self._log.add(new)
        for reply, answer in answers:
            self._answer(reply, answer)
        await self._link.written()
        return [injection(each, before + number) for number, each in enumerate(new)]

    def _look_at(self, user: str, asking: Asking, t_ns: int, new: list[Accepted]) -> Answer:
        """What to answer; an ask that is new is entered in ``new``."""
        asked = self._asked.get(user, 0)
        entry = Accepted(t_ns, user, asking.participant, asking.counter, asking.ask(asks.FIRST_NUMBER + asked))
        known = self._known.get(entry.name)
        if known is not None:
            if known.ask != asking.ask(known.ask.number):
                return Answer(accepted=False, reason=f"counter {asking.counter} was another ask of {user}: count on")
            return _acknowledged(known)
        if t_ns >= self._span_ns[1]:
            return Answer(accepted=False, reason=f"after {self._span_ns[1] / 1e9:g} s of simulated time nothing more is begun")
        if asked >= asks.MOST_ASKS:
            return Answer(accepted=False, reason=f"{asks.MOST_ASKS} things were asked of {user} already")
        self._asked[user] = asked + 1
        self._known[entry.name] = entry
        new.append(entry)
        return _acknowledged(entry)

    def _in_time(self, user: str) -> bool:
        """Whether one more ask of a user may be looked at now."""
        now_s = asyncio.get_running_loop().time()
        left, at_s = self._allowed.get(user, (float(BURST), now_s))
        left = min(float(BURST), left + (now_s - at_s) * RATE_HZ)
        self._allowed[user] = (max(left - 1.0, 0.0), now_s)
        return left >= 1.0

    def _refuse(self, message: Received, reason: str) -> None:
        reason = "".join(c if c.isprintable() else "?" for c in reason)[:MOST_WORDS]  # some of it may be the participant's own
        self._counts.rejected += 1
        self._rejected.add(message.subject, message.data, reason)
        if _INBOX.fullmatch(message.reply):
            self._answer(message.reply, Answer(accepted=False, reason=reason))

    def _answer(self, reply: str, answer: Answer) -> None:
        self._link.publish(reply, asks.encode(answer))

    def _unanswered(self, reason: str) -> None:
        """The server does not let an answer through; who asked hears nothing, which is nothing to the run."""
        self._counts.rejected += 1
        self._unheard += 1
        if self._unheard == 1:
            log.warning("participants get no answers: %s; --nats needs a user that may use %s", reason[:MOST_WORDS], RIGHTS)

    def _fail(self, error: SemcastError) -> None:
        self._failure = error


def _acknowledged(entry: Accepted) -> Answer:
    return Answer(accepted=True, request=f"{entry.user}/{entry.ask.number}", t_ns=entry.t_ns)
