"""Every function and parameter that the modules of Debian's Kamailio 5.6.3 export, named in one file for `kahu -c`.

`modules_5_6_3.tsv` is the list, as the export tables of Debian's modules have it: module, kind, name, the numbers of
arguments of a function or the type of a parameter, the routes a function may be called from (r request, f failure,
o reply, b branch, s onsend) and, where Kahu does not have it, why.  A row with a reason must really be absent, or be
said to have no effect: so the list stays true when a gap is closed.
"""
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from support.paths import KAHU

pytestmark = pytest.mark.kahu_only

BLOCKS = {"r": "request_route", "f": "failure_route[F]", "o": "onreply_route[O]", "b": "branch_route[B]",
          "s": "onsend_route"}
# What `kahu -c` says of a call or a parameter that Kahu does not have.
ABSENT = re.compile(r"not supported|takes .* given|has no parameter|has no function|unknown function|"
                    r"cannot be called|may not be called|not known|no function")
NO_EFFECT = re.compile(r"has no effect")


class Row(NamedTuple):
    module: str
    kind: str
    name: str
    form: str    # "0,2": numbers of arguments; "text", "number"
    routes: str  # "rfo"
    why: str     # why Kahu does not have it; "": it has

    @property
    def label(self):
        return f"{self.module} {self.kind} {self.name}"


def read_rows():
    lines = (Path(__file__).parent / "modules_5_6_3.tsv").read_text().splitlines()
    return [Row(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def sentence_of(row, count):
    return f"{row.name}({', '.join(['$var(x)'] * count)});"


class Written:
    """A configuration that names all rows of one module, and which line is which row."""

    def __init__(self, module, rows):
        self.lines = [f'loadmodule "{name}.so"' for name in dict.fromkeys(("tm", "sl", "rr", "usrloc", "auth", module))]
        self.row_at = {}
        for row in rows:
            if row.kind == "param":
                value = "1" if row.form == "number" else '"x"'
                self.add(row, f'modparam("{module}", "{row.name}", {value})')
        for letter, head in BLOCKS.items():
            self.lines.append(head + " {")
            for row in rows:
                if row.kind == "function" and letter in row.routes:
                    for count in row.form.split(","):
                        self.add(row, sentence_of(row, int(count)))
            self.lines.append("}")

    def add(self, row, line):
        self.lines.append(line)
        self.row_at[len(self.lines)] = row


def complaints_about(module, rows, directory):
    written = Written(module, rows)
    config = directory / f"{module}.cfg"
    config.write_text("\n".join(written.lines) + "\n")
    done = subprocess.run([KAHU, "-c", "-f", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    found = {row: [] for row in rows}
    for line in done.stdout.splitlines():
        if (place := re.match(rf"{re.escape(str(config))}:(\d+):\d+: (.*)", line)):
            if (row := written.row_at.get(int(place[1]))) is not None:
                found[row].append(place[2])
    return found


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """{row: the complaints of `kahu -c` about it}."""
    rows, directory, found = read_rows(), tmp_path_factory.mktemp("tables"), {}
    for module in {row.module for row in rows}:
        found |= complaints_about(module, [row for row in rows if row.module == module], directory)
    return found


def lacking(complaints):
    return [text for text in complaints if ABSENT.search(text) or NO_EFFECT.search(text)]


def test_what_5_6_3_exports_is_there_or_the_reason_is(said):
    gaps = {row.label: lacking(texts)[0] for row, texts in said.items() if not row.why and lacking(texts)}
    assert not gaps, "\n".join(f"{label}: {text}" for label, text in gaps.items())


def test_what_has_a_reason_is_really_not_there(said):
    there = [row.label for row, texts in said.items() if row.why and not lacking(texts)]
    assert not there, "take the reason out of modules_5_6_3.tsv: " + ", ".join(there)


