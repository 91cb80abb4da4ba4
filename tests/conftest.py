"""pytest takes plugins only from the first conftest it meets."""

import sys
from pathlib import Path

# Where `project` and the fake target are.
sys.path.insert(0, str(Path(__file__).parent / "plugin"))

pytest_plugins = ["pytester", "_project"]
