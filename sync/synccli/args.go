package synccli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// split tells the command's own arguments from the host's paths.
func (c *Call) split(command *Command, positional []string) error {
	if missing := len(positional) - len(command.Args); missing < 0 {
		return &UsageError{Problem: fmt.Sprintf("%s is missing", command.Args[len(positional)])}
	}
	own := len(command.Args)
	if command.Split != nil {
		var err error
		if own, err = command.Split(positional); err != nil {
			return err
		}
	}
	takesPaths := command.Takes.has(TakesPaths)
	switch rest := positional[own:]; {
	case takesPaths && len(rest) > 1 && !c.host.manyPaths():
		return &UsageError{Problem: fmt.Sprintf("too many arguments: %q", rest[1:])}
	case takesPaths:
		c.Args, c.Paths = positional[:own], rest
	case (command.Args != nil || command.Split != nil) && len(rest) > 0:
		return &UsageError{Problem: fmt.Sprintf("too many arguments: %q", rest)}
	default:
		c.Args = positional
	}
	return nil
}

// leadingNumbers is a Command.Split: up to two serials, which are all digits, may
// stand before the paths. What is no number must be there as a path: it was perhaps
// meant as a serial.
func leadingNumbers(args []string) (own int, err error) {
	for own < len(args) && isNumber(args[own]) {
		own++
	}
	if own > 2 {
		return 0, &UsageError{
			Problem: fmt.Sprintf("too many serials: %q", args[2:own]),
			Hint:    "a directory whose name is a number is written ./" + args[own-1],
		}
	}
	if own < len(args) {
		if _, err := os.Stat(args[own]); errors.Is(err, fs.ErrNotExist) {
			return 0, &UsageError{
				Problem: fmt.Sprintf("%q is neither a serial nor there as a path", args[own]),
				Hint:    "serials are numbers, as history shows them",
			}
		}
	}
	return own, nil
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// noID stands where an ID may stand, before the paths, and there is none.
const noID = "-"

// optionalID is a Command.Split: an ID may stand after the key. An ID can look
// like a path and a path like an ID, so what comes second is the ID; and where it
// may well be meant as the path, nothing is guessed.
func optionalID(args []string) (own int, err error) {
	if len(args) == 2 && args[1] != noID {
		if _, err := os.Stat(args[1]); err == nil {
			return 0, &UsageError{
				Problem: fmt.Sprintf("%q may be an ID, and there is a file of that name", args[1]),
				Hint:    fmt.Sprintf("write \"%s %s\" if it is where the declaration is, or \"%[2]s .\" if it is the ID", noID, quote(args[1])),
			}
		}
	}
	return min(len(args), 2), nil
}

// parseSerial reads the serial of a State.
func parseSerial(text string) (int64, error) {
	serial, err := strconv.ParseInt(text, 10, 64)
	if err != nil || serial < 0 {
		return 0, &UsageError{Problem: fmt.Sprintf("%q is no serial", text), Hint: "want a number, as history shows it"}
	}
	return serial, nil
}
