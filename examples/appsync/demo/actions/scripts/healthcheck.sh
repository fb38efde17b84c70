#!/bin/sh
set -eu
curl --fail --silent --show-error "$SHOP/health"
