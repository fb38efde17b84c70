// Package script tests a command-line program with scripts that read as what a
// person would type and expect to see.
//
// A script is a text file: lines that each do one thing, then the files that it
// works on, each after a line "-- NAME --". It runs in a directory of its own that
// holds those files, and stops at the first line that fails. Lines begin with a
// verb; arguments with spaces stand in single quotes; $WORK, in an argument of the
// program and in its environment, is the directory, and what else Program.Vars names is
// what it says there.
// Every other file is named from the directory.
//
//	# a component that is removed is an orphan until it is pruned
//	shop sync $WORK/app
//	rm app/components/cache.toml
//	exits 2 shop plan $WORK/app
//	stdout 'cache .* is no longer declared'
//	! shop sync --oops $WORK/app
//	stderr 'unknown flag'
//
// The verbs:
//
//	PROGRAM ARGS…        runs the program, which must end with exit code 0
//	exits N PROGRAM …    runs the program, which must end with exit code N
//	! VERB …             the line must fail; before the program: with exit code 1
//	stdout REGEXP        the last run's output has a line that matches
//	stderr REGEXP        the same of what it wrote to its error stream
//	grep FILE REGEXP     the file has a line that matches
//	cmp FILE FILE        both are the same; stdout and stderr name the last run's
//	edit FILE OLD NEW    replaces OLD, which must be there once
//	append FILE TEXT     adds a line, to a new file if there is none
//	cp FILE FILE         copies a file, or stdout or stderr
//	rm FILE              removes a file or a directory
//	exists FILE          there is such a file
//	terminal             from now on the program is at a terminal
//	answer TEXT          what is typed there at the next run
//	env NAME VALUE       a variable of the program's environment, from now on
//
// In what the program writes, the directory's name is $WORK too, and so on, so that
// it can be compared with what stands in the script. "go test -update" writes the
// second file of a cmp, if it stands in the script, as it came out.
package script
