# The ddpm sampler on a product of mixtures on the line as vectorised NumPy, for comparison with diffrate's chains.
# Arguments: dimension, T, chains. Prints the processor seconds of a loop for any mixture (arrays over chains,
# coordinates and components), and of one written for two components by hand.
import sys
import time

import numpy as np

d, T, chains = map(int, sys.argv[1:])
c0, c1 = 2.0, 8.5
weight, mean, sd = np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([0.3, 0.3])
h = c1 * np.log(T) / T
alpha_bar = np.empty(T + 1)
alpha_bar[T] = T**-c0
for t in range(T, 1, -1):
    alpha_bar[t - 1] = alpha_bar[t] + h * alpha_bar[t] * (1.0 - alpha_bar[t])
random = np.random.default_rng(1)


def score_of_any(y, a):
    variance = a * sd**2 + 1.0 - a
    u = y[..., None] - np.sqrt(a) * mean
    log_weight = np.log(weight) - 0.5 * np.log(variance) - u**2 / (2.0 * variance)
    posterior = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return -(posterior * u / variance).sum(axis=-1) / posterior.sum(axis=-1)


def score_of_two(y, a):
    variance = a * sd[0] ** 2 + 1.0 - a
    u, v = y - np.sqrt(a) * mean[0], y - np.sqrt(a) * mean[1]
    ratio = np.exp((u * u - v * v) / (2.0 * variance))
    return -(u + ratio * v) / (variance * (1.0 + ratio))


def seconds(score):
    start = time.process_time()
    y = random.standard_normal((chains, d))
    for t in range(T, 1, -1):
        alpha = alpha_bar[t] / alpha_bar[t - 1]
        y = (y + (1.0 - alpha) * score(y, alpha_bar[t])) / np.sqrt(alpha)
        y += np.sqrt((1.0 - alpha) / alpha) * random.standard_normal((chains, d))
    return time.process_time() - start


print(seconds(score_of_any), seconds(score_of_two))
