package main

import "github.com/trueup-go/trueup/sync/synccli"

func main() { synccli.Main(run) }
