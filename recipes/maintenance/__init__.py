"""Tools of those who maintain the package: weights that it ships, deployment forms that were tried."""
