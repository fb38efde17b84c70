// Package filesyncer records a scope in one directory: the backend that needs no
// server.
package filesyncer
