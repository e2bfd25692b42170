"""The lab: every element of the lecture, live on real networks, in Korean and English.

    trainclinic lab                          # in the browser
    tc.lab.batch_normalization(x, gamma=1.0, beta=0.0)

The names below are the lecture's functions, in NumPy, each with its shapes, units and source.
"""

from trainclinic.lab.activations import (
    chain_bound,
    elu,
    elu_derivative,
    gelu,
    gelu_derivative,
    leaky_relu,
    leaky_relu_derivative,
    relu,
    relu_derivative,
    saturated_share,
    selu,
    selu_derivative,
    sigmoid,
    sigmoid_derivative,
    silu,
    silu_derivative,
    softplus,
    softplus_derivative,
    tanh,
    tanh_derivative,
)
from trainclinic.lab.augmentation import mixup, noise, rotate, shift
from trainclinic.lab.batches import iterations_per_epoch, last_batch, noise_scale, updates
from trainclinic.lab.dropout_mask import dropout
from trainclinic.lab.normalization import batch_normalization
from trainclinic.lab.regression import ANSCOMBE_X, ANSCOMBE_Y, baseline, ols, ridge, ridge_alpha
from trainclinic.lab.stopping import best_epoch, gl, patience, pq, up

__all__ = [
    "ANSCOMBE_X",
    "ANSCOMBE_Y",
    "baseline",
    "batch_normalization",
    "best_epoch",
    "chain_bound",
    "dropout",
    "elu",
    "elu_derivative",
    "gelu",
    "gelu_derivative",
    "gl",
    "iterations_per_epoch",
    "last_batch",
    "leaky_relu",
    "leaky_relu_derivative",
    "mixup",
    "noise",
    "noise_scale",
    "ols",
    "patience",
    "pq",
    "relu",
    "relu_derivative",
    "ridge",
    "ridge_alpha",
    "rotate",
    "saturated_share",
    "selu",
    "selu_derivative",
    "shift",
    "sigmoid",
    "sigmoid_derivative",
    "silu",
    "silu_derivative",
    "softplus",
    "softplus_derivative",
    "tanh",
    "tanh_derivative",
    "up",
    "updates",
]
