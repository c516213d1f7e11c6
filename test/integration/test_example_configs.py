"""kahu -c on every configuration that Debian's package kamailio brings as an example.

Most use modules that Kahu has not.  What is said of each: the file, line and column, the module of a function that is
not there, nothing twice; and no syntax error but where the file has one.
"""
import re
import subprocess
from pathlib import Path

import pytest

from support.paths import KAHU

EXAMPLES = Path("/usr/share/doc/kamailio/examples")
FILES = sorted(path for path in EXAMPLES.rglob("*.cfg*") if "tls.cfg" not in path.name and path.suffix in (".cfg", ".sample"))
pytestmark = [pytest.mark.kahu_only, pytest.mark.skipif(not FILES, reason="Debian's package kamailio is not installed")]

# Files with mistakes that Kamailio refuses, too; and what Kahu does not take on purpose: names in place of addresses.
MISTAKES = {
    "exec/exec_s5.cfg": "30:34: ';' is missing", "exec/exec_s5b.cfg": "30:34: ';' is missing",
    "kamailio/exec_s5.cfg": "33:34: ';' is missing", "presence/full-no-failover.cfg": "199:41: unexpected '%'",
    "kamailio/replicate.cfg": "67:23: unexpected '.'", "mixed/replicate.cfg": "64:23: unexpected '.'",
    "pkg/sip-router-oob.cfg": "1718:1: this #!ifdef is not closed",
}
SYNTAX = re.compile(r"unexpected|is missing behind|does not belong here|is not closed|unknown statement")
PLACE = re.compile(r"^(?:[-\d]+ [:\d]+ kahu\[\d+\] WARNING: )?/usr/share/doc/kamailio/examples/[^:]+:(?:\d+:\d+:)? ")


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(EXAMPLES)) for path in FILES])
def test_what_is_said_is_right(path):
    done = subprocess.run([KAHU, "-c", "-E", "-f", path], text=True, capture_output=True, timeout=20, cwd=path.parent)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert said and all(PLACE.match(line) or "config file ok" in line for line in said), said
    assert len(set(said)) == len(said)
    mistakes = [line for line in said if SYNTAX.search(line)]
    known = MISTAKES.get(str(path.relative_to(EXAMPLES)))
    assert all(known is not None and known in line for line in mistakes) and bool(mistakes) == (known is not None), mistakes
    assert not [line for line in said if "unknown function exec_" in line or "unknown function t_" in line]
