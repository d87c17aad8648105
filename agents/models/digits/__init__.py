"""Handwritten digits: a conditional VAE whose latents are prompts in layers, and judges that were trained apart from it.

For the study ``digits`` (Grassucci et al., arXiv 2401.06803). `data`, `quantiser` and `prompts` do not import torch.
"""
