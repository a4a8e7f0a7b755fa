"""`python -m tests.fuzz.guided NAME COMPARED [OPTION ...]`: one target under atheris; libFuzzer ends the process.

Started by `python -m tests.fuzz NAME --minutes M`. Here atheris comes first, so that all of ours that is imported
afterwards counts the branches that an input takes: what reached a new one is changed further. COMPARED is 1 where what
is compared is traced as well, to be tried in inputs; 0 for code that compares arrays: atheris 3 never lets go of the
result of a comparison that it traces, and these results are megabytes.
"""

import sys

import atheris
from atheris.import_hook import HookManager

if __name__ == "__main__":
    name, compared, *options = sys.argv[1:]
    ours = {"appliance", "drivers", "provisioning"}
    with HookManager(ours, set(), enable_loader_override=True, trace_dataflow=compared == "1"):
        from tests.fuzz.planted import PLANTED
        from tests.fuzz.reading import READING

        targets = READING | PLANTED
        if name not in targets:
            from tests.fuzz.targets import TARGETS

            targets = TARGETS
    atheris.Setup(["fuzz", *options], targets[name].run)
    atheris.Fuzz()
