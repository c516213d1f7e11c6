"""Runs kahu-load and returns its figures."""
import json
import subprocess

from .paths import KAHU_LOAD


class Load(dict):
    """The JSON object of a run; attributes are its keys."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def start_load(mode, port, *options):
    argv = [KAHU_LOAD, mode, f"127.0.0.1:{port}", *map(str, options), "--quiet", "--json", "-"]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_load(process, timeout=600):
    try:
        out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()
        raise
    if process.returncode not in (0, 1):
        raise RuntimeError(errors)
    return Load(json.loads(out))


def load(mode, port, *options, timeout=600):
    return finish_load(start_load(mode, port, *options), timeout)


def baseline(*options):
    out = subprocess.run([KAHU_LOAD, "baseline", *map(str, options), "--quiet", "--json", "-"], check=True,
                         capture_output=True, text=True)
    return Load(json.loads(out.stdout))
