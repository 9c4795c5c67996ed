"""One training step of stacked members: losses and gradients, by hand, in reused buffers.

The networks are small and the graph never changes, so the chain rule is written out: no graph is
recorded and nothing large is allocated in a step. :mod:`crossplate.joint.networks` says the same
forward pass in its plain form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from crossplate._kernel_sum import KernelWorkspace, kernel_sum
from crossplate.joint.networks import SLOPE, Architecture

__all__ = ["LossWeights", "Minibatch", "Step"]


@dataclass(frozen=True)
class LossWeights:
    """Weights of the three losses, one value a member, shape (members,) each."""

    reconstruction: Tensor
    calibration: Tensor
    classification: Tensor


@dataclass(frozen=True)
class Minibatch:
    """What one step reads.

    Parameters
    ----------
    seen
        Scaled rows as the calibrator sees them (normalised), shape (members, K, b, p).
    wanted
        Rows that the reconstructors are asked for, same shape.
    classes
        Class codes of the rows of the batches with labels, -1 for none, shape (members, n).
    row_weights
        What each of these rows adds to the classification loss, 0 without a label, same shape.
    """

    seen: Tensor
    wanted: Tensor
    classes: Tensor
    row_weights: Tensor


class Step:
    """Losses and gradients of one architecture at one mini-batch shape.

    Parameters
    ----------
    architecture
        Sizes of the networks.
    with_labels
        Numbers of the batches that have labelled rows, shape (labelled batches,).
    pair_weights
        Weights of the kernel sum, shape (K·b, K·b); None leaves calibration out.
    widest
        Largest kernel width, shape (1, 1, 1).
    ridge
        Strength of the penalty on the discriminator's weights, shape (members, 1, 1).
    calibrated
        0 for members whose calibrator stays as it is, else 1, shape (members, 1, 1); None where
        there are none.
    weights, gradients
        Name → array with a leading member axis; the gradients are overwritten by each step.
    places
        What is added to the class scores of the labelled batches' rows, shape
        (members, n, outputs); None for nothing.
    """

    def __init__(
        self,
        architecture: Architecture,
        with_labels: Tensor,
        pair_weights: Tensor | None,
        widest: Tensor,
        ridge: Tensor,
        calibrated: Tensor | None,
        weights: Mapping[str, Tensor],
        gradients: Mapping[str, Tensor],
        places: Tensor | None = None,
    ) -> None:
        self.architecture = architecture
        self.with_labels = with_labels
        self.pair_weights = pair_weights
        self.widest = widest
        self.ridge = ridge
        self.calibrated = calibrated
        self.places = places
        self.weights = {name: _flat(value) for name, value in weights.items()}
        self.gradients = {name: _flat(value) for name, value in gradients.items()}
        self.buffers: dict[str, Tensor] = {}
        self.kernels: KernelWorkspace | None = None

    def __call__(self, batch: Minibatch, loss_weights: LossWeights) -> Tensor:
        """Fill the gradients; returns reconstruction, calibration and classification loss.

        Returns
        -------
        Shape (members, 3).
        """
        members, n_batches, rows, p = batch.seen.shape
        codes = self._calibrate(batch.seen.reshape(members, n_batches * rows, p))
        pull = self._buffer("pull", codes.shape, codes).zero_()
        by_batch = (members, n_batches, rows, p)
        zero = codes.new_zeros(members)
        reconstruction = calibration = zero
        if self.architecture.n_batches:
            reconstruction = self._reconstruct(
                codes.view(by_batch), batch.wanted, loss_weights.reconstruction, pull
            )
        if self.pair_weights is not None:
            calibration = self._match(codes, loss_weights.calibration, pull)
        classification = self._classify(
            codes.view(by_batch), batch, loss_weights.classification, pull.view(by_batch)
        )
        self._calibrate_backward(batch.seen.reshape(members, n_batches * rows, p), pull)
        return torch.stack([reconstruction, calibration, classification], dim=1)

    def restoring(self, codes: Tensor, wanted: Tensor) -> Tensor:
        """Fill the gradients of the reconstructors alone, for codes that stay as they are.

        Parameters
        ----------
        codes
            Latent codes, shape (members, K, b, p).
        wanted
            Rows that the reconstructors are asked for, same shape.

        Returns
        -------
        Reconstruction loss, shape (members,).
        """
        unused = self._buffer("pull", codes.shape, codes).zero_()
        return self._reconstruct(codes, wanted, codes.new_ones(len(codes)), unused)

    def _buffer(self, name: str, shape: torch.Size | tuple[int, ...], like: Tensor) -> Tensor:
        held = self.buffers.get(name)
        if held is None or held.shape != torch.Size(shape):
            held = self.buffers[name] = like.new_empty(shape)
        return held

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        out = self._buffer(name, (*x.shape[:2], weight.shape[-1]), x)
        return torch.baddbmm(self.weights[f"{name}.bias"], x, weight, out=out)

    def _hidden(self, name: str, x: Tensor) -> Tensor:
        """Linear layer and LeakyReLU in place, whose sign still tells which side it was on."""
        return torch.nn.functional.leaky_relu_(self._linear(name, x), SLOPE)

    def _linear_backward(
        self, name: str, x: Tensor, gradient: Tensor, *, to_input: bool = True
    ) -> Tensor:
        """Gradients of a layer's weights; returns the gradient to its input where asked for."""
        torch.bmm(x.transpose(1, 2), gradient, out=self.gradients[f"{name}.weight"])
        torch.sum(gradient, dim=1, keepdim=True, out=self.gradients[f"{name}.bias"])
        if not to_input:
            return gradient
        back = self._buffer(f"{name}.back", x.shape, x)
        return torch.bmm(gradient, self.weights[f"{name}.weight"].transpose(1, 2), out=back)

    def _hidden_backward(self, activated: Tensor, gradient: Tensor) -> Tensor:
        """Through a LeakyReLU, in place."""
        torch.ops.aten.leaky_relu_backward.grad_input(
            gradient, activated, SLOPE, True, grad_input=gradient
        )
        return gradient

    def _calibrate(self, x: Tensor) -> Tensor:
        if self.architecture.residual:
            hidden = self._hidden("calibrator.0", x)
            return self._linear("calibrator.1", hidden).add_(x)
        entry = self._buffer("norm", x.shape, x)
        scale, shift = (self.weights[f"norm.{part}"][:, None] for part in ("scale", "shift"))
        torch.mul(x, scale, out=entry).add_(shift)
        torch.nn.functional.leaky_relu_(entry, SLOPE)
        return self._linear("calibrator.1", self._hidden("calibrator.0", entry))

    def _calibrate_backward(self, x: Tensor, pull: Tensor) -> None:
        hidden = self.buffers["calibrator.0"]
        if self.calibrated is not None:
            pull.mul_(self.calibrated)
        back = self._hidden_backward(hidden, self._linear_backward("calibrator.1", hidden, pull))
        if self.architecture.residual:
            self._linear_backward("calibrator.0", x, back, to_input=False)
            return
        entry = self.buffers["norm"]
        back = self._hidden_backward(entry, self._linear_backward("calibrator.0", entry, back))
        torch.sum(back, dim=1, out=self.gradients["norm.shift"])
        torch.sum(back.mul_(x), dim=1, out=self.gradients["norm.scale"])

    def _reconstruct(self, codes: Tensor, wanted: Tensor, weight: Tensor, pull: Tensor) -> Tensor:
        members, n_batches, rows, p = codes.shape
        stacked = codes.reshape(members * n_batches, rows, p)
        last = 1 if self.architecture.residual else 2
        inputs = [stacked]
        for layer in range(last):
            inputs.append(self._hidden(f"reconstructor.{layer}", inputs[-1]))
        error = self._linear(f"reconstructor.{last}", inputs[-1])
        if self.architecture.residual:
            error.add_(stacked)
        error.sub_(wanted.reshape(error.shape))
        flat = error.reshape(members, -1)
        size = rows * p
        loss: Tensor = torch.linalg.vector_norm(flat, dim=1).square_() / size
        flat.mul_((2.0 / size * weight)[:, None])
        back = self._linear_backward(f"reconstructor.{last}", inputs[-1], error)
        for layer in reversed(range(last)):
            back = self._hidden_backward(inputs[layer + 1], back)
            back = self._linear_backward(f"reconstructor.{layer}", inputs[layer], back)
        pull.add_(back.view(pull.shape))
        if self.architecture.residual:
            pull.add_(error.view(pull.shape))
        return loss

    def _match(self, codes: Tensor, weight: Tensor, pull: Tensor) -> Tensor:
        assert self.pair_weights is not None
        if self.kernels is None:
            self.kernels = KernelWorkspace.of(codes)
        sums = kernel_sum(codes, self.pair_weights, self.widest, self.kernels)
        pull.addcmul_(self.kernels.gradient, weight[:, None, None])
        return sums

    def _classify(self, codes: Tensor, batch: Minibatch, weight: Tensor, pull: Tensor) -> Tensor:
        members, _, rows, p = codes.shape
        labelled = self._buffer("labelled", (members, len(self.with_labels), rows, p), codes)
        torch.index_select(codes, 1, self.with_labels, out=labelled)
        inputs = [labelled.view(members, -1, p)]
        depth = len(self.architecture.head)
        for layer in range(depth):
            inputs.append(self._hidden(f"discriminator.{layer}", inputs[-1]))
        logits = self._linear(f"discriminator.{depth}", inputs[-1])
        if self.places is not None:
            logits.add_(self.places)
        loss = _cross_entropy(logits, batch.classes, batch.row_weights)
        back = self._linear_backward(
            f"discriminator.{depth}", inputs[-1], logits.mul_(weight[:, None, None])
        )
        for layer in reversed(range(depth)):
            back = self._hidden_backward(inputs[layer + 1], back)
            back = self._linear_backward(f"discriminator.{layer}", inputs[layer], back)
        pull.index_add_(1, self.with_labels, back.view(labelled.shape))
        self._shrink_discriminator()
        return loss

    def _shrink_discriminator(self) -> None:
        """Gradient of the ridge penalty, biases left out."""
        for layer in range(len(self.architecture.head) + 1):
            name = f"discriminator.{layer}.weight"
            self.gradients[name].addcmul_(self.weights[name], self.ridge)


def _flat(value: Tensor) -> Tensor:
    """Members and batches as one leading axis."""
    return value.view(-1, *value.shape[2:]) if value.dim() == 4 else value


def _cross_entropy(logits: Tensor, classes: Tensor, row_weights: Tensor) -> Tensor:
    """Weighted cross entropy of each member; turns ``logits`` into its gradient."""
    known = classes.clamp(min=0)
    if logits.shape[-1] == 1:
        scores = logits[..., 0]
        truth = known.to(scores.dtype)
        losses = torch.nn.functional.softplus(scores) - truth * scores
        scores.sigmoid_().sub_(truth).mul_(row_weights)
        return (losses * row_weights).sum(dim=1)
    log_proba = torch.log_softmax(logits, dim=-1)
    losses = -log_proba.gather(2, known[..., None])[..., 0]
    torch.exp(log_proba, out=logits)
    logits.scatter_add_(2, known[..., None], logits.new_full((*known.shape, 1), -1.0))
    logits.mul_(row_weights[..., None])
    return (losses * row_weights).sum(dim=1)
