"""What schemathesis cannot know of this API; loaded by `npm run check:api`."""

import json
import os
import re
import sys

import schemathesis

# Python 3.11 breaks off with a SystemError when it parses close to its usual limit, which nested schemas come to.
sys.setrecursionlimit(20_000)

KNOWN = json.loads(os.environ["BATUTA_CHECK_KNOWN"])
# Opaque texts that the server itself gave out, or values in a notation of their own: a wrong one is not understood, and no schema can say so.
OWN_NOTATION = ("cursor",)


@schemathesis.hook
def filter_case(context, case):
    """Leaves the key alone with which everything is asked."""
    if case.operation.label != "DELETE /api/keys/{id}":
        return True
    given = str((case.path_parameters or {}).get("id", ""))
    return given == "" or given not in KNOWN["key"]


def known_sometimes(given, values):
    """Puts what the store has in the place of every second text that could be it; the others keep asking for what is not there."""
    if not isinstance(given, dict):
        return given
    return {
        name: values[name] if name in values and isinstance(value, str) and re.fullmatch(r"[!-~]{1,100}", value) and len(value) % 2 else value
        for name, value in given.items()
    }


@schemathesis.hook
def map_body(context, body):
    return known_sometimes(body, KNOWN["body"])


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    # What is deleted is gone for all that comes after.
    if context.operation.method.upper() == "DELETE":
        return path_parameters
    return known_sometimes(path_parameters, KNOWN["path"])


@schemathesis.check
def described_is_understood(ctx, response, case):
    """What fits the description is never answered as not understood."""
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    error = response.json().get("error", {})
    if error.get("code") != "REQUEST_INVALID":
        return
    if any(name in OWN_NOTATION for name in (case.query or {})):
        return
    raise AssertionError(f"The description allows what the server does not understand: {error.get('message')}")
