"""Runs each command of a README's tour in a copy of the checkout, and compares its exit code with what the line says."""

import os
import re
import shutil
import subprocess
import sys
import tempfile


def commands(readme):
    """The lines of the first sh block after the heading `Tour`, with the exit code that each promises."""
    text = open(readme, encoding="utf-8").read()
    block = re.search(r"^## Tour$.*?^```sh$(.*?)^```$", text, re.M | re.S)
    for line in block.group(1).splitlines():
        command, _, comment = line.partition("  #")
        promised = re.match(r"\s*exits (\d+)", comment)
        if command.strip():
            yield command.strip(), int(promised.group(1)) if promised else 0


def main(readme, binaries):
    environment = dict(os.environ, PATH=os.path.abspath(binaries) + os.pathsep + os.environ["PATH"])
    failed = ran = 0
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree("policies", os.path.join(scratch, "policies"))
        folder = scratch
        for command, promised in commands(readme):
            if command.startswith("cargo install"):
                continue  # `./test` has built it
            if command.startswith("cd "):
                folder = os.path.join(folder, command[3:])
                continue
            run = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
            ran += 1
            good = run.returncode == promised
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} exit {run.returncode}  {command}")
            if not good:
                print(run.stdout + run.stderr)
    print(f"{ran - failed} passed, {failed} failed")
    sys.exit(1 if failed or ran < 5 else 0)


main(*sys.argv[1:])
