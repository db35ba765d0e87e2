package oauth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/sqldb"
)

// SigningKey is a signing key as an administrator sees it. A zero time has not been decided.
type SigningKey struct {
	KeyID     string
	Algorithm Algorithm
	State     KeyState
	CreatedAt time.Time
	// SignsFrom and SignsUntil are when it signs, VerifiesUntil is when the last of its tokens has expired.
	SignsFrom, SignsUntil, VerifiesUntil time.Time
	RevokedAt                            time.Time
}

func (t table) signingKey(i int) SigningKey {
	l := t.lives[i]
	return SigningKey{
		KeyID: t.rows[i].kid, Algorithm: Algorithm(t.rows[i].algorithm), State: l.state(t.now), CreatedAt: l.createdAt,
		SignsFrom: l.signsFrom, SignsUntil: l.signsUntil, VerifiesUntil: l.verifiesUntil, RevokedAt: l.revokedAt,
	}
}

// List returns all keys that there ever were, the newest first. It needs no secret.
func (s *KeyStore) List(ctx context.Context) ([]SigningKey, error) {
	t, err := s.read(ctx)
	list := make([]SigningKey, len(t.rows))
	for i := range t.rows {
		list[i] = t.signingKey(i)
	}
	return list, err
}

// Rotation says how to rotate.
type Rotation struct {
	// Algorithm is that of the new key; where it is empty, that of the key before it.
	Algorithm Algorithm
	// Soon does without the time in which verifiers elsewhere learn of the key. Our own processes learn of it all the same.
	Soon bool
}

// attempts is how often a change is decided anew because another process changed the table meanwhile. A rotation that
// loses to another finds the key of the winner at the second look; more take revocations in the same moment.
const attempts = 5

var errContended = problem.Unavailable.New("other processes are changing the signing keys: repeat")

// Rotate publishes the next signing key, which signs once everybody has had the time to learn of it. Where one is published
// already and does not sign yet, that one is returned and made is false: however many rotate at once, in however many
// processes, one key is made.
func (s *KeyStore) Rotate(ctx context.Context, r Rotation) (next SigningKey, made bool, err error) {
	sealer, err := newSealer(s.EncryptionKey)
	if err != nil {
		return SigningKey{}, false, err
	}
	for range attempts {
		t, err := s.read(ctx)
		if err != nil {
			return SigningKey{}, false, err
		}
		if err := t.prove(sealer); err != nil {
			return SigningKey{}, false, err
		}
		wait := publishFor
		if r.Soon {
			wait = publishSoon
		}
		if i := t.index(KeyPublished); i >= 0 {
			next, done, err := s.hasten(ctx, t, i, r, t.now.Add(wait))
			if done || err != nil {
				return next, false, err
			}
			continue
		}
		if t.countInForce() >= maxKeys {
			return SigningKey{}, false, fmt.Errorf("there are %d signing keys in force already: wait until the tokens of the oldest have expired", maxKeys)
		}
		next, done, err := s.add(ctx, sealer, t, t.nextAlgorithm(r.Algorithm), t.now.Add(wait))
		if done || err != nil {
			return next, done, err
		}
	}
	return SigningKey{}, false, errContended
}

// nextAlgorithm returns what was asked for, or the algorithm of the newest key in force.
func (t table) nextAlgorithm(asked Algorithm) Algorithm {
	if asked != "" {
		return asked
	}
	if i := t.index(KeyPublished, KeySigning); i >= 0 {
		return Algorithm(t.rows[i].algorithm)
	}
	return EdDSA
}

// hasten lets a key that is published sign at a time that is sooner than its own.
func (s *KeyStore) hasten(ctx context.Context, t table, i int, r Rotation, from time.Time) (next SigningKey, done bool, err error) {
	next = t.signingKey(i)
	if r.Algorithm != "" && r.Algorithm != next.Algorithm {
		return SigningKey{}, false, fmt.Errorf("the %s key %s is published already and signs from %s: rotate again after that, or revoke it first",
			next.Algorithm, next.KeyID, next.SignsFrom.UTC().Format(time.RFC3339))
	}
	if !r.Soon || !from.Before(next.SignsFrom) {
		return next, true, nil
	}
	next.SignsFrom = from
	done, err = s.change(ctx, t.generation, func(tx *sql.Tx) error { return signFrom(ctx, tx, next.KeyID, from) })
	return next, done, err
}

