"""The detector of the extractor: a small `transformers.RTDetrForObjectDetection` over the trunk of `detector.py`.

RT-DETR (Zhao et al. 2023): the most promising of the trunk's 16x16 cells become queries, and decoder layers with deformable
attention refine their boxes. Of two queries that say the same object the less certain is dropped, as short training leaves
some. The encoder's attention is left out: the trunk has gathered context. Two linear heads are ours: the colour of every
query's object, and the background of the picture.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoBackbone, AutoConfig, PreTrainedConfig, PreTrainedModel, RTDetrConfig, RTDetrForObjectDetection
from transformers.backbone_utils import BackboneConfigMixin, BackboneMixin
from transformers.loss.loss_rt_detr import RTDetrHungarianMatcher
from transformers.modeling_outputs import BackboneOutput

from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ..roles import PICTURE_SIDE, Box
from .detector import CELL, MAX_BOXES, MEAN_SIDE, Trunk, distinct
from .pretrained import ready


class TrunkConfig(BackboneConfigMixin, PreTrainedConfig):  # type: ignore[misc]
    """Nothing can be chosen: one stage of 64 channels at stride 4."""

    model_type = "semcast_trunk"

    def __init__(self, out_features: list[str] | None = None, out_indices: list[int] | None = None, **more: object) -> None:
        super().__init__(**more)
        self.stage_names = ["trunk"]
        self.set_output_features_output_indices(out_features, out_indices)


class TrunkBackbone(BackboneMixin, PreTrainedModel):  # type: ignore[misc]
    """The trunk as a backbone of `transformers`."""

    config_class = TrunkConfig
    main_input_name = "pixel_values"

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__(config)
        self.num_features = [Trunk.width]
        self.trunk = Trunk()
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """A convolution's own start is kept."""

    def forward(self, pixel_values: Tensor, **_: object) -> BackboneOutput:
        """Pictures (n, 3, 64, 64) in [-1, 1] -> one feature map."""
        return BackboneOutput(feature_maps=(self.trunk.features(pixel_values),))


AutoConfig.register(TrunkConfig.model_type, TrunkConfig, exist_ok=True)
AutoBackbone.register(TrunkConfig, TrunkBackbone, exist_ok=True)


class SceneDetector(RTDetrForObjectDetection):  # type: ignore[misc]
    """RT-DETR with a colour for every query and a background for every picture."""

    def __init__(self, config: RTDetrConfig) -> None:
        super().__init__(config)
        self.loss_type = "RTDetrForObjectDetection"  # else looked up by the name of the class
        self.colour = nn.Linear(config.d_model, len(COLOUR_NAMES))
        self.ground = nn.Linear(config.encoder_hidden_dim, len(BACKGROUND_NAMES))

    def see(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pictures (n, 3, 64, 64) in [-1, 1].

        Returns:
            Class logits (n, queries, classes), boxes cx, cy, width, height as shares of the picture (n, queries, 4), colour
            logits (n, queries, colours), background logits (n, backgrounds).
        """
        out = self(pictures)
        return out.logits, out.pred_boxes, self.colour(out.last_hidden_state), self._ground(out)

    def loss(self, pictures: Tensor, targets: list[dict[str, Tensor]], background: Tensor) -> Tensor:
        """RT-DETR's loss (with denoising queries), and cross entropies of colours and background.

        Args:
            pictures: (n, 3, 64, 64) in [-1, 1].
            targets: Per picture ``class_labels`` (k,), ``colours`` (k,), ``boxes`` (k, 4) as shares.
            background: Numbers (n,).
        """
        out = self(pictures, labels=targets)
        queries = int(self.config.num_queries)  # denoising queries come before the others
        seen = {"logits": out.logits[:, -queries:].float(), "pred_boxes": out.pred_boxes[:, -queries:].float()}
        pairs = RTDetrHungarianMatcher(self.config)(seen, targets)
        hidden = torch.cat([out.last_hidden_state[row, -queries:][i] for row, (i, _) in enumerate(pairs)])
        wanted = torch.cat([targets[row]["colours"][j] for row, (_, j) in enumerate(pairs)])
        colours = functional.cross_entropy(self.colour(hidden).float(), wanted)
        total: Tensor = out.loss + colours + 0.2 * functional.cross_entropy(self._ground(out).float(), background)
        return total

    def _ground(self, out: Any) -> Tensor:
        logits: Tensor = self.ground(out.encoder_last_hidden_state[0].mean(dim=(2, 3)))
        return logits


def build(width: int = 64, layers: int = 2, heads: int = 4) -> SceneDetector:
    """A new detector with random weights. It has no attention in the encoder: the trunk has gathered the context."""
    config = RTDetrConfig(
        backbone_config=TrunkConfig(), encoder_hidden_dim=width, encoder_in_channels=[Trunk.width], feat_strides=[CELL],
        encoder_layers=0, encoder_ffn_dim=2 * width, encoder_attention_heads=heads, encode_proj_layers=[], d_model=width,
        num_queries=16, decoder_in_channels=[width], decoder_ffn_dim=2 * width, num_feature_levels=1, decoder_layers=layers,
        decoder_attention_heads=heads, num_denoising=16, num_labels=len(LABELS),
    )  # fmt: skip
    network: SceneDetector = ready(SceneDetector(config))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # the library starts these near zero, for its pretrained weights
            nn.init.ones_(module.weight)
    # the library's anchors are a twentieth of the picture wide; ours start at the objects' usual size
    last = network.model.enc_bbox_head.layers[-1]
    nn.init.zeros_(last.weight)
    with torch.no_grad():
        last.bias.copy_(torch.tensor([0.0, 0.0, *[float(torch.logit(torch.tensor(MEAN_SIDE / PICTURE_SIDE))) + 2.944] * 2]))
    return network


def set_trunk(network: SceneDetector, trunk: Trunk) -> None:
    """Copy a trained trunk; its norms are frozen ones here."""
    own = network.model.backbone.model.trunk
    own.load_state_dict({name: value for name, value in trunk.state_dict().items() if "num_batches" not in name})


def find(network: SceneDetector, pictures: Tensor, threshold: float) -> tuple[list[list[Box]], list[str]]:
    """Boxes of each picture, most certain first, and its background.

    Places are rounded to 1/16 pixel and scores to 1/1000, so that last bits do not matter.
    """
    logits, boxes, colours, grounds = network.see(pictures)
    scores, labels = torch.sigmoid(logits).max(dim=2)
    places = (boxes * PICTURE_SIDE * 16).round() / 16
    result = []
    for row in range(len(logits)):
        found = []
        for i in torch.nonzero(scores[row] >= threshold).flatten().tolist():
            cx, cy, width, height = places[row, i].tolist()
            label, colour = LABELS[int(labels[row, i])], COLOUR_NAMES[int(colours[row, i].argmax())]
            found.append(Box(label, colour, cx, cy, width, height, round(float(scores[row, i]), 3)))
        found.sort(key=lambda box: (-box.score, box.cy, box.cx))
        result.append(distinct(found)[:MAX_BOXES])
    return result, [BACKGROUND_NAMES[int(index)] for index in grounds.argmax(dim=1)]
