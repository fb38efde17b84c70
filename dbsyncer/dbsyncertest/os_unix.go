//go:build unix

package dbsyncertest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// An account is the user that servers run as; nil stands for that of this process.
type account struct{ uid, gid int }

// unprivileged returns an account that servers can run as: root can't.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("a server can't run as root, and there is no user postgres or nobody: %w", err)
	}
	var a account
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return nil, err
	}
	if a.gid, err = strconv.Atoi(u.Gid); err != nil {
		return nil, err
	}
	return &a, nil
}

// own gives a file to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// apart has a command run as the account, and in a session of its own: Ctrl-C in
// the terminal is not for it.
func apart(cmd *exec.Cmd, a *account) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// crash kills a process and those that it started, as at one instant: it is
// stopped first, so that it neither starts another one nor sees them die. One that
// it was starting in that moment ends by itself, as it finds its parent dead.
func crash(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	children, err := childrenOf(p.Pid)
	for _, pid := range children {
		if killed := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(killed, syscall.ESRCH) {
			err = errors.Join(err, killed)
		}
	}
	return errors.Join(err, p.Kill())
}

// childrenOf lists the processes that a process started. Those of a Postgres
// server are in sessions of their own, so there is no group to kill.
func childrenOf(parent int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "ppid=").Output()
	if err != nil {
		return nil, fmt.Errorf("to list processes (Debian: apt-get install procps): %w", err)
	}
	var children []int
	for line := range strings.Lines(string(out)) {
		var pid, ppid int
		if _, err := fmt.Sscan(line, &pid, &ppid); err != nil {
			return nil, fmt.Errorf("ps says %q: %w", line, err)
		}
		if ppid == parent {
			children = append(children, pid)
		}
	}
	return children, nil
}
