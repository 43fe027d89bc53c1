# SPDX-License-Identifier: MIT
"""`prisma generate` for the Python client: feeds dmmf.js' output to the generator inside prisma-client-py.

    generate.py SCHEMA DMMF_JSON QUERY_ENGINE PACKAGE

SCHEMA and QUERY_ENGINE are paths as the running image sees them; PACKAGE is the folder of the `prisma` package that the
client is rendered into.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ENGINE_VERSION = "393aa359c9ad4a4bb28630fb5613f9c281cde053"

# LiteLLM is written against prisma-client-py 0.11 and sets this attribute, which 0.15 has under another name;
# its __slots__ forbid a new one.
COMPATIBILITY = """

Prisma._Prisma__engine = property(  # type: ignore[attr-defined]
    lambda self: self._internal_engine,
    lambda self, engine: setattr(self, "_internal_engine", engine),
)
"""


def main(schema: str, dmmf_file: str, query_engine: str, package: str) -> None:
    # The generator refuses to run when it is not called by the Prisma CLI.
    os.environ["PRISMA_GENERATOR_INVOCATION"] = "1"
    from prisma._compat import model_parse
    from prisma.generator.generator import Generator
    from prisma.generator.models import PythonData

    document = json.loads(Path(dmmf_file).read_text())
    generator = next(
        dict(entry)
        for entry in document["config"]["generators"]
        if "prisma-client-py" in entry["provider"]["value"]
    )
    generator["output"] = {"value": package, "fromEnvVar": None}
    # One target: with several, the client tries each by running it.
    generator["binaryTargets"] = [{"fromEnvVar": None, "value": "native", "native": True}]
    data = model_parse(
        PythonData,
        {
            "generator": generator,
            "otherGenerators": [],
            "schemaPath": schema,
            "dmmf": document["dmmf"],
            "datasources": document["config"]["datasources"],
            "datamodel": document["datamodel"],
            "version": ENGINE_VERSION,
            "binaryPaths": {"queryEngine": {"native": query_engine}},
        },
    )
    Generator().generate(data)
    client = Path(package) / "client.py"
    client.write_text(client.read_text() + COMPATIBILITY)


if __name__ == "__main__":
    main(*sys.argv[1:])
