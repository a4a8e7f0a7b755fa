"""`python -m tests.fuzz.guided NAME [OPTION ...]`: one target under atheris; libFuzzer ends the process, never this.

Started by `python -m tests.fuzz NAME --minutes M`. Here atheris comes first, so that all of ours that is imported
afterwards counts the branches that an input takes: what reached a new one is changed further.
"""

import sys

import atheris

if __name__ == "__main__":
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["appliance", "drivers", "provisioning"]):
        from tests.fuzz.planted import PLANTED
        from tests.fuzz.reading import READING

        targets = READING | PLANTED
        if name not in targets:
            from tests.fuzz.targets import TARGETS

            targets = TARGETS
    atheris.Setup(["fuzz", *options], targets[name].run)
    atheris.Fuzz()
