"""Tables in, tables out: one function each way, whatever the file format."""

from crossplate.io.folder import check_output_folder, output_folder
from crossplate.io.reading import read_table, read_texts
from crossplate.io.table_file import TableFile, open_table
from crossplate.io.writing import write_frame

__all__ = [
    "TableFile",
    "check_output_folder",
    "open_table",
    "output_folder",
    "read_table",
    "read_texts",
    "write_frame",
]
