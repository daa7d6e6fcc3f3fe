"""The published JSON Schema, asked by an independent validator: ready policies pass, slips do not."""

import copy
import glob
import json
import subprocess
import sys

import jsonschema
import yaml


def main(davy):
    schema = json.loads(subprocess.check_output([davy, "policy", "schema"]))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted(glob.glob("policies/*/*.yaml") + ["core/src/starter.yaml"])
    failed = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        good = validator.is_valid(document)
        slips = [copy.deepcopy(document) for _ in range(3)]
        slips[0]["spec"]["helth"] = {}
        slips[1]["spec"]["health"]["every"] = "soon"
        del slips[2]["metadata"]["name"]
        caught = not any(validator.is_valid(slip) for slip in slips)
        failed += not (good and caught)
        print(f"{'ok  ' if good and caught else 'FAIL'} {path}")
    print(f"{len(files) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not files else 0)


main(*sys.argv[1:])
