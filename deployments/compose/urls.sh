#!/usr/bin/env bash
# Tells where the compose stack is, and how to sign in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
cat <<TOLD
API           http://localhost:5007/swagger/index.html
Grafana       http://localhost:3000 (admin, $(sed -n 's/^GF_SECURITY_ADMIN_PASSWORD=//p' secrets/grafana.env))
Prometheus    http://localhost:9090
Alertmanager  http://localhost:9093
Jaeger        http://localhost:16686
Traffic       docker compose run --rm load
TOLD
