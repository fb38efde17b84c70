// Command operatorsync deploys apps to servers, and records with each app which version
// runs, so that several operators can look after the same servers: in the .env files that
// they share through git, as seed 004 has it.
//
//	operatorsync app upgrade matrix.example.com
//
// It shows what runs, what is recorded and what would change, asks, deploys, reads back
// what runs, and then records it:
//
//	.env file, recipe ─▶ target ─┐
//	server ─▶ what runs ─────────┼─▶ overview ─ confirm ─▶ deploy ─ read back ─▶ .env file
//	.env file ─▶ recorded ───────┘
//
// It is a host program whose commands are all its own: package envsyncer records, package
// deploy deploys, package recipe reads the recipes, and the engine between them is the
// library's.
package main
