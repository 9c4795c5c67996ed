"""The discriminator alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from crossplate.compare.discriminator import Discriminator
from crossplate.errors import InputError


@parametrize_with_checks([Discriminator(epochs=15, learning_rate=2e-2, random_state=0)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def rows(seed, n_classes=2, n=90, p=5):
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % n_classes
    return rng.normal(size=(n, p)) + 2.0 * rng.normal(size=(n_classes, p))[codes], codes


@pytest.mark.parametrize("seed", range(3))
def test_learns_what_no_line_separates(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, 2))
    y = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")
    model = Discriminator(random_state=seed).fit(x[:300], y[:300])
    assert (model.predict(x[300:]) == y[300:]).mean() > 0.85


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_network_is_that_of_the_paper(n_classes):
    x, codes = rows(0, n_classes)
    model = Discriminator(epochs=3, random_state=0).fit(x, codes)
    sizes = (5, 128, 64, 32, 16, 1 if n_classes == 2 else n_classes)
    layers = []
    for at, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = torch.nn.Linear(inputs, outputs).double()
        layer.load_state_dict(
            {
                "weight": torch.from_numpy(model.weights_[2 * at]).double(),
                "bias": torch.from_numpy(model.weights_[2 * at + 1]).double(),
            }
        )
        layers += [layer, torch.nn.LeakyReLU(0.2)]
    with torch.no_grad():
        scores = torch.nn.Sequential(*layers[:-1])(torch.from_numpy(x))
    if n_classes == 2:
        one = torch.sigmoid(scores[:, 0]).numpy()
        expected = np.column_stack([1.0 - one, one])
    else:
        expected = torch.softmax(scores, dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(x), expected, atol=1e-12)


def test_the_training_is_adam_on_mini_batches():
    x, codes = rows(1, n=30)
    model = Discriminator(epochs=2, batch_size=20, random_state=3).fit(x, codes)
    start = Discriminator(epochs=0, random_state=3).fit(x, codes)
    seed = np.random.RandomState(3).randint(np.iinfo(np.int32).max)
    generator = torch.Generator().manual_seed(int(seed))
    for weight in start.weights_:  # the starting weights are drawn first
        torch.empty(weight.shape).uniform_(generator=generator)
    weights = [torch.tensor(weight, requires_grad=True) for weight in start.weights_]
    adam = torch.optim.Adam(weights, lr=1e-3)
    inputs, truth = torch.tensor(x, dtype=torch.float32), torch.tensor(codes).float()
    for _ in range(2):
        order = torch.randperm(30, generator=generator)
        for part in (order[:20], order[20:]):
            hidden = inputs[part]
            for at in range(0, 8, 2):
                hidden = hidden @ weights[at].T + weights[at + 1]
                hidden = torch.where(hidden > 0, hidden, 0.2 * hidden)
            p = torch.sigmoid(hidden @ weights[8].T + weights[9])[:, 0]
            loss = -(truth[part] * p.log() + (1 - truth[part]) * (1 - p).log()).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
    for found, expected in zip(model.weights_, weights, strict=True):
        np.testing.assert_allclose(found, expected.detach().numpy(), atol=2e-6)


def test_the_seed_decides():
    x, codes = rows(0)
    torch.manual_seed(1)
    first, again, other = (
        Discriminator(epochs=2, random_state=seed).fit(x, codes).predict_proba(x)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_without_labels_are_refused():
    x, codes = rows(0)
    labels = codes.astype(object)
    labels[3] = None
    with pytest.raises((InputError, ValueError), match=r"NaN|no label"):
        Discriminator().fit(x, labels)
