package state

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v is not a number that can be recorded", f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 { // what an int64 can be equal to, has the int64's digits
		return strconv.AppendInt(dst, int64(f), 10), nil
	}
	return appendNumber(dst, strconv.AppendFloat(nil, f, 'e', -1, bits))
}

// maxExponentDigits bounds the exponents that are read, so that arithmetic on
// them can't overflow.
const maxExponentDigits = 6

// appendNumber appends the canonical form of a JSON number: its decimal digits
// without leading and trailing zeros, placed as in ECMAScript: plain from 1e-6 to
// below 1e21, else with an exponent.
func appendNumber(dst, literal []byte) ([]byte, error) {
	n := scanNumber(literal)
	if n != len(literal) || n == 0 {
		return nil, fmt.Errorf("%q is not a number", literal)
	}
	mantissa, exponent := literal, 0
	if i := bytes.IndexAny(literal, "eE"); i >= 0 {
		digits := bytes.TrimLeft(literal[i+1:], "+-")
		digits = bytes.TrimLeft(digits, "0")
		if len(digits) > maxExponentDigits {
			return nil, fmt.Errorf("the number %s is out of range", literal)
		}
		if len(digits) > 0 {
			exponent, _ = strconv.Atoi(string(digits))
		}
		if literal[i+1] == '-' {
			exponent = -exponent
		}
		mantissa = literal[:i]
	}
	negative := mantissa[0] == '-'
	if negative {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := append(append(make([]byte, 0, len(mantissa)), whole...), fraction...)
	point := len(whole) + exponent // the value is 0.digits × 10^point
	trimmed := bytes.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	digits = bytes.TrimRight(trimmed, "0")
	if len(digits) == 0 {
		return append(dst, '0'), nil
	}
	if negative {
		dst = append(dst, '-')
	}
	return appendDecimal(dst, digits, point), nil
}

// appendDecimal writes 0.digits × 10^point.
func appendDecimal(dst, digits []byte, point int) []byte {
	switch {
	case point > 21 || point < -5:
		dst = append(dst, digits[0])
		if len(digits) > 1 {
			dst = append(append(dst, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(dst, 'e'), int64(point-1), 10)
	case point <= 0:
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	case point >= len(digits):
		dst = append(dst, digits...)
		for range point - len(digits) {
			dst = append(dst, '0')
		}
		return dst
	default:
		dst = append(append(dst, digits[:point]...), '.')
		return append(dst, digits[point:]...)
	}
}

// canonicalInteger tells whether the literal is a short plain integer, which is
// canonical as it stands.
func canonicalInteger(literal []byte) bool {
	if len(literal) > 18 || literal[0] == '-' {
		return false
	}
	for _, b := range literal {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// scanNumber returns the length of the JSON number that b begins with, 0 if
// there is none.
func scanNumber(b []byte) int {
	digits := func(i int) int {
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := digits(i)
	if whole == i || b[i] == '0' && whole > i+1 {
		return 0
	}
	i = whole
	if i < len(b) && b[i] == '.' {
		fraction := digits(i + 1)
		if fraction == i+1 {
			return 0
		}
		i = fraction
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		j := i + 1
		if j < len(b) && (b[j] == '+' || b[j] == '-') {
			j++
		}
		exponent := digits(j)
		if exponent == j {
			return 0
		}
		i = exponent
	}
	return i
}
