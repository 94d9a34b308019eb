#!/bin/bash
# Peak memory of the executable for a session of a million messages (about 500 MB of JSON) and for one message of 200 MB.
exec "$(dirname "$0")/run.sh" --memory "$@"
