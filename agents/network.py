"""What never changes during a run and all agents know: the settings and what follows from them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from ..bus import keys
from ..bus.channel import Air, Area, Radio
from ..bus.channel.fading import doppler_hz
from ..bus.clock import ns
from ..policies.protocols import CodecCard
from ..policies.registry import DEFAULTS, PolicySpec, load, needs, resolve
from .coded_pictures import FORMATS, Format
from .coded_pictures import card as coded_card
from .models.codecs.library import Library, read_library
from .models.loading import WEIGHTS
from .picture_files import prescribed
from .satisfaction import predicted_psnr_db
from .settings import AT_RECEIVERS, FILES, GENERATING, NetworkSettings, UserSettings

BACKHAUL_BPS = 1.0e9
"""Bits a second of the wires between edges and the cloud."""


REHEARSAL_ROLE, REHEARSAL_STEPS = "generator@small", 2
"""What a sender rehearses a prompt with, on its own device."""

ASKED = ("embedder", "extractor", "jscc_decoder", "jscc_encoder", "personaliser")
"""Roles of models that agents always ask; a test sees to it."""


@dataclass(frozen=True)
class Surroundings:
    """The network as all agents know it.

    Attributes:
        settings: As given.
        air: The radio world.
        library: The JSCC codecs.
    """

    settings: NetworkSettings
    air: Air
    library: Library

    @cached_property
    def policies(self) -> dict[str, PolicySpec]:
        """Kind -> the policy of the run; a kind that the settings leave out has its default."""
        given = {spec.kind: spec for spec in self.settings.policies}
        return {kind: given.get(kind) or resolve(kind, text) for kind, text in DEFAULTS.items()}

    @cached_property
    def loaded(self) -> dict[str, tuple[str, Any]]:
        """Kind -> (name, policy), one object for all agents."""
        return {kind: (spec.name, load(spec)) for kind, spec in self.policies.items()}

    @cached_property
    def needs(self) -> dict[str, frozenset[str]]:
        """Kind -> what its policy asks of the agents beside the context (see ``registry.needs``)."""
        return {kind: needs(spec) for kind, spec in self.policies.items()}

    @property
    def outcomes_wanted(self) -> bool:
        """Whether senders learn, so that receivers tell what they saw: where policies of noise and prompt are asked at all."""
        asked = self.settings.scheme in GENERATING and self.settings.scheme not in AT_RECEIVERS
        return asked and "outcome" in self.needs["noise"] | self.needs["prompt"]

    @cached_property
    def users(self) -> tuple[str, ...]:
        """User ids, sorted; a user's index here is its number on the air."""
        return tuple(sorted(user.id for user in self.settings.users))

    @cached_property
    def invited(self) -> tuple[str, ...]:
        """Users that take part in the preparation: those with subjects, and a keyed share of the others."""
        seed, share = self.settings.seed, self.settings.knowledge.invited_share
        if share >= 1.0:
            return self.users
        own = {user.id for user in self.settings.users if user.subjects}
        return tuple(user for user in self.users if user in own or keys.uniform(seed, "invited", user) < share)

    @cached_property
    def number_of(self) -> dict[str, int]:
        """User id -> its index in ``users``."""
        return {user: number for number, user in enumerate(self.users)}

    @cached_property
    def user_settings(self) -> dict[str, UserSettings]:
        """User id -> its settings."""
        return {user.id: user for user in self.settings.users}

    @cached_property
    def edge_of_station(self) -> dict[str, str]:
        """Base station -> its edge."""
        return {station.id: station.edge for station in self.settings.stations}

    @cached_property
    def adversary_of(self) -> dict[str, str]:
        """Base station -> the adversary on its wire; those without are left out."""
        return adversaries(self.settings)

    @cached_property
    def guarded(self) -> bool:
        """Whether it is put on record how messages were looked at."""
        security = self.settings.security
        return security.signatures or security.rate_hz > 0 or bool(self.settings.adversary.stations)

    @cached_property
    def cards(self) -> tuple[CodecCard, ...]:
        """The codecs on offer as an edge's encoder policy sees them: with what one picture takes of this network's processors."""
        compute, radio = self.settings.compute, self.settings.radio
        watts = 10 ** ((radio.bs_power_dbm - 30) / 10)
        found = []
        for card in self.library.offers(self.settings.codecs):
            codec = self.library.codec(card.name)
            joules = (
                codec.encoder_flops * compute.joule_per_flop_server
                + codec.decoder_flops * compute.joule_per_flop_user
                + watts * card.symbols / radio.bandwidth_hz
            )
            encode_s, decode_s = codec.encoder_flops / compute.edge_flops, codec.decoder_flops / compute.user_flops
            found.append(replace(card, encode_s=encode_s, decode_s=decode_s, joules=joules))
        return tuple(found)

    @cached_property
    def card(self) -> dict[str, CodecCard]:
        """Codec name -> card."""
        return {card.name: card for card in self.cards}

    @property
    def uplink_cards(self) -> tuple[CodecCard, ...]:
        """The codecs that a sender may choose from: all on offer, or the one that the settings name."""
        name = self.settings.uplink_codec
        return (self.card[name],) if name else self.cards

    def offers(self, mean_db: float) -> tuple[CodecCard, ...]:
        """The codecs on offer for a receiver of a mean SNR: coded bits among them where the settings say so."""
        if not self.settings.coded_fallback:
            return self.cards
        return (*self.cards, *(coded_card(form, self.settings, mean_db) for form in FORMATS.values()))

    def predicted_psnr_db(self, codec: str, snr_db: float) -> float:
        """What a codec's card, or a coded picture's format, predicts at an SNR."""
        form = self.formats.get(codec)
        return form.psnr_db if form else predicted_psnr_db(self.card[codec], snr_db)

    @cached_property
    def prescribed(self) -> Format | None:
        """The files that pictures come down as, where the scheme prescribes any."""
        settings = self.settings
        return prescribed(settings.file_codec, settings.file_quality) if settings.scheme in FILES else None

    @cached_property
    def formats(self) -> dict[str, Format]:
        """Name -> format of pictures that come as coded bits."""
        return FORMATS | ({self.prescribed.name: self.prescribed} if self.prescribed else {})

    @cached_property
    def decoder_bits(self) -> dict[str, int]:
        """Name of a codec's weights -> size of the decoder in bits."""
        return {codec.weights: codec.decoder_bits for codec in self.library.chosen(self.settings.codecs).values()}

    @cached_property
    def codec_bits(self) -> dict[str, int]:
        """Name of a codec's weights -> size of encoder and decoder in bits: what an edge stores."""
        codecs = self.library.chosen(self.settings.codecs).values()
        return {codec.weights: codec.encoder_bits + codec.decoder_bits for codec in codecs}

    def weights(self, codec: str) -> str:
        """Name of a codec's weights; adaptive codecs share theirs."""
        return self.library.codec(codec).weights

    @property
    def uplink_offset_db(self) -> float:
        """Mean uplink minus mean downlink SNR of a link: what powers and receivers differ by; the rest is reciprocal."""
        radio = self.air.radio
        if radio.fixed_snr_db is not None:
            return 0.0
        return radio.user_power_dbm - radio.bs_power_dbm + radio.user_noise_figure_db - radio.bs_noise_figure_db

    def doppler_hz(self, user: str) -> float:
        """Maximum Doppler shift at a user's nominal speed."""
        radio = self.air.radio
        speed = max(self.user_settings[user].speed_mps, radio.scatter_speed_mps)
        return doppler_hz(speed, radio.carrier_hz) if radio.fading == "rayleigh" else 0.0

    def latency_s(self, source: str, destination: str) -> float:
        """One-way latency of a link between two roles."""
        latency_ms = self.settings.latency_ms
        return latency_ms.get(f"{source}>{destination}", max(latency_ms.values())) / 1e3

    def fetch_s(self, bits: int) -> float:
        """Time in which an edge gets something of a size from the cloud: request, and answer over the backhaul."""
        return self.latency_s("edge", "cloud") + self.latency_s("cloud", "edge") + bits / BACKHAUL_BPS

    def true_snr_db(self, user: str, bs: str, direction: Literal["up", "down"], t_ns: int) -> float:
        """True SNR of a link when the first symbol of a picture that is to be encoded now can be on the air; for oracles only."""
        roles = ("user", "bs") if direction == "up" else ("edge", "bs")
        later_ns = ns(self.latency_s(*roles) + max(card.encode_s for card in self.cards))
        return self.air.link(bs, user).snr_db(t_ns + later_ns, direction)

    def subject_name(self, user: str, number: int) -> str:
        """Name of a user's subject by its number; empty if it has no such."""
        subjects = self.user_settings[user].subjects
        return subjects[number] if number < len(subjects) else ""


