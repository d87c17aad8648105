"""What of a photograph is sent: which coefficients of which block, and with how much power.

Every 16x16 block belongs to one of `CLASSES` classes (smooth, edges along one direction, texture ...), told to the receiver in
coded bits. A class is a variance for every coefficient. With the number of blocks of each class, the number of values to
send and the design SNR, both ends work out the same plan: the values of largest variance are sent, and power is spread over them
by the closed form of least squared error (reverse water-filling: K.-H. Lee, D. P. Petersen, "Optimal linear coding for vector
channels", IEEE Trans. Commun. 24(12), 1976). So a busy block gets more channel uses and power than one of plain sky.
"""

import numpy as np

CLASSES = 16
CHANNELS = 384
"""Most real values a 16x16 block of 768 values."""
LEAST_AMPLITUDE = 0.02
"""Of a value that is sent though it is not worth power: a dead one would never learn."""


def numbers_sent(variances: np.ndarray, counts: np.ndarray, values: int) -> np.ndarray:
    """How often each coefficient of each class is sent.

    Args:
        variances: (CLASSES, CHANNELS).
        counts: (CLASSES,) blocks of each class.
        values: Real values to send in all.

    Returns:
        (CLASSES, CHANNELS) of 0 to ``counts[class]``, summing to ``values``: all of the largest variance first (of equals, the
        lower class and coefficient first). Where the last does not fit whole, the first blocks in raster order have it.
    """
    order = np.argsort(-variances, axis=None, kind="stable")
    there = np.repeat(counts, variances.shape[1])[order]
    before = np.cumsum(there) - there
    sent = np.empty(variances.size, np.int64)
    sent[order] = np.clip(values - before, 0, there)
    return sent.reshape(variances.shape)


def amplitudes(variances: np.ndarray, sent: np.ndarray, snr_db: float) -> np.ndarray:
    """Gains of the linear code of least squared error for independent values over real AWGN, of mean power 1/2 a value.

    With p_i the power of value i and s the noise variance of a real dimension, the error sum l_i s / (p_i + s) is least
    under sum p_i = values / 2 at p_i = max(0, m sqrt(l_i s) - s); m follows by bisection.

    Args:
        variances: l of the values, any shape.
        sent: How often each is sent, same shape.
        snr_db: Es/N0 per complex symbol (two values).

    Returns:
        The factor of each value at the sender; zero where it is not sent.
    """
    noise = 10 ** (-snr_db / 10) / 2
    used = sent > 0
    root, often = np.sqrt(variances[used] * noise), sent[used]
    budget = often.sum() / 2
    low, high = 0.0, (budget + noise * often.sum()) / float((root * often).max(initial=1e-300)) + 1
    for _ in range(100):
        level = (low + high) / 2
        low, high = (low, level) if (np.maximum(level * root - noise, 0) * often).sum() > budget else (level, high)
    gains = np.zeros(variances.shape)
    gains[used] = np.maximum(np.sqrt(np.maximum(low * root - noise, 0)), LEAST_AMPLITUDE) / np.sqrt(variances[used])
    return gains


def gain_map(variances: np.ndarray, classes: np.ndarray, values: int, snr_db: float) -> np.ndarray:
    """The plan of one picture: the gain of every coefficient of every block, zero where it is not sent.

    Args:
        variances: (CLASSES, CHANNELS) of the codec.
        classes: (h, w) integers, the class of every block.
        values: Real values to send, at most CHANNELS h w.
        snr_db: What the sender designs for: Es/N0 in dB.

    Returns:
        (CHANNELS, h, w) float32 with exactly ``values`` entries above zero.
    """
    sent = numbers_sent(variances, np.bincount(classes.ravel(), minlength=len(variances)), values)
    gains = amplitudes(variances, sent, snr_db).astype(np.float32)[classes]  # (h, w, CHANNELS)
    rank = np.empty(classes.size, np.int64)  # of a block within its class
    for one in range(len(variances)):
        where = np.flatnonzero(classes.ravel() == one)
        rank[where] = np.arange(len(where))
    there = rank.reshape(classes.shape)[:, :, None] < sent[classes]
    return np.ascontiguousarray(np.where(there, gains, 0).transpose(2, 0, 1))


def nearest_class(coefficients: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """The class that makes coefficients most likely, as independent zero-mean Gaussians.

    The first three (mean brightness and colour, about) say little of what a block needs and are left out.

    Args:
        coefficients: (n, CHANNELS).
        variances: (CLASSES, CHANNELS).

    Returns:
        (n,) int64.
    """
    cost = np.square(coefficients[:, 3:]) @ (1 / variances[:, 3:]).T + np.log(variances[:, 3:]).sum(1)
    return np.asarray(cost.argmin(1))
