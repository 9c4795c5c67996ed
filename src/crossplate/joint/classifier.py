"""The joint model as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from crossplate.errors import InputError
from crossplate.joint.batches import SOURCE, TARGET, batches_of_fit
from crossplate.joint.few_labels import batches_with_few
from crossplate.joint.labels import default_batch
from crossplate.joint.settings import OPTIONS, RIDGE, preset_settings
from crossplate.rows import UNLABELLED, batch_names, check_labels_given, encode_labels
from crossplate.scaling import PlateScaler
from crossplate.stored import StoredMatrix, stored_matrix

if TYPE_CHECKING:
    from crossplate.joint.inference import TrainedNetworks
    from crossplate.joint.problem import Problem
    from crossplate.joint.settings import JointSettings
    from crossplate.joint.trainer import EpochLosses

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]

__all__ = ["JointClassifier"]


class JointClassifier(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClassifierMixin, BaseEstimator
):
    """Classifier that learns on labelled batches and holds on unlabelled ones.

    A calibrator maps all batches to latent codes, aligned by each batch's own statistics and, where
    ``beta`` is above 0, by matching distributions; a reconstructor for each batch keeps in the
    codes what was measured, and a discriminator learns the classes from the
    labelled rows; the three are trained jointly [Niu2022]_. Labels of unlabelled batches are
    never needed.

    Parameters
    ----------
    preset
        ``"default"`` or ``"paper"``. The default takes logs of non-negative intensities,
        standardises each batch with its own statistics in training and at prediction, takes the
        kernel widths from the data, and ends by itself. ``"paper"`` reproduces the settings and
        quirks of [Niu2022]_, to compare with.
    n_members
        Independently trained members; their mean probability makes the prediction and their spread
        its uncertainty. None takes the preset's: 5, or 1 for the paper.
    log
        Take logs: ``"auto"`` (where they make non-negative data less skewed), ``"always"`` or
        ``"never"``; None takes the preset's (auto; never for the paper).
    alpha, beta, gamma
        Weights of the reconstruction, calibration and classification loss. None takes the
        preset's: 1, by size, 1; for the paper 0.01, 1, 0.01. By size, beta is 1 for studies with
        ten labelled subjects a feature (and 500 at least) and 0 for smaller ones, where matching
        distributions did harm (:meth:`crossplate.joint.settings.JointSettings.sized`).
        ``alpha=0`` trains no reconstructors.
    learning_rate, epochs, batch_size
        Of the training; None takes the preset's. ``batch_size`` counts rows of each batch.
    random_state
        Seed; the same seed and data give the same model, bit for bit, on one machine.
    device
        ``"auto"`` takes CUDA or MPS where there is one, else the CPU. GPU paths are not tested
        yet.
    progress
        Called after every epoch with an :class:`crossplate.joint.trainer.EpochLosses`.

    Attributes
    ----------
    classes_
        Sorted classes, shape (C,).
    batches_
        Sorted names of the batches in ``fit``, then those of :meth:`adapt` as they came.
    default_batch_
        Batch that rows given without one belong to: the only batch without labels, else the only
        one with labels of less than half of its rows, else the only batch; None where there are
        several.
    labelled_batches_
        Those of them with labelled rows.
    adapted_batches_
        Those of them that came after ``fit``.
    reference_batch_
        Labelled batch with the most labelled rows, whose scale calibrated data are put on.
    history_
        Losses, one row a trained member and epoch; linear members are solved, not trained.
    n_imputed_
        Missing cells filled in the training rows.
    scaler_
        :class:`crossplate.scaling.PlateScaler` of the training rows.
    settings_
        :class:`crossplate.joint.settings.JointSettings` in effect.
    architecture_, weights_
        Networks of all members.
    offsets_
        Batch without labels, or with labels of less than half of its rows → what may have to be
        added to its class scores, an :class:`crossplate.joint.offsets.Offsets`; empty where
        nothing is (see also :mod:`crossplate.joint.few_labels`).

    temperature_
        How sure the committee is: its mean probabilities are taken to the power of
        1 / temperature; 1 leaves them (:mod:`crossplate.joint.temperature`).

    Notes
    -----
    Missing values (NaN) are filled with the median of the labelled rows on the standardised scale.

    References
    ----------
    .. [Niu2022] Niu J., Yang J., Guo Y., Qian K., Wang Q. Joint deep learning for batch effect
       removal and classification toward MALDI MS based metabolomics. BMC Bioinformatics 23, 270
       (2022). doi:10.1186/s12859-022-04758-z
    """

    # With metadata routing on, pipelines and searches pass these on without further requests.
    __metadata_request__fit: ClassVar = {"batch": True, "subject": True}
    __metadata_request__predict: ClassVar = {"batch": True}
    __metadata_request__predict_proba: ClassVar = {"batch": True}
    __metadata_request__transform: ClassVar = {"batch": True}

    def __init__(
        self,
        *,
        preset: str = "default",
        n_members: int | None = None,
        log: str | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        gamma: float | None = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        progress: Callable[[EpochLosses], None] | None = None,
    ) -> None:
        self.preset = preset
        self.n_members = n_members
        self.log = log
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def fit(self, X: Any, y: Any, *, batch: Any = None, subject: Any = None) -> JointClassifier:
        """Train on labelled and unlabelled rows of all batches.

        Parameters
        ----------
        X
            Measurements, samples in rows, shape (n, p); NaN is missing. Arrays mapped from a
            file, AnnData (backed or not), HDF5, zarr and dask arrays that would fill more than
            250 MB are read in pieces as the training goes.
        y
            Labels, shape (n,), strings or numbers; None, NaN or NA marks an unlabelled row. A few
            labels on a batch to be predicted are worth giving: their rows teach, and place the
            scores of that batch.
        batch
            Batch of each row, shape (n,). None takes all labelled rows for the batch "source"
            and all unlabelled ones for the batch "target".
        subject
            Subject of each row, shape (n,): replicates of one subject are held out together.

        Raises
        ------
        InputError
            No labelled row; fewer than two classes; a batch with fewer than two rows; negative
            values where ``log="always"``.
        ValueError
            A parameter out of range, or an X or y that scikit-learn's checks refuse.
        """
        from crossplate.joint.inference import choose_device
        from crossplate.joint.temperature import fit_temperature
        from crossplate.joint.trainer import HISTORY

        matrix = stored_matrix(X)
        if matrix is not None and matrix.is_large:
            return self._fit_stored(matrix, y, batch, subject)
        problem, codes = self.pose(X, y, batch=batch, subject=subject)
        rng = check_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=problem.settings.n_members)
        members = problem.committee(codes, seeds)
        trained = problem.train(members, choose_device(self.device), self.progress)
        self.settings_ = replace(problem.settings, ridge=members[0].ridge_of(problem.settings))
        self.architecture_ = problem.architecture
        self.weights_ = trained.weights
        self.history_ = pd.DataFrame(trained.history, columns=list(HISTORY))
        self.offsets_ = problem.offsets(
            self.networks, self.batches_, codes, self.settings_.ridge or RIDGE
        )
        self.temperature_ = fit_temperature(members[0].source)
        return self

    def pose(
        self, X: Any, y: Any, *, batch: Any = None, subject: Any = None
    ) -> tuple[Problem, IntArray]:
        """Check and scale the rows, up to but without the training.

        Parameters
        ----------
        X, y, batch, subject
            As in :meth:`fit`.

        Returns
        -------
        What the members of a stack have in common, and the class code of each row. The scaler,
        classes and batches are kept as fitted attributes.
        """
        from crossplate.joint.problem import Problem

        settings = self.unsized_settings()
        check_labels_given(self, y)
        X = self.validated(X, reset=True)
        check_consistent_length(X, y)
        classes, codes = encode_labels(y)
        names = batches_of_fit(batch, codes)
        who = None if subject is None else batch_names(subject, len(codes))
        labelled = codes >= 0
        n_labelled = int(labelled.sum()) if who is None else len(set(who[labelled]))
        self.settings_ = settings.sized(n_labelled, X.shape[1])
        self.classes_ = classes
        self.batches_, numbers = np.unique(names, return_inverse=True)
        rows = np.bincount(numbers[labelled], minlength=len(self.batches_))
        teaching = labelled & ~np.isin(numbers, batches_with_few(codes, numbers))
        taught = np.bincount(numbers[teaching], minlength=len(self.batches_))
        self.default_batch_ = default_batch(self.batches_, rows) or default_batch(
            self.batches_, taught
        )
        self.labelled_batches_ = self.batches_[rows > 0]
        self.adapted_batches_ = self.batches_[:0]
        self.reference_batch_ = str(self.batches_[rows.argmax()])
        self.n_imputed_ = int(np.isnan(X).sum())
        self.scaler_ = self.settings_.scaler()
        self.scaler_.fit(X, names, teaching)
        if self.scaler_.per_batch:
            # means of a few rows differ by chance most along what is peculiar to their batch
            taught_codes = np.where(teaching, codes, UNLABELLED)
            self.scaler_.learn_peculiar(X, names, taught_codes, who)
        z = self.scaler_.scale(X, names)
        numbers = numbers.astype(np.int64)
        origins = np.array(
            [self.scaler_.origin(self.scaler_.statistics_[name]) for name in self.batches_.tolist()]
        )
        return Problem.of(z, numbers, origins, who, len(classes), self.settings_), codes

    def _fit_stored(
        self, matrix: StoredMatrix, y: Any, batch: Any, subject: Any
    ) -> JointClassifier:
        from crossplate.joint.stored_model import fit_stored
        from crossplate.joint.stored_rows import StoredStudy

        check_labels_given(self, y)
        self.validated(matrix.framed(0, 2), reset=True)
        study = StoredStudy.of(y, batch, len(matrix), (SOURCE, TARGET))
        fit_stored(self, matrix, study, subject, self.unsized_settings())
        return self

    def unsized_settings(self) -> JointSettings:
        """The preset's settings with the parameters given, before a study's size is known."""
        return preset_settings(self.preset, **{name: getattr(self, name) for name in OPTIONS})

    def validated(self, X: Any, *, reset: bool) -> FloatArray:
        """Rows as scikit-learn's checks let them pass, shape (n, p).

        Parameters
        ----------
        X
            As in :meth:`fit`.
        reset
            Whether they say what the features are, as in ``fit``, or are held against these.
        """
        matrix = stored_matrix(X)
        if matrix is not None:
            X = matrix.framed(0, len(matrix))
        checked = validate_data(
            self,
            X,
            reset=reset,
            dtype=np.float64,
            order="C",  # memory layout decides the last digits of sums
            ensure_all_finite="allow-nan",
            ensure_min_samples=2 if reset else 1,
        )
        return np.asarray(checked)

    @property
    def networks(self) -> TrainedNetworks:
        """The trained members, ready to compute on scaled rows."""
        check_is_fitted(self, "weights_")
        from crossplate.joint.inference import TrainedNetworks, choose_device

        return TrainedNetworks(self.architecture_, self.weights_, choose_device(self.device))

    @property
    def _n_features_out(self) -> int:
        return int(self.n_features_in_)

    def member_proba(self, X: Any, *, batch: Any = None) -> FloatArray:
        """Class probabilities of each member, with the committee's temperature.

        Parameters
        ----------
        X, batch
            As in :meth:`predict_proba`.

        Returns
        -------
        Shape (members, n, C).
        """
        from crossplate.joint.predicting import member_probabilities
        from crossplate.joint.temperature import tempered

        return tempered(member_probabilities(self, X, batch), self.temperature_)

    def predict_proba(self, X: Any, *, batch: Any = None) -> FloatArray:
        """Class probabilities: the members' mean, as sure as held-out rows of the source allow.

        Parameters
        ----------
        X
            Measurements, shape (n, p); NaN is missing.
        batch
            Batch of each row, shape (n,); None takes ``default_batch_``. Rows of a batch that
            was not in ``fit`` are standardised with their own statistics, all rows given now
            together; :meth:`adapt` keeps these.

        Returns
        -------
        Shape (n, C), columns as in ``classes_``.

        Raises
        ------
        InputError
            No batch given although there are several; a new batch of one row.
        """
        from crossplate.joint.predicting import member_probabilities
        from crossplate.joint.temperature import tempered_mean

        return tempered_mean(member_probabilities(self, X, batch), self.temperature_)

    def predict(self, X: Any, *, batch: Any = None) -> npt.NDArray[Any]:
        """Most probable class of each row; parameters as in :meth:`predict_proba`."""
        found = self.predict_proba(X, batch=batch).argmax(axis=1)
        return np.asarray(self.classes_[found])

    def transform(self, X: Any, *, batch: Any = None) -> FloatArray:
        """Latent codes, from which the classes are told and the measurements restored.

        With ``beta`` above 0 they are trained to have one distribution in all batches; with 0
        batches are aligned by their standardisation alone.

        Parameters
        ----------
        X, batch
            As in :meth:`predict_proba`.

        Returns
        -------
        Shape (n, p). The mean over members, whose calibrators all start from the identity and
        so share their axes; with ``preset="paper"`` they do not, and the first member's codes
        are given.
        """
        from crossplate.joint.predicting import of_rows

        networks = self.networks

        def compute(scaler: PlateScaler, x: FloatArray, names: Names) -> FloatArray:
            codes = networks.codes(scaler.scale(x, names))
            return np.asarray(codes.mean(axis=0) if self.architecture_.residual else codes[0])

        return of_rows(self, X, batch, compute)

    def fit_transform(
        self, X: Any, y: Any = None, *, batch: Any = None, subject: Any = None
    ) -> FloatArray:
        """Fit, then return the codes of the same rows; parameters as in :meth:`fit`."""
        self.fit(X, y, batch=batch, subject=subject)
        if batch is None:
            batch = batches_of_fit(None, encode_labels(y)[1])
        return self.transform(X, batch=batch)

    def reconstruct(self, X: Any, *, batch: Any = None, as_batch: str | None = None) -> FloatArray:
        """Measurements restored from the codes, in original units.

        Parameters
        ----------
        X, batch
            As in :meth:`predict_proba`.
        as_batch
            Batch of ``batches_`` on whose scale the values are wanted: what the same sample
            would have read there. None restores each row on its own batch.

        Returns
        -------
        Shape (n, p), without gaps. Features that the networks do not use (constant in the
        labelled rows, or not measured in half of the batches) are only put on that batch's scale.

        Raises
        ------
        InputError
            ``as_batch`` (or, without it, a row's batch) was neither in ``fit`` nor adapted to;
            the model was trained without reconstructors.
        """
        if not self.architecture_.n_batches:
            raise InputError("this model has no reconstructors (alpha=0); fit it with alpha > 0")
        from crossplate.joint.inference import restored_rows
        from crossplate.joint.predicting import of_rows

        networks = self.networks

        def compute(scaler: PlateScaler, x: FloatArray, names: Names) -> FloatArray:
            wanted = names if as_batch is None else np.full(len(x), str(as_batch))
            return restored_rows(networks, scaler, self.batches_, x, names, wanted)

        return of_rows(self, X, batch, compute)

    def adapt(self, X: Any, *, batch: Any) -> JointClassifier:
        """Take in batches that came after ``fit``, without their labels and without forgetting.

        A new batch gets statistics, a score offset and (where the model has reconstructors) a
        reconstructor from the rows given, and joins ``batches_``. From then on its rows, single
        ones too, are predicted with these, whatever other rows come along, and
        :meth:`reconstruct` takes it for ``as_batch``. Nothing else changes: codes, predictions and
        restorations of all other batches stay what they were, bit for bit. Of the new batch, the
        predictions are those that :meth:`predict` gives for the same rows without adapting. It
        takes about a tenth of a fit's time.

        Parameters
        ----------
        X
            Rows of the new batches, shape (n, p), at least 2 of each; NaN is missing. The more of
            a plate, the better its statistics: give all of it that is there. Of a stored matrix
            that is read in pieces, offsets and reconstructors are learned from up to 20,000
            random rows of a batch.
        batch
            Batch of each row, shape (n,), or one name for all rows. A batch that was adapted to
            before is replaced: what it had is learned anew from these rows alone.

        Returns
        -------
        The model itself.

        Raises
        ------
        InputError
            A batch that was in ``fit``; a batch of one row; a model of ``preset="paper"``, which
            has no statistics of single batches; negative values where logs are taken.
        ValueError
            Other features than in ``fit``.
        sklearn.exceptions.NotFittedError
            The model is not fitted.
        """
        check_is_fitted(self, "weights_")
        from crossplate.joint.adapting import arrivals, one_a_row, stored_arrivals, take_up

        matrix = stored_matrix(X)
        if matrix is not None and matrix.is_large:
            self.validated(matrix.framed(0, 2), reset=False)
            take_up(self, stored_arrivals(self, matrix, one_a_row(batch, len(matrix))))
        else:
            X = self.validated(X, reset=False)
            take_up(self, arrivals(self, X, batch_names(one_a_row(batch, len(X)), len(X))))
        return self

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the fitted model to a new folder: safetensors and JSON, no pickle.

        Raises
        ------
        InputError
            The folder exists and is not empty, or cannot be written.
        """
        from crossplate.joint.saved import save

        check_is_fitted(self, "weights_")
        save(self, folder)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
