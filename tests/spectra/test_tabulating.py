"""Spectra become a table: replicates are judged, features learned or looked up, reasons kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossplate.errors import InputError
from crossplate.spectra.annotation import AnnotatedSpectra
from crossplate.spectra.pipeline import SpectraPipeline
from crossplate.spectra.pipeline_settings import preset_settings
from crossplate.spectra.replicates import ReplicateSettings
from crossplate.spectra.spectrum import Spectrum
from crossplate.spectra.spectrum_file import Exclusion, SpectrumFile
from crossplate.spectra.tabulating import tabulate_spectra

PROTEINS = preset_settings("maldi-proteins")


@dataclass(frozen=True)
class Held(SpectrumFile):
    """A file that needs no disk."""

    spectrum: Spectrum | None = None

    def read(self) -> Spectrum:
        if self.spectrum is None:
            raise InputError(f"{self.source} cannot be read")
        return self.spectrum


def held(spectrum: Spectrum) -> Held:
    return Held(Path("none"), spectrum.name, f"{spectrum.name}.csv", spectrum)


@pytest.fixture
def study(simulate):
    """Two batches of three subjects with two replicates each."""
    rng = np.random.default_rng(0)
    files, rows = [], []
    for number, batch in enumerate(["p1", "p2"]):
        for subject in ("s1", "s2", "s3"):
            heights = rng.uniform(1500, 6000, 16)
            for replicate in ("1", "2"):
                name = f"{batch}{subject}r{replicate}"
                shift = rng.uniform(-200, 200) + 300 * number
                files.append(held(simulate(name, len(files), shift_ppm=shift, heights=heights)))
                rows.append((batch, "SLE" if subject == "s1" else None, subject, replicate, 1.5))
    columns = ["batch", "label", "subject", "replicate", "dose"]
    samples = pd.DataFrame(rows, columns=columns, index=[file.name for file in files])
    return AnnotatedSpectra(tuple(files), samples.rename_axis("sample_id"))


def with_spectrum(study: AnnotatedSpectra, at: int, file: SpectrumFile) -> AnnotatedSpectra:
    files = list(study.files)
    files[at] = file
    return AnnotatedSpectra(tuple(files), study.samples, study.excluded)


def test_all_peaks_become_features_of_all_spectra(study, true_mz):
    result = tabulate_spectra(study, PROTEINS)
    table = result.table
    assert table.n_samples == 12
    mz = np.array([float(name) for name in table.features.columns])
    nearest = np.abs(mz[:, np.newaxis] / true_mz - 1).min(axis=0)
    assert np.all(nearest < 300e-6)
    assert table.batch.tolist() == ["p1"] * 6 + ["p2"] * 6
    assert table.subject["p2s3r1"] == "s3"
    assert table.label["p1s1r2"] == "SLE"
    assert table.label["p1s2r1"] is None
    assert table.metadata.columns.tolist() == ["replicate", "dose"]
    assert result.quality.excluded == ()


def test_a_later_plate_gets_the_same_features_and_values(study):
    learned = tabulate_spectra(study, PROTEINS)
    second = AnnotatedSpectra(study.files[6:], study.samples.iloc[6:])
    looked_up = tabulate_spectra(second, learned.pipeline)
    pd.testing.assert_frame_equal(
        looked_up.table.features, learned.table.features.iloc[6:], check_exact=True
    )


def test_names_of_features_do_not_hang_on_those_that_were_dropped(study, tmp_path):
    learned = tabulate_spectra(study, PROTEINS, replicates=ReplicateSettings(max_rsd=0.05))
    assert learned.table.n_features < learned.quality.n_features_learned
    learned.pipeline.save(tmp_path / "p.json")
    loaded = SpectraPipeline.load(tmp_path / "p.json")
    again = tabulate_spectra(study, loaded)
    assert list(again.table.features.columns) == list(learned.table.features.columns)


def test_a_spectrum_unlike_its_replicates_is_left_out_with_the_other_of_the_two(study, simulate):
    odd = simulate("p1s2r1", 99, heights=np.geomspace(12000, 100, 16))
    result = tabulate_spectra(with_spectrum(study, 2, held(odd)), PROTEINS)
    assert {one.name for one in result.quality.excluded} == {"p1s2r1", "p1s2r2"}
    assert "correlates by" in result.quality.excluded[0].reason
    assert "p1s2r1" not in result.table.features.index
    assert not result.quality.spectra.loc["p1s2r1", "kept"]
    assert [one.n_kept for one in result.quality.batches] == [4, 6]


def test_too_little_signal_is_told_before_correlation(study):
    limits = ReplicateSettings(min_snr=1000.0)
    with pytest.raises(InputError, match=r"none of 12 spectra .* median S/N of .* at least 1000"):
        tabulate_spectra(study, PROTEINS, replicates=limits)


def test_without_subjects_each_spectrum_stands_alone(study):
    alone = AnnotatedSpectra(study.files, study.samples[["batch"]])
    result = tabulate_spectra(alone, PROTEINS)
    assert result.table.n_samples == 12
    assert result.table.subject is None
    assert result.quality.spectra["replicate_correlation"].isna().all()


def test_one_subject_name_in_two_batches_is_not_one_subject(study, simulate):
    heights = np.geomspace(100, 12000, 16)
    files = list(study.files)
    for at in (6, 7):
        files[at] = held(simulate(files[at].name, 50 + at, heights=heights))
    result = tabulate_spectra(AnnotatedSpectra(tuple(files), study.samples), PROTEINS)
    assert result.quality.excluded == ()


def test_unreadable_files_and_earlier_exclusions_are_listed_once(study):
    broken = Held(Path("none"), "p1s1r1", "p1s1r1.csv")
    before = (Exclusion("x", "x.csv: no row"),)
    spectra = with_spectrum(AnnotatedSpectra(study.files, study.samples, before), 0, broken)
    result = tabulate_spectra(spectra, PROTEINS)
    assert [one.name for one in result.quality.excluded] == ["x", "p1s1r1"]
    assert result.quality.batches[0].n_found == 6
    assert result.quality.batches[0].n_kept == 5


def test_nothing_can_be_read():
    files = tuple(Held(Path("none"), name, f"{name}.csv") for name in "ab")
    samples = pd.DataFrame({"batch": ["1", "1"]}, index=["a", "b"])
    with pytest.raises(InputError, match=r"none of 2 spectra can be used.*cannot be read"):
        tabulate_spectra(AnnotatedSpectra(files, samples), PROTEINS)


def test_features_that_all_vary(study):
    limits = ReplicateSettings(max_rsd=1e-6)
    with pytest.raises(InputError, match="features varies over replicates by more than"):
        tabulate_spectra(study, PROTEINS, replicates=limits)


def test_progress_is_told_for_every_spectrum(study):
    told = []
    tabulate_spectra(study, PROTEINS, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 12)
    assert told[-1] == (12, 12)
    assert {total for _, total in told} == {12}
