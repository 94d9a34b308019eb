#!/bin/bash
# Writes docs/appsettings.schema.json anew, from the keys that the archiver knows and docs/configuration.md. Needs the .NET SDK.
cd "$(dirname "$0")/.." && ARCHIVER_WRITE_SCHEMA=1 exec dotnet test --project tests/Core.Tests --filter-method '*The_schema_for_editors*'
