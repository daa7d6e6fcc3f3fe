"""The published JSON Schemas, asked by an independent validator: ready documents pass, slips do not."""

import copy
import glob
import json
import re
import subprocess
import sys

import jsonschema
import yaml

# Of each kind of document, its schema's name and slips that it must catch: a path, and what stands there instead.
SCHEMAS = {
    "Rollout": ("rollout", [(["spec", "helth"], {}), (["spec", "holdLimit"], "soon"), (["metadata", "name"], None)]),
    "ProbeFlow": ("probe", [(["spec", "step"], []), (["spec", "steps"], "all"), (["metadata", "name"], None)]),
    "ProbeLibrary": ("probe", [(["spec", "action"], {}), (["spec", "actions"], []), (["metadata", "name"], None)]),
    "Calendar": ("calendar", [(["spec", "window"], []), (["spec", "windows"], "all"), (["metadata", "name"], None)]),
    "PolicyTest": ("policy-test", [(["spec", "test"], []), (["spec", "tests"], {}), (["metadata", "name"], None)]),
}


class Loader(yaml.SafeLoader):
    """Reads as documents are read, in YAML 1.2: what looks like an instant is text, and so is `on`."""


NO_TYPES = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag not in NO_TYPES]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def slip(document, path, value):
    broken = copy.deepcopy(document)
    at = broken
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return broken


def main(davy):
    validators = {}
    for name in {name for name, _ in SCHEMAS.values()}:
        schema = json.loads(subprocess.check_output([davy, "policy", "schema", name]))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)
    for name in ("rule-input", "answer"):
        schema = json.loads(subprocess.check_output([davy, "policy", "schema", name]))
        jsonschema.Draft202012Validator.check_schema(schema)
    failed, seen = 0, set()
    for path in sorted(glob.glob("policies/**/*.yaml", recursive=True) + ["core/src/starter.yaml"]):
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, Loader)
        # OpenSLO publishes its own.
        if document["kind"] not in SCHEMAS:
            continue
        seen.add(document["kind"])
        name, slips = SCHEMAS[document["kind"]]
        good = validators[name].is_valid(document)
        caught = not any(validators[name].is_valid(slip(document, *one)) for one in slips)
        failed += not (good and caught)
        print(f"{'ok  ' if good and caught else 'FAIL'} {path}")
    print(f"{failed} failed")
    sys.exit(1 if failed or seen != SCHEMAS.keys() else 0)


main(*sys.argv[1:])
