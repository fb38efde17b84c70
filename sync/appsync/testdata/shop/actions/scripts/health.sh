#!/bin/sh
curl --fail "$URL/health" # of {{.nuon.components.ingress.outputs.address}}
