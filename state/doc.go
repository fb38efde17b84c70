// Package state holds the data of a sync: what is declared (Resource), what is
// recorded of it (Record, Head, State), and what a commit changes (Delta).
package state
