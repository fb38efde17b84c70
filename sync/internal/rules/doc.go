// Package rules holds the rules of this repository as ordinary tests: who may
// import whom, what lies at the top level, what the library requires, and what
// every source file has to observe. There is nothing in it to import.
//
// A rule that fails says which file broke it and what to do instead. To change
// a rule, change its table here and say why in the commit.
package rules
