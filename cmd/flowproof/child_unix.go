//go:build unix

package main

import "syscall"

// apart keeps what is typed at a terminal from a process: the coordinator tells its agents to stop.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
