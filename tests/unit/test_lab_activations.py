"""The activation functions, their derivatives and their chains, against PyTorch and against the lecture's numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainclinic.errors import LabError
from trainclinic.lab import activations
from trainclinic.lab.settings import ACTIVATIONS
from trainclinic.measure.signals.saturated_share import GAIN_USE

X = np.linspace(-5, 5, 401)


@pytest.mark.parametrize("name", activations.FUNCTIONS)
def test_every_function_and_derivative_is_pytorchs(name):
    x = torch.tensor([*X, -300.0, 300.0], dtype=torch.float64, requires_grad=True)
    expected = getattr(torch.nn, name)()(x)
    expected.sum().backward()
    found = activations.activation(name)
    np.testing.assert_allclose(found.function(x.detach().numpy()), expected.detach().numpy(), atol=1e-9, rtol=1e-9)
    np.testing.assert_allclose(found.derivative(x.detach().numpy()), x.grad.numpy(), atol=1e-9, rtol=1e-9)


def test_every_activation_of_an_experiment_that_bends_is_here():
    assert set(ACTIVATIONS) - set(activations.FUNCTIONS) == {"Hardtanh", "Identity"}


def test_shapes_are_kept():
    for found in activations.FUNCTIONS.values():
        assert found.function(np.zeros((2, 3))).shape == found.derivative(np.zeros((2, 3))).shape == (2, 3)
        assert found.function(0.5).shape == ()


def test_the_sigmoids_derivative_is_a_quarter_at_most():
    slopes = activations.sigmoid_derivative(X)
    assert activations.sigmoid_derivative(0) == slopes.max() == 0.25
    assert X[slopes.argmax()] == 0
    assert activations.sigmoid_derivative(40) == pytest.approx(math.exp(-40), rel=1e-6)  # small, and not rounded to 0


def test_tanh_and_its_derivative_as_the_lecture_writes_them():
    np.testing.assert_array_equal(activations.tanh(X), np.tanh(X))
    np.testing.assert_array_equal(activations.tanh_derivative(X), 1 - np.tanh(X) ** 2)
    assert activations.tanh_derivative(0) == 1


def test_relus_derivative_is_0_at_0():
    assert activations.relu_derivative([-1.0, 0.0, 1e-300]).tolist() == [0, 0, 1]


def test_the_chain_bound_is_the_lectures():
    assert [activations.chain_bound(n) for n in (1, 2, 3)] == [0.25, 0.0625, 0.015625]
    assert activations.chain_bound(0) == 1
    assert activations.chain_bound(2000) == 0  # its limit


@pytest.mark.parametrize("layers", [-1, 2.5, True, "3", None])
def test_no_number_of_layers_is_refused(layers):
    with pytest.raises(LabError, match="layers: expected a whole number of 0 or more"):
        activations.chain_bound(layers)


def test_the_mean_derivative_over_a_normal_spread_is_that_of_draws():
    z = 2.0 * np.random.default_rng(0).standard_normal(400_000)
    drawn = activations.sigmoid_derivative(z).mean()
    assert activations.mean_derivative("Sigmoid", 2.0) == pytest.approx(drawn, rel=0.01)
    assert activations.mean_derivative("Sigmoid", 0) == pytest.approx(0.25)
    assert activations.mean_derivative("ReLU", 1.0) == pytest.approx(0.5)


def test_the_gain_that_makes_up_for_a_relu_is_hes():
    assert 1 / activations.rms_derivative("ReLU", 3.0) == pytest.approx(math.sqrt(2))
    assert 1 / activations.rms_derivative("LeakyReLU", 1.0) == pytest.approx(math.sqrt(2 / (1 + 0.01**2)))
    assert activations.rms_derivative("Sigmoid", 0.0) == pytest.approx(0.25)


@pytest.mark.parametrize("spread", [-0.1, math.inf, math.nan])
def test_no_spread_is_refused(spread):
    with pytest.raises(LabError, match="spread"):
        activations.mean_derivative("Sigmoid", spread)


@pytest.mark.parametrize(("name", "edge"), [("Sigmoid", 3.64), ("Tanh", 1.82)])
def test_a_unit_is_saturated_beyond_the_stated_edge(name, edge):
    assert activations.saturated_share(name, [0, edge - 0.01, -edge + 0.01]) == 0
    assert activations.saturated_share(name, [edge + 0.01, -edge - 0.01, 0, 0]) == 0.5
    assert activations.FLAT == GAIN_USE  # the lab and the recorded signal count alike


def test_saturation_belongs_to_what_flattens_on_both_sides():
    with pytest.raises(LabError, match="Sigmoid or Tanh"):
        activations.saturated_share("ReLU", [0.0])
    with pytest.raises(LabError, match="at least one"):
        activations.saturated_share("Tanh", [])


def test_nonsense_is_refused():
    with pytest.raises(LabError, match="x: expected numbers"):
        activations.sigmoid("many")
    with pytest.raises(LabError, match="activation: expected one of Sigmoid"):
        activations.activation("Step")
