// Package checkout has a git repository's files in a directory, at a branch or a
// commit, for those who build or deploy from them. It runs the git command, and the
// commands that are declared to follow it.
package checkout
