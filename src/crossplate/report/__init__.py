"""What a study found, on one page: plain summary data, figures, and the page made of them."""

from crossplate.report.boxes import BoxPlots, box_plots
from crossplate.report.embedding import Embedding, pca_embedding
from crossplate.report.embedding_figures import save_figure
from crossplate.report.figure_files import save_figures
from crossplate.report.page import render_page
from crossplate.report.samples import Samples
from crossplate.report.sentences import Sentence
from crossplate.report.summary import ReportSummary, summarise
from crossplate.report.tsne import TsneEmbedding, tsne_embedding

__all__ = [
    "BoxPlots",
    "Embedding",
    "ReportSummary",
    "Samples",
    "Sentence",
    "TsneEmbedding",
    "box_plots",
    "pca_embedding",
    "render_page",
    "save_figure",
    "save_figures",
    "summarise",
    "tsne_embedding",
]
