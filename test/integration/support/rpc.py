"""Debian's own kamcmd, run as users run it, and what its output says."""
import re
import subprocess


class Fault(Exception):
    def __init__(self, text):
        super().__init__(text)
        match = re.search(r"error:\s*(\d+)\s*-\s*(.*)", text, re.S)
        self.code = int(match[1]) if match else 0
        self.reason = match[2].strip() if match else text


def kamcmd(address, method, *arguments, timeout=30):
    """The printed answer; raises Fault for an RPC error or when the server cannot be reached."""
    done = subprocess.run(["kamcmd", "-s", str(address), method, *map(str, arguments)], capture_output=True,
                          text=True, timeout=timeout)
    output = (done.stdout + done.stderr).strip()
    if done.returncode != 0 or output.startswith(("error:", "ERROR")):
        raise Fault(output)
    return done.stdout.rstrip("\n")


def fields(output):
    """Names of the fields in order; nested ones too, each once per occurrence."""
    return re.findall(r"^\s*([\w-]+):", output, re.M)


def values(output):
    """{name: text} of a flat struct."""
    return dict(re.findall(r"^\s*([\w-]+):[ \t]*(.*?)[ \t]*$", output, re.M))


def structs(output):
    """The structs of a list, each as {name: text} in order."""
    return [values(body) for body in re.findall(r"\{([^{}]*)\}", output)]
