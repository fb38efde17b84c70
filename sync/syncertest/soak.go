package syncertest

import (
	"os"
	"strconv"
)

// Soak returns how many turns a counted test takes: the percentage of full that
// the environment variable TRUEUP_SOAK names, 5 if it names none, and at least
// one turn.
func Soak(full int) int { return max(1, full*soakPercent()/100) }

func soakPercent() int {
	percent, err := strconv.Atoi(os.Getenv("TRUEUP_SOAK"))
	if err != nil || percent <= 0 {
		return 5
	}
	return percent
}
