#!/bin/sh
# Prints the name of a Python that is new enough, or says in one sentence what is missing.
# PYTHON=... chooses another one.

for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "$candidate"
        exit 0
    fi
done

found=$("${PYTHON:-python3}" -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null)
echo "The portal needs Python 3.11 or newer and found ${found:-none}; install it, or name it: PYTHON=/path/to/python3.13 make run" >&2
exit 1
