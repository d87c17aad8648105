"""Stage 2 at the sender where the picture itself goes up as a file over the coded link (scheme ``traditional``)."""

from msgspec import UNSET

from ..bus.engine import Context
from ..bus.messages import CodedPicture, Tick
from .accounting import body_bits
from .picture_files import written
from .user_state import Sending, UserBase


class UserFiling(UserBase):
    """The way out as a file."""

    def remember(self, request: str, sending: Sending, caption: str, ctx: Context) -> None:
        """A history item for a picture sent."""
        raise NotImplementedError

    def write_file(self, request: str, ctx: Context) -> None:
        """Writing takes the time of this user's processor."""
        form = self.around.prescribed
        assert form is not None
        ctx.timer(self.work_ns(form.encode_flops), Tick("written", request=request))

    def tick_written(self, tick: Tick, ctx: Context) -> None:
        """The file is there: it goes up."""
        form, request = self.around.prescribed, tick.request
        assert form is not None
        sending = self.state.sending.pop(request)
        file = written(sending.picture, form.codec, form.quality)
        body = CodedPicture(request, sending.recipient, sending.t_ns, form.name, file, sending.further or UNSET)
        self.send_up(ctx, f"features:{request}:up", "features", body_bits(body), body, request=request)
        self.remember(request, sending, "a picture", ctx)
