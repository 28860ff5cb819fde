#!/usr/bin/env python3
"""Times the operator's diagnosis of a stack in trouble: the release build, no cluster."""

import subprocess
import sys

sys.exit(subprocess.run(["cargo", "bench", "--quiet", "--package", "todostack-operator", "--bench", "diagnose"]).returncode)
