//go:build unix

package load

import (
	"net"
	"syscall"
)

// alive reports whether a resting connection is still open. A server that has answered has nothing
// more to say: whatever can be read then is a farewell. Before the first answer it may be a TLS ticket.
func alive(c net.Conn, answered bool) bool {
	conn, ok := raw(c).(syscall.Conn)
	if !ok {
		return true
	}
	r, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	open := true
	err = r.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR:
		case err != nil, n == 0, answered:
			open = false
		}
		return true
	})
	return err == nil && open
}
