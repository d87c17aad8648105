"""The other three families of the papers' generators: VAE, GAN and flow, in the latent space of the diffusion's autoencoder."""
