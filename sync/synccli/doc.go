// Package synccli makes commands of the sync engine.
package synccli
