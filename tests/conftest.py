"""pytest wants this in the first conftest it meets."""

pytest_plugins = ["pytester"]
