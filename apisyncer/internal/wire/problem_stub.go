package wire

import "errors"

type Problem struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func ProblemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	return &Problem{500, err.Error()}
}

func (p *Problem) Err() error {
	if p == nil {
		return nil
	}
	return errors.New(p.Detail)
}