func signFrom(ctx context.Context, tx *sql.Tx, kid string, from time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE signing_keys SET signs_from = $2 WHERE kid = $1`, kid, from.UnixMicro())
	return err
}

// due reports whether the key that signs is older than it may be, and no other is on its way.
func (t table) due(after time.Duration) bool {
	if t.index(KeyPublished) >= 0 {
		return false
	}
	i := t.index(KeySigning)
	return i >= 0 && !t.now.Before(t.lives[i].signsFrom.Add(after))
}

// prove returns an error where the secret is not the one that the keys are kept under: what is sealed with it no other
// process could open. One key that opens is proof, so that a damaged one does not stand in the way of what repairs it.
func (t table) prove(s sealer) error {
	var first error
	for i, r := range t.rows {
		if !t.inForce(i) {
			continue
		}
		_, err := r.open(s)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// Revoke ends a key at once, with every token that it has signed: for a private key that others may have. Where no other
// key signs, the one that is published begins, or a new one is made. A key that was revoked before stays so, and that is no error;
// for a kid that no key has the error wraps sqldb.ErrNotFound.
func (s *KeyStore) Revoke(ctx context.Context, kid string) (SigningKey, error) {
	sealer, err := newSealer(s.EncryptionKey)
	if err != nil {
		return SigningKey{}, err
	}
	for range attempts {
		t, err := s.read(ctx)
		if err != nil {
			return SigningKey{}, err
		}
		i := t.find(kid)
		if i < 0 {
			return SigningKey{}, fmt.Errorf("%w: no signing key has this kid, gatehouse signing-key list shows all of them", sqldb.ErrNotFound)
		}
		if t.lives[i].state(t.now) == KeyRevoked {
			return t.signingKey(i), nil
		}
		if err := t.prove(sealer); err != nil {
			return SigningKey{}, err
		}
		revoked, done, err := s.revoke(ctx, sealer, t, i)
		if done || err != nil {
			return revoked, err
		}
	}
	return SigningKey{}, errContended
}

func (t table) find(kid string) int {
	for i, r := range t.rows {
		if r.kid == kid {
			return i
		}
	}
	return -1
}

func (s *KeyStore) revoke(ctx context.Context, sealer sealer, before table, i int) (revoked SigningKey, done bool, err error) {
	after := before.revoked(i)
	follow := func(*sql.Tx) error { return nil }
	if signing, published := after.index(KeySigning), after.index(KeyPublished); signing < 0 && published >= 0 {
		follow = func(tx *sql.Tx) error { return signFrom(ctx, tx, after.rows[published].kid, after.now) }
	} else if signing < 0 {
		row, err := s.newRow(sealer, before, before.nextAlgorithm(""), after.now)
		if err != nil {
			return SigningKey{}, false, err
		}
		follow = func(tx *sql.Tx) error { return row.insert(ctx, tx) }
	}
	done, err = s.change(ctx, before.generation, func(tx *sql.Tx) error {
		// The private half is of no use to anyone but a thief.
		_, err := tx.ExecContext(ctx, `UPDATE signing_keys SET revoked_at = $2, private_key = '' WHERE kid = $1`, before.rows[i].kid, before.now.UnixMicro())
		return errors.Join(err, follow(tx))
	})
	return after.signingKey(i), done, err
}

// revoked returns the table as it is when a key has been revoked.
func (t table) revoked(i int) table {
	rows := append([]keyRow(nil), t.rows...)
	rows[i].revokedAt = sql.NullInt64{Int64: t.now.UnixMicro(), Valid: true}
	return newTable(t.generation, rows, t.now)
}

// change makes a change that was decided at a generation, on the condition that it is still the present one. The condition
// and the mark that it was met are one statement, which holds everybody else back until the end of the transaction.
func (s *KeyStore) change(ctx context.Context, generation int64, f func(tx *sql.Tx) error) (done bool, err error) {
	err = s.DB.Write(ctx, func(tx *sql.Tx) error {
		done = false
		var id int64
		err := tx.QueryRowContext(ctx, `UPDATE signing_key_generation SET generation = generation + 1
			WHERE id = 1 AND generation = $1 RETURNING id`, generation).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		done = true
		return f(tx)
	})
	return done && err == nil, err
}

// keyIDRandomness are the random bytes of a kid: a database that is made anew on the same day must not use a kid again, because
// verifiers may still hold the old key under it.
const keyIDRandomness = 6

// newRow makes a key. It is done before the transaction, because an RSA key takes up to a second.
func (s *KeyStore) newRow(sealer sealer, t table, a Algorithm, from time.Time) (keyRow, error) {
	random := make([]byte, keyIDRandomness)
	if _, err := io.ReadFull(s.Random, random); err != nil {
		return keyRow{}, fmt.Errorf("read randomness for a signing key: %w", err)
	}
	private, err := a.generate(s.Random)
	if err != nil {
		return keyRow{}, err
	}
	r := keyRow{
		kid: fmt.Sprintf("%s-%x", t.now.UTC().Format(time.DateOnly), random), algorithm: string(a),
		generation: t.generation + 1, createdAt: t.now.UnixMicro(), signsFrom: from.UnixMicro(),
	}
	if r.private, err = sealer.seal(s.Random, r.kid, private); err != nil {
		return keyRow{}, err
	}
	r.public, err = encodePublic(private.Public())
	return r, err
}

func (r keyRow) insert(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO signing_keys (kid, generation, algorithm, private_key, public_key, created_at, signs_from)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, r.kid, r.generation, r.algorithm, r.private, r.public, r.createdAt, r.signsFrom)
	return err
}

// add makes a key that signs from a time, and destroys the private halves of those that have been gone for a while. It
// reports whether it did: not where another process changed the table meanwhile.
func (s *KeyStore) add(ctx context.Context, sealer sealer, t table, a Algorithm, from time.Time) (added SigningKey, done bool, err error) {
	row, err := s.newRow(sealer, t, a, from)
	if err != nil {
		return SigningKey{}, false, err
	}
	done, err = s.change(ctx, t.generation, func(tx *sql.Tx) error {
		for i, r := range t.rows {
			if t.lives[i].state(t.now.Add(-destroyAfter)) != KeyGone {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE signing_keys SET private_key = '' WHERE kid = $1`, r.kid); err != nil {
				return err
			}
		}
		return row.insert(ctx, tx)
	})
	after := newTable(row.generation, append([]keyRow{row}, t.rows...), t.now)
	return after.signingKey(0), done, err
}
