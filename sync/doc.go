// Package sync makes a system match its declaration.
package sync
