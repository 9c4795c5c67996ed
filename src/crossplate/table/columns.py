"""Which column of a table plays which part."""

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossplate.errors import InputError

#: Names under which sample ids are looked for, best first (compared as in `squash`).
ID_NAMES = ("sampleid", "sample", "samplename", "id")

#: Names of columns that describe a sample and are never measured on it (compared as in `squash`).
#: A number such as the injection order predicts the diagnosis wherever the plate was not
#: randomised, so a model that takes it for a feature looks excellent and is worthless. The list
#: is short on purpose: a feature that happens to bear one of these names has to be renamed.
CONVENTIONAL_NAMES = frozenset(
    {
        *ID_NAMES,
        *("batch", "plate", "board", "day", "run", "site", "center", "centre", "cohort"),
        *("label", "labels", "diagnosis", "class", "group", "condition", "treatment", "outcome"),
        *("subject", "subjectid", "patient", "patientid", "donor", "donorid"),
        *("replicate", "injection", "injectionorder", "runorder", "order", "well", "date"),
        *("age", "sex", "gender", "bmi", "sampletype", "level", "spectrumno"),
    }
)


def squash(name: str) -> str:
    """Lower the case of a column name and drop all but letters and digits (``Run_Order``)."""
    return re.sub(r"[\W_]", "", name.casefold())


def column_name(name: object) -> str:
    """Write a column name as text: surrounding blanks dropped, ``100.0`` as ``100``, None as ''."""
    if name is None or (isinstance(name, float) and math.isnan(name)):
        return ""
    if isinstance(name, float) and name.is_integer():
        return str(int(name))
    return str(name).strip()


@dataclass(frozen=True)
class ColumnRoles:
    """The columns a user named, and how all others are judged.

    Attributes
    ----------
    batch, label, subject, sample_id
        Column names, None where the user named none.
    metadata
        Further columns that are kept beside the features.
    """

    batch: str | None = None
    label: str | None = None
    subject: str | None = None
    sample_id: str | None = None
    metadata: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # With one sample a subject, the subjects may serve as sample ids.
        ids = None if self.sample_id == self.subject else self.sample_id
        counts = Counter((self.batch, self.label, self.subject, ids))
        for name, count in counts.items():
            if name is not None and count > 1:
                raise InputError(
                    f"column '{name}' is named for two purposes among batch, label, subject and "
                    "sample id; name a column of its own for each"
                )

    @property
    def named(self) -> tuple[str, ...]:
        """Columns named by the user, each once."""
        roles = (self.batch, self.label, self.subject, self.sample_id)
        return tuple(dict.fromkeys([*(r for r in roles if r is not None), *self.metadata]))

    def describes_sample(self, name: str) -> bool:
        """Tell whether a column is known, by its name alone, to be no feature."""
        return name in self.named or squash(name) in CONVENTIONAL_NAMES or name == ""

    def find_sample_id(self, columns: Sequence[str]) -> str | None:
        """Choose the column of sample ids: the named one, else the best of `ID_NAMES`, else None.

        A column that was named for something else is not considered.
        """
        if self.sample_id is not None:
            return self.sample_id
        free = [name for name in columns if name not in self.named]
        for wanted in ID_NAMES:
            for name in free:
                if squash(name) == wanted:
                    return name
        return None


def require_unique_names(columns: Iterable[str], source: str) -> None:
    """Refuse a header in which a name stands more than once.

    Raises
    ------
    InputError
        Names the first repeated column and how many names are repeated.
    """
    repeated = {name: count for name, count in Counter(columns).items() if count > 1 and name}
    if repeated:
        name, count = next(iter(repeated.items()))
        raise InputError(
            f"{source}: the column name '{name}' stands {count} times in the header "
            f"(names repeated: {len(repeated)}); rename or delete the copies"
        )


def require_column(name: str, columns: Sequence[str], source: str, option: str) -> None:
    """Refuse a named column that the table does not have.

    Raises
    ------
    InputError
        Names the column, the option that asked for it, and the columns that come close.
    """
    if name in columns:
        return
    by_lower = {column.casefold(): column for column in columns if column}
    close = difflib.get_close_matches(name.casefold(), by_lower, n=3, cutoff=0.6)
    if close:
        hint = "did you mean " + " or ".join(f"'{by_lower[match]}'" for match in close) + "?"
    else:
        shown = [column for column in columns if column][:6]
        more = ", …" if len(columns) > len(shown) else ""
        hint = "its columns are " + ", ".join(f"'{column}'" for column in shown) + more
    raise InputError(f"{source}: there is no column '{name}' (asked for as {option}); {hint}")