def adversaries(settings: NetworkSettings) -> dict[str, str]:
    """Base station -> the adversary on its wire, e.g. ``bs.0`` -> ``adversary.0``."""
    return {station: f"adversary.{station.partition('.')[2]}" for station in settings.adversary.stations}


def asked(settings: NetworkSettings) -> list[str]:
    """Roles of models that the agents of a network ask."""
    rehearsal = [REHEARSAL_ROLE for spec in settings.policies if spec.kind == "noise" and "rehearsal" in needs(spec)]
    wanted = {
        "calibrator": settings.calibrate,
        "captioner": settings.caption == "captioner",
        "denoiser": settings.denoise,
        "keywords": settings.goals == "inferred",
        "stylist": settings.restyle,
    }
    roles = [*ASKED, generator_role(settings), *rehearsal, *(role for role, wants in wanted.items() if wants)]
    variants = [f"{role}@{variant}" for device in settings.devices for role, variant in device.variants.items() if role in roles]
    return sorted(dict.fromkeys(roles + variants))


def generator_role(settings: NetworkSettings) -> str:
    """The role that draws content: ``generator``, or a family of it such as ``generator@vae``."""
    return "generator" if settings.generator == "diffusion" else f"generator@{settings.generator}"


def drawing_seed(seed: int, request: str, candidate: int = 0) -> int:
    """The generator's seed for a request (and for further candidates, where the best of several is kept)."""
    return keys.integer(1 << 62, seed, "generate", request, *((candidate,) if candidate else ()))


