package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// A Server is a NATS server in this process, on loopback, for agents on this machine. Only who can read its key gets in.
type Server struct {
	server *server.Server
	key    string
}

// Embed starts one that keeps its files, and the key, in the folder.
func Embed(folder string) (*Server, error) {
	user, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("cluster: make a key: %w", err)
	}
	seed, err := user.Seed()
	if err != nil {
		return nil, fmt.Errorf("cluster: make a key: %w", err)
	}
	public, err := user.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("cluster: make a key: %w", err)
	}
	s := &Server{key: filepath.Join(folder, "bus.nkey")}
	if err := os.WriteFile(s.key, seed, 0o600); err != nil {
		return nil, fmt.Errorf("cluster: keep the key: %w", err)
	}
	s.server, err = server.NewServer(&server.Options{
		ServerName: "flowproof", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: filepath.Join(folder, "bus"), Nkeys: []*server.NkeyUser{{Nkey: public}},
	})
	if err != nil {
		return nil, fmt.Errorf("cluster: start a server: %w", err)
	}
	s.server.Start()
	if !s.server.ReadyForConnections(10 * time.Second) {
		s.Close()
		return nil, errors.New("cluster: start a server: it is not ready after 10s")
	}
	return s, nil
}

// Dial is how the server is reached.
func (s *Server) Dial() Dial { return Dial{URL: s.server.ClientURL(), NKey: s.key} }

// Close ends the server.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}
