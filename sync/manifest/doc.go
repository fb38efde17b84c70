// Package manifest reads TOML files into declared resources. It knows where
// every value stands, so that whatever is wrong can be said with file, line and
// column, and it says everything that is wrong at once.
package manifest