def surroundings_of(settings: NetworkSettings, weights: Path | None = None) -> Surroundings:
    """Build them.

    Raises:
        Missing: The folder of weights has no codec library.
    """
    return Surroundings(settings, air_of(settings), read_library((weights or WEIGHTS) / "jscc"))


def air_of(settings: NetworkSettings) -> Air:
    """The radio world of a network."""
    own = settings.radio
    radio = Radio(
        carrier_hz=own.carrier_hz,
        bandwidth_hz=own.bandwidth_hz,
        bs_power_dbm=own.bs_power_dbm,
        user_power_dbm=own.user_power_dbm,
        bs_noise_figure_db=own.noise_figure_db,
        user_noise_figure_db=own.noise_figure_db,
        fading="awgn" if own.model == "awgn" else "rayleigh",
        fixed_snr_db=own.fixed_snr_db,
        pilots=None if own.perfect_csi else own.pilots,
        max_attempts=own.max_attempts,
    )
    return Air(
        settings.seed,
        radio,
        Area(*settings.area_m),
        {station.id: (station.x_m, station.y_m) for station in settings.stations},
        {user.id: user.speed_mps for user in settings.users},
    )


def backhaul_ns(bits: int) -> int:
    """Time that bits take on a wire between edge and cloud, on top of its latency."""
    return ns(bits / BACKHAUL_BPS)
