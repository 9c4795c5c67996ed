"""What a study found, on one page: plain summary data, figures, and the page made of them."""

from crossplate.report.embedding import Embedding, pca_embedding
from crossplate.report.figures import save_figure
from crossplate.report.page import render_page
from crossplate.report.sentences import Sentence
from crossplate.report.summary import ReportSummary, summarise
from crossplate.report.tsne import TsneEmbedding, tsne_embedding

__all__ = [
    "Embedding",
    "ReportSummary",
    "Sentence",
    "TsneEmbedding",
    "pca_embedding",
    "render_page",
    "save_figure",
    "summarise",
    "tsne_embedding",
]
