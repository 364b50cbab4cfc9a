//go:build !unix

package load

import "net"

// alive cannot tell here; a connection that the server closed shows at the next request.
func alive(net.Conn, bool) bool { return true }
