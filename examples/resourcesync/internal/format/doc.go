// Package format reads the formats that text fields of Komodo's resources take:
// key-value lists (ParsePairs), commands (Command), lists (ParseList), patterns of
// names (ParsePattern), versions and permission levels. Where the original loses
// or garbles what was written, this package doesn't; each such place says so.
//
// Nothing here knows of [[VARIABLES]]: they are text like any other.
//
// An error of a key-value list never repeats what it says: it may be a secret. Everything is safe for
// concurrent use.
package format
