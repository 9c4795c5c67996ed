"""Batch-effect correctors: one estimator a file, all with ``fit(X, y, batch=...)``."""
