"""The leaderboard is a script with modules beside it, as it is when it runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "leaderboard"))
