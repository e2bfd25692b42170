"""What a sample of the samples says, on data whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import trainclinic as tc
from trainclinic.measure.data_card import FEATURES, ROWS, DataSample
from trainclinic.measure.evaluation import ByClass


def blobs(count: int = 300, classes: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Clouds that lie far apart."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(classes, (count,), generator=draw)
    return 5.0 * y[:, None] + torch.randn(count, 4, generator=draw), y


def card(x, y, held=None, *, batch=32, epochs=1):
    """As a training would show it, batch by batch; `held`: (inputs, targets) of one evaluation in two batches."""
    sample = DataSample()
    for _ in range(epochs):
        for part in torch.arange(len(x)).split(batch):
            sample.training.see_inputs(x[part])
            if y is not None:
                sample.training.see_targets(y[part])
    if held is not None:
        for part in torch.arange(len(held[0])).chunk(2):
            sample.validation.see_inputs(held[0][part])
            sample.validation.see_targets(held[1][part])
    return sample.to_dict(final=True)


def test_neighbours_tell_the_class_and_permuted_targets_do_not():
    x, y = blobs()
    found = card(x, y)["link"]
    assert found["agreement"] > 0.95 > 0.6 > found["null"]
    shifted = card(x, y.roll(1))["link"]
    assert shifted["agreement"] < shifted["null"] + 0.1


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_the_odd_ones_among_unanimous_neighbours_count_the_wrong_labels(share):
    x, y = blobs(1500)
    wrong = torch.arange(len(y)) < share * len(y)
    y = torch.where(wrong, (y + 1) % 3, y)
    found = card(x, y)["link"]
    assert found["unanimous"] > 100
    assert found["odd"] == pytest.approx(share, abs=0.05)


def test_a_border_is_told_from_columns_within_a_picture():
    x = torch.rand(60, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    bordered, striped = x.clone(), x.clone()
    bordered[..., :2] = 0
    striped[..., 1::2] = 0  # the last one is a border
    assert card(bordered, None)["training"]["inside"] == 0
    assert card(striped, None)["training"]["inside"] == pytest.approx(1 / 3)
    assert card(x.flatten(1), None)["training"]["inside"] == 0
    rows = DataSample()
    for batch in (striped, torch.rand(8, 1, 6, 7)):  # of another length: it is not kept
        rows.training.see_inputs(batch)
    assert rows.to_dict(final=True)["training"]["inside"] == pytest.approx(1 / 3)


def test_a_channel_that_stands_still_is_told_from_padding():
    x = torch.rand(60, 20, 3, generator=torch.Generator().manual_seed(0))
    dead, padded, square = x.clone(), x.clone(), torch.rand(60, 8, 8, generator=torch.Generator().manual_seed(0))
    dead[..., ::2] = 1
    padded[:, 12:] = 0
    square[..., ::2] = 1  # a picture's stripes, perhaps: which dimension is time is not known
    for one, share in ((x, 0), (dead, 2 / 3), (dead.transpose(1, 2), 2 / 3), (padded, 0), (square, 0)):
        assert card(one, None)["training"]["channels"] == pytest.approx(share)
        assert card(one.transpose(1, 2), None)["training"]["channels"] == pytest.approx(share)


def test_real_targets_are_told_by_an_r2():
    x = torch.randn(400, 3, generator=torch.Generator().manual_seed(1))
    y = x[:, :1] + x[:, 1:2] ** 2
    assert card(x, y)["link"]["agreement"] > 0.7
    assert card(x, y.roll(7, 0))["link"]["agreement"] < 0.1


def test_the_same_sample_in_the_next_epoch_is_the_same_row_and_no_neighbour_of_itself():
    x, y = torch.randn(100, 4), torch.randint(5, (100,))
    found = card(x, y, epochs=4)
    assert found["training"]["rows"] == 100
    assert found["link"]["agreement"] < 0.5


def test_sorted_batches_are_alike_and_shuffled_ones_are_not():
    x, y = blobs(600)
    shuffled, ordered = card(x, y)["order"], card(*(part[y.argsort()] for part in (x, y)))["order"]
    assert abs(shuffled["score"]) < 4
    assert ordered["score"] > 20
    assert ordered["alike"] > 0.95
    slow = torch.linspace(0, 1, 600)[:, None]
    assert card(x, slow)["order"]["score"] > 20
    several = torch.randint(2, (600, 5), generator=torch.Generator().manual_seed(0)).float()
    by_one = several[several[:, 3].argsort()]
    assert abs(card(x, several)["order"]["score"]) < 4
    assert card(x, by_one)["order"]["alike"] > 0.95


def test_copies_in_the_validation_set_are_counted_and_an_evaluation_of_the_training_set_is_told_apart():
    x, y = blobs(400)
    apart, leaked, same = ((x[320:], y[320:]), (x[300:], y[300:]), (x[:100], y[:100]))
    found = [card(x[:320], y[:320], held)["validation"] for held in (apart, leaked, same)]
    assert [entry["copies"] for entry in found] == pytest.approx([0.0, 0.2, 0.0])
    assert [entry["training_batches"] for entry in found] == pytest.approx([0.0, 0.0, 1.0])
    assert [entry["fewest_copies"] for entry in found] == pytest.approx([0.0, 0.0, 1.0])
    assert found[0]["agreement"] > 0.95
    sample = DataSample()
    sample.training.see_inputs(x[:320])
    sample.validation.see_inputs(x[300:])
    sample.validation.see_targets(y[300:])
    sample.to_dict(final=True)
    copied, targets = sample.known
    assert copied.tolist() == [True] * 20 + [False] * 80
    assert torch.equal(targets, y[300:])
    assert card(x[:320], y[:320], (x[320:], (y[320:] + 1) % 3))["validation"]["agreement"] < 0.05


def test_constant_features_and_those_that_differ_only_in_validation():
    x, y = blobs()
    x = torch.cat((x, torch.zeros(300, 2)), 1)
    held = x.clone()
    held[:, 4] = torch.arange(300.0)
    found = card(x, y, (held, y))
    assert found["training"]["constant"] == pytest.approx(2 / 6)
    assert found["validation"]["constant_in_training"] == 1
    assert found["validation"]["moved"] == pytest.approx(299 / 300)
    assert found["validation"]["farthest"] == pytest.approx(
        299 / float(x[:, :4].std(0, correction=0).median()), rel=1e-3
    )


def test_a_row_of_few_values_can_tell_few_bits():
    coins = torch.randint(2, (200, 5), generator=torch.Generator().manual_seed(0)).float()
    assert card(coins, torch.arange(200))["training"]["bits"] == 0
    graded = torch.randint(100, (200, 5), generator=torch.Generator().manual_seed(0)).float()
    assert 5 * 5 < card(graded, torch.arange(200))["training"]["bits"] < 5 * 7
    assert card(torch.randn(200, 5), None)["training"]["bits"] == 160


def test_batches_of_one_class_each_are_classes_still():
    y = (torch.arange(256) >= 128).float()
    found = card(torch.randn(256, 3), y)["order"]
    assert found["expected"] == pytest.approx(0.5)
    assert found["alike"] == 1.0


def test_rows_are_bounded_however_long_and_wide_the_run():
    sample = DataSample()
    for _ in range(100):
        sample.training.see_inputs(torch.randn(64, 3, 40, 40))
        sample.training.see_targets(torch.zeros(64))
    batches = sample.training.batches()
    assert ROWS <= sum(len(x) for x, _ in batches) < ROWS + 64
    assert all(x.shape[1] <= FEATURES for x, _ in batches)
    assert not sample.training.wants_more


def test_what_has_no_rows_gives_no_numbers():
    for inputs in (None, torch.tensor(1.0), torch.zeros(0, 3), torch.zeros(3, 2, dtype=torch.complex64)):
        sample = DataSample()
        sample.training.see_inputs(inputs)
        assert sample.to_dict(final=True) == {}
    assert "link" not in card(torch.randn(64, 3), None)


def test_class_by_class_with_the_frequencies_taken_out():
    scores = torch.tensor([[1.0, 0.5], [1.0, 0.5], [3.0, 0.0], [0.0, 3.0]])
    by_class = ByClass()
    by_class.add("cross_entropy", scores, torch.tensor([1, 1, 0, 1]), {0: 90, 1: 10})
    by_class.end()
    assert by_class.to_dict() == {
        "samples": [1, 3], "right": [1, 1], "right_adjusted": [1, 3], "predicted": [3, 1],
    }  # fmt: skip


def test_a_watched_training_has_its_card():
    x, y = blobs(200)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.25), nn.Linear(8, 3))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.5)
    with tc.watch(model, optimizer) as watch:
        for _ in range(3):
            for part in torch.randperm(160).split(20):
                optimizer.zero_grad()
                F.cross_entropy(model(x[part]), y[part]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x[150:]), y[150:])
            model.train()
    facts = watch.recording.facts
    assert facts["data"]["link"]["agreement"] > 0.9
    assert facts["data"]["validation"]["copies"] == pytest.approx(10 / 50)
    assert sum(facts["classes"]["samples"]) == 50
    assert facts["batch_norm"] == {"1": 20}
    assert facts["weight_decay"] == [{"weight_decay": 0.5, "decoupled": True}]
    assert [module["dropout"] for module in facts["modes"]["sensitive"]] == [0.0, 0.25]


def test_a_feature_that_is_the_target_is_told():
    x = torch.randn(200, 5, generator=torch.Generator().manual_seed(2))
    y = x[:, :1] + 0.5 * x[:, 1:2]
    assert card(x, y)["link"]["proxy"] < 0.95
    assert card(torch.cat((x, -3 * y), 1), y)["link"]["proxy"] == pytest.approx(1.0, abs=1e-5)


def test_a_feature_that_tells_the_class_is_told_and_one_of_several_targets_too():
    draw = torch.Generator().manual_seed(2)
    x, y = torch.randn(200, 5, generator=draw), torch.randint(4, (200,), generator=draw)
    codes = torch.tensor([2.0, 0.0, 3.0, 1.0])[y, None]  # numbered in another order
    assert card(x, y)["link"]["proxy"] < 0.5
    assert card(torch.cat((x, codes), 1), y)["link"]["proxy"] == pytest.approx(1.0, abs=1e-5)
    several = torch.randn(200, 2, generator=draw)
    assert card(torch.cat((x, several[:, :1]), 1), several)["link"]["proxy"] == pytest.approx(1.0, abs=1e-5)
    assert card(x, x)["link"]["proxy"] == 0  # an autoencoder


def test_a_linear_map_tells_what_neighbours_do_not():
    x = torch.randn(300, 60, generator=torch.Generator().manual_seed(3))
    link = card(x, x.sum(1, keepdim=True))["link"]
    assert link["linear"] > 0.9 > link["agreement"]
    assert link["linear"] > link["linear_null"]
    unlinked = card(x, x.sum(1, keepdim=True).roll(1, 0))["link"]
    assert unlinked["linear"] < 0.2


def test_copies_with_a_little_noise_lie_strangely_near():
    draw = torch.Generator().manual_seed(4)
    x, y = torch.randn(300, 8, generator=draw), torch.randint(3, (300,), generator=draw)
    fresh = (torch.randn(100, 8, generator=draw), y[:100])
    noisy = (x[:100] + 0.05 * torch.randn(100, 8, generator=draw), y[:100])
    assert card(x, y, fresh)["validation"]["near"] < 0.02
    found = card(x, y, noisy)["validation"]
    assert found["near"] > 0.95
    assert found["near_in_training"] < 0.02
