#!/bin/sh
# SPDX-License-Identifier: MIT
# The real image's entry point without its tracing agents: a pod's `args:` are the proxy's, `["--port", "4000"]`.
exec litellm "$@"
