"""Settings all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, so that what is green here is green everywhere; a soak looks on.
settings.register_profile(
    "default",
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("soak", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED_VECTORS = ROOT.parent / "shared" / "vectors"


@pytest.fixture(scope="session")
def published_vectors() -> Path:
    """The folder of other projects' published vectors; skips where it is absent."""
    if not PUBLISHED_VECTORS.is_dir():
        pytest.skip("published vectors are not beside this checkout (../shared/vectors)")
    return PUBLISHED_VECTORS
