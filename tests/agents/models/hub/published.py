"""The published configurations of the hub table's checkpoints, as far as they decide sizes and costs."""

from typing import Any

import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel


def captioner_vit_gpt2() -> Any:
    """ViT-B/16 and GPT-2 with cross attention."""
    decoder = transformers.GPT2Config(add_cross_attention=True, is_decoder=True)
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(transformers.ViTConfig(), decoder)
    return transformers.VisionEncoderDecoderModel(config)


def captioner_blip() -> Any:
    """ViT-B/16 at 384 and a BERT-like decoder."""
    text, vision = transformers.BlipTextConfig(), transformers.BlipVisionConfig()
    return transformers.BlipForConditionalGeneration(
        transformers.BlipConfig(text_config=text.to_dict(), vision_config=vision.to_dict())
    )


def detector_yolos() -> Any:
    """YOLOS-tiny: width 192."""
    return transformers.YolosForObjectDetection(
        transformers.YolosConfig(
            hidden_size=192,
            num_attention_heads=3,
            intermediate_size=768,
            image_size=[800, 1333],
            num_labels=91,
            use_mid_position_embeddings=False,
        )
    )


def detector_detr() -> Any:
    """DETR with ResNet-50."""
    backbone = transformers.ResNetConfig(out_features=["stage4"])
    return transformers.DetrForObjectDetection(
        transformers.DetrConfig(
            use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, num_labels=91
        )
    )


def clip_b32() -> Any:
    """CLIP ViT-B/32."""
    return transformers.CLIPModel(transformers.CLIPConfig())


def clip_b16() -> Any:
    """CLIP ViT-B/16."""
    return transformers.CLIPModel(transformers.CLIPConfig(vision_config={"patch_size": 16}))


def embedder_minilm() -> Any:
    """all-MiniLM-L6-v2."""
    return transformers.BertModel(transformers.BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536))


def language_gpt_neo() -> Any:
    """GPT-Neo 125M."""
    return transformers.GPTNeoForCausalLM(
        transformers.GPTNeoConfig(
            hidden_size=768, num_layers=12, num_heads=12, attention_types=[[["global", "local"], 6]], window_size=256
        )
    )


def generator_stable_diffusion_2_1() -> tuple[Any, Any, Any]:
    """UNet, decoder and text encoder (OpenCLIP ViT-H without its last layer) of Stable Diffusion 2.1 at 768."""
    unet = UNet2DConditionModel(
        sample_size=96, attention_head_dim=(5, 10, 20, 20), cross_attention_dim=1024, use_linear_projection=True
    )
    text = transformers.CLIPTextConfig(
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=23,
        num_attention_heads=16,
        projection_dim=512,
        hidden_act="gelu",
    )
    return unet, _autoencoder(768), transformers.CLIPTextModel(text)


def generator_gligen() -> tuple[Any, Any, Any]:
    """Stable Diffusion 1.4 with gated attention over boxes."""
    unet = UNet2DConditionModel(sample_size=64, attention_head_dim=8, cross_attention_dim=768, attention_type="gated")
    text = transformers.CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
    return unet, _autoencoder(512), transformers.CLIPTextModel(text)


def _autoencoder(side: int) -> Any:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        sample_size=side,
    )
