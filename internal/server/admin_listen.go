package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const socketPrefix = "unix:"

// CheckAdminAddress returns what is wrong with an address of the admin listener: nobody proves there who they are, so that nothing but
// loopback and a socket of this machine will do.
func CheckAdminAddress(address string) error {
	const remedy = "give --admin-address 127.0.0.1:PORT or --admin-address unix:/PATH"
	if path, ok := strings.CutPrefix(address, socketPrefix); ok {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("the socket of the admin listener needs a whole path: %s", remedy)
		}
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("the address of the admin listener is wrong: %s", remedy)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("the port of the admin listener is wrong: %s", remedy)
	}
	// Not localhost: a name is what a file or a name server makes of it.
	if a, err := netip.ParseAddr(host); err != nil || !a.IsLoopback() {
		return fmt.Errorf("the admin listener asks nobody who they are and is for this machine alone: %s", remedy)
	}
	return nil
}

// ListenAdmin listens on an address that CheckAdminAddress has no fault in.
func ListenAdmin(address string) (net.Listener, error) {
	if err := CheckAdminAddress(address); err != nil {
		return nil, err
	}
	path, ok := strings.CutPrefix(address, socketPrefix)
	if !ok {
		return net.Listen("tcp", address)
	}
	return listenSocket(path)
}

// listenSocket makes a socket that only the user of the process opens. It is made in a folder of its own and moved: at no moment is
// there one with the mode that the umask gives. One that a process left behind which is gone is replaced; one that answers is not.
func listenSocket(path string) (net.Listener, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there and is no socket: give another path with --admin-address", path)
	default:
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = c.Close() // nothing was said
			return nil, fmt.Errorf("another process listens on %s: end it, or give another path with --admin-address", path)
		}
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".") // 0700
	if err != nil {
		return nil, fmt.Errorf("the socket of the admin listener cannot be made: %w", err)
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("the socket of the admin listener cannot be made: %w", err)
	}
	listener.SetUnlinkOnClose(false) // it will have another name
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return &socketListener{UnixListener: listener, path: path}, nil
}

// socketListener removes its socket when it is closed.
type socketListener struct {
	*net.UnixListener
	path string
}

// Close closes the listener and removes the socket.
func (l *socketListener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err // the socket was removed the first time
	}
	return errors.Join(err, os.Remove(l.path))
}

// serveAdmin answers on the admin listener, where there is one, until the function is called that it returns.
func (s *Server) serveAdmin() (stop func()) {
	if s.config.Admin == nil {
		return func() {}
	}
	server, done := s.adminServer(), make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(s.config.Admin); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("the admin listener has ended", "error", err.Error())
		}
	}()
	return func() {
		_ = server.Close() // a profile that runs is nothing to wait for
		<-done
	}
}
