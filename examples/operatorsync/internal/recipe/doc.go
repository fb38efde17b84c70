// Package recipe reads the recipes of Co-op Cloud: git checkouts with a compose.yml,
// whose versions are tags, as 4.0.0+v1.93.0. It says which versions there are and
// what is checked out, and exports a recipe's files to a directory to deploy from:
//
//	the operator's checkout ─ Versions, Chaos ─▶ what may be deployed
//	                        └ Export ─▶ a directory with its files
//
// A checkout is the operator's, who may be at work in it. It is only read: neither
// its files nor index, HEAD, branches or stash change, nothing is fetched, and no
// hook runs. It gets recent versions when the operator runs git.
package recipe
