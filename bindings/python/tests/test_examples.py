"""The documentation's examples run."""

import doctest
import re
from pathlib import Path

import davy

HERE = Path(__file__).resolve().parents[1]


def test_the_examples_of_the_module_run():
    tried = doctest.testmod(davy)
    assert tried.attempted > 5 and tried.failed == 0


def test_the_readme_runs_as_a_notebook_would_run_it(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", (HERE / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert "proceed" in capsys.readouterr().out.lower()
    assert names["step"].decision._repr_html_()
    frame = names["step"].decision.to_pandas()
    assert set(frame["outcome"]) <= {"pass", "hold", "fail"}
