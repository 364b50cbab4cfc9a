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
func Embed(folder string) (*Server, error) { return embed(folder, server.RANDOM_PORT) }

func embed(folder string, port int) (*Server, error) {
	s := &Server{key: filepath.Join(folder, "bus.nkey")}
	public, err := keyIn(s.key)
	if err != nil {
		return nil, err
	}
	s.server, err = server.NewServer(&server.Options{
		ServerName: "flowproof", Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true,
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

// keyIn makes a key in a file, unless there is one, and returns its public half.
func keyIn(path string) (public string, err error) {
	seed, err := os.ReadFile(path)
	if err != nil {
		user, err := nkeys.CreateUser()
		if err != nil {
			return "", fmt.Errorf("cluster: make a key: %w", err)
		}
		if seed, err = user.Seed(); err != nil {
			return "", fmt.Errorf("cluster: make a key: %w", err)
		}
		if err := os.WriteFile(path, seed, 0o600); err != nil {
			return "", fmt.Errorf("cluster: keep the key: %w", err)
		}
	}
	user, err := nkeys.FromSeed(seed)
	if err != nil {
		return "", fmt.Errorf("cluster: read the key: %w", err)
	}
	if public, err = user.PublicKey(); err != nil {
		return "", fmt.Errorf("cluster: read the key: %w", err)
	}
	return public, nil
}
