"""Fuzzes one target with atheris, which follows the branches of our code: `python -m tests.fuzz.run TARGET SECONDS`.

It begins with the corpus and what earlier runs found (`build/fuzz`). What fails is kept in the corpus.
"""

from __future__ import annotations

import importlib
import sys

import atheris

# Before our modules, so that their branches are counted.
with atheris.instrument_imports(include=["pychat"]):
    from tests.fuzz.targets import CORPUS, targets

    TARGETS = targets(importlib.import_module)

if __name__ == "__main__":
    name, seconds = sys.argv[1:]
    found = CORPUS.parents[2] / "build" / "fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    (CORPUS / name).mkdir(exist_ok=True)
    limits = [
        f"-max_total_time={seconds}",
        "-max_len=8192",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
    ]
    atheris.Setup(
        [sys.argv[0], *limits, f"-artifact_prefix={CORPUS / name}/", str(found), str(CORPUS / name)], TARGETS[name]
    )
    atheris.Fuzz()
