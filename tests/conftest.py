"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

# The everyday suite tries the same examples every time, so that what fails is what was changed; "explore" draws others.
settings.register_profile("everyday", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.register_profile("mutants", derandomize=True, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))
