package mail

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Folder writes each message into a file of its own, for development: nothing leaves the machine. The files hold tokens that open
// accounts, so that only their owner may read them.
type Folder struct {
	Path, From string
	Now        func() time.Time
	Random     io.Reader
}

// Send writes the message to a new file, whose name begins with the time.
func (f *Folder) Send(_ context.Context, m Message) error {
	now := f.Now().UTC()
	// As it is: quoted-printable, which every mail reader undoes, would break a long link for whoever opens the file. (7bit of the
	// library announces 7bit and writes quoted-printable.)
	msg, err := compose(f.From, m, gomail.NoEncoding, now, f.Random)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return err
	}
	tail := make([]byte, 4)
	if _, err := io.ReadFull(f.Random, tail); err != nil {
		return err
	}
	name := now.Format("20060102T150405.000000Z") + "-" + hex.EncodeToString(tail) + ".eml"
	path := filepath.Join(f.Path, name)
	// Whoever watches the folder sees whole messages: a file has its name when it is complete.
	file, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = msg.WriteTo(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
