"""Tables in, tables out: one function each way, whatever the file format."""

from crossplate.io.folder import check_output_folder, output_folder
from crossplate.io.reading import read_table, read_texts
from crossplate.io.writing import write_frame

__all__ = ["check_output_folder", "output_folder", "read_table", "read_texts", "write_frame"]
