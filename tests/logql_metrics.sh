#!/usr/bin/env bash
# Holds the console's metric queries in LogQL against a genuine Prometheus: the same lines are pushed to the
# console's Loki API and loaded as samples into Prometheus, and over two hundred pairs of questions have to get
# the same numbers. Everything it needs and leaves is in target/; nothing is installed or left running.
#
# PROMETHEUS and PROMTOOL name the programs; without them, those on the path are taken, or
# bench/peers/prometheus.sh fetches Debian's. Without any it says "skipped: ..." and succeeds, unless
# PROMETHEUS_REQUIRED=1. CONSOLE_BINARY names the console; without it, it is built.
source "$(dirname "$0")/common.sh"
need python3
find_any_prometheus
find_program
begin_folder logql
python3 tests/logql_metrics.py --console "$program" --prometheus "$prometheus" --promtool "$promtool" --folder "$folder"
