"""The discriminator of Niu et al. alone, as a scikit-learn classifier."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from crossplate.errors import InputError
from crossplate.rows import check_labels_given, encode_labels

if TYPE_CHECKING:
    from torch import Tensor

HIDDEN = (128, 64, 32, 16)
SLOPE = 0.2

__all__ = ["Discriminator"]


class Discriminator(ClassifierMixin, BaseEstimator):
    """Fully connected network p → 128 → 64 → 32 → 16 → classes, trained on labelled rows alone.

    What [Niu2022]_ calls "before calibration". LeakyReLU with slope 0.2 between the layers, the
    framework's default starting weights, binary cross entropy for two classes (one output) and
    cross entropy for more. It expects standardised features.

    Parameters
    ----------
    epochs
        Passes over the rows; 100 as in [Niu2022]_.
    batch_size
        Rows of a mini-batch; 200 as in [Niu2022]_. The last, smaller one is used too.
    learning_rate
        Of Adam; 1e-3, that of [Niu2022]_ for the MALDI plates (1e-4 for CyTOF).
    random_state
        Seed of the starting weights and the order of the rows.

    Attributes
    ----------
    classes_
        Sorted classes, shape (C,).
    weights_
        Weights and biases of the five layers, in turn.

    References
    ----------
    .. [Niu2022] Niu J., Yang J., Guo Y., Qian K., Wang Q. Joint deep learning for batch effect
       removal and classification toward MALDI MS based metabolomics. BMC Bioinformatics 23, 270
       (2022). doi:10.1186/s12859-022-04758-z
    """

    classes_: npt.NDArray[Any]
    weights_: list[npt.NDArray[np.float32]]

    def __init__(
        self,
        *,
        epochs: int = 100,
        batch_size: int = 200,
        learning_rate: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Discriminator:
        """Train on rows X, shape (n, p), with labels y, shape (n,), of at least two classes.

        Raises
        ------
        InputError
            One class only, or a row without a label.
        ValueError
            An X or y that scikit-learn's checks refuse.
        """
        import torch

        check_labels_given(self, y)
        X, y = validate_data(self, X, y, dtype=np.float32)
        self.classes_, codes = encode_labels(y)
        if (codes < 0).any():
            raise InputError(f"{(codes < 0).sum()} rows have no label; leave them out")
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        generator = torch.Generator().manual_seed(seed)
        n_outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        weights = _initial((X.shape[1], *HIDDEN, n_outputs), generator)
        x, truth = torch.from_numpy(X), torch.from_numpy(codes)
        optimiser = torch.optim.Adam(weights, lr=self.learning_rate)
        for _ in range(self.epochs):
            order = torch.randperm(len(x), generator=generator)
            for start in range(0, len(x), self.batch_size):
                rows = order[start : start + self.batch_size]
                loss = _loss(_scores(weights, x[rows]), truth[rows])
                for weight, gradient in zip(
                    weights, torch.autograd.grad(loss, weights), strict=True
                ):
                    weight.grad = gradient
                optimiser.step()
        self.weights_ = [weight.detach().numpy() for weight in weights]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Class probabilities of rows X, shape (n, p); shape (n, C), columns as ``classes_``."""
        import torch

        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        weights = [torch.from_numpy(weight).double() for weight in self.weights_]
        scores = _scores(weights, torch.from_numpy(X))
        if scores.shape[1] == 1:
            scores = torch.cat([torch.zeros_like(scores), scores], dim=1)
        return np.asarray(torch.softmax(scores, dim=1).numpy())

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Most probable class of each row of X, shape (n, p)."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])


def _initial(sizes: tuple[int, ...], generator: Any) -> list[Tensor]:
    """Weights and biases of the layers, at the framework's default: uniform up to 1/√inputs."""
    import torch

    weights = []
    for inputs, outputs in pairwise(sizes):
        for shape in ((outputs, inputs), (outputs,)):
            bound = inputs**-0.5
            start = torch.empty(shape).uniform_(-bound, bound, generator=generator)
            weights.append(start.requires_grad_())
    return weights


def _scores(weights: list[Tensor], x: Tensor) -> Tensor:
    """Class scores before sigmoid or softmax, shapes (n, p) → (n, outputs)."""
    from torch.nn.functional import leaky_relu, linear

    *hidden, last = zip(weights[::2], weights[1::2], strict=True)
    for weight, bias in hidden:
        x = leaky_relu(linear(x, weight, bias), SLOPE)
    return linear(x, *last)


def _loss(scores: Tensor, truth: Tensor) -> Tensor:
    """Mean cross entropy of the rows."""
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    if scores.shape[1] == 1:
        return binary_cross_entropy_with_logits(scores[:, 0], truth.to(scores.dtype))
    return cross_entropy(scores, truth)
