package account

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"idpool/internal/arn"
)

// sealer keeps what it was given, or fails.
type sealer struct {
	id, secret string
	err        error
}

func (s *sealer) SealUserSecret(id, secret string) ([]byte, error) {
	s.id, s.secret = id, secret
	return []byte("sealed"), s.err
}

func TestNewAccessKey(t *testing.T) {
	s := &sealer{}
	key, secret, err := NewAccessKey("111122223333", bytes.NewReader(make([]byte, 35)), s, made)
	if err != nil {
		t.Fatal(err)
	}
	if of, ok := arn.AccountOf(key.ID); !ok || of != "111122223333" || !strings.HasPrefix(key.ID, "AKIA") {
		t.Errorf("got id %s of account %s", key.ID, of)
	}
	if secret != strings.Repeat("A", 40) || s.id != key.ID || s.secret != secret {
		t.Errorf("got secret %q, sealed %q for %s", secret, s.secret, s.id)
	}
	if !key.Active || !key.Created.Equal(made) || string(key.SealedSecret) != "sealed" {
		t.Errorf("got %+v", key)
	}
}

func TestNewAccessKeyFails(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		account string
		random  io.Reader
		sealer  Sealer
	}{
		"no randomness":     {"111122223333", bytes.NewReader(make([]byte, 34)), &sealer{}},
		"no account":        {"1", bytes.NewReader(make([]byte, 35)), &sealer{}},
		"a secret unsealed": {"111122223333", bytes.NewReader(make([]byte, 35)), &sealer{err: broken}},
	} {
		if key, secret, err := NewAccessKey(c.account, c.random, c.sealer, made); err == nil || secret != "" || key.ID != "" {
			t.Errorf("%s: got %+v and a secret of %d characters, %v; want nothing but an error", name, key, len(secret), err)
		}
	}
	if id, err := NewID(arn.PrefixRole, bytes.NewReader(make([]byte, 10))); err == nil {
		t.Errorf("got %s, want an error", id)
	}
	if id, err := NewID(arn.PrefixRole, bytes.NewReader(make([]byte, 11))); err != nil || id != "AROAAAAAAAAAAAAAAAAAA" {
		t.Errorf("got %s, %v", id, err)
	}
}

// TestAWSManaged: they are valid, in order, and none allows more than it says.
func TestAWSManaged(t *testing.T) {
	all := AWSManaged()
	if len(all) != 4 {
		t.Fatalf("got %d policies, want 4", len(all))
	}
	ids := map[string]bool{}
	for i, m := range all {
		wantFault(t, m.Validate(), "", "")
		if i > 0 && all[i-1].Name >= m.Name || len(m.ID) != 21 || !strings.HasPrefix(m.ID, arn.PrefixPolicy) || ids[m.ID] {
			t.Errorf("got %s with id %s", m.Name, m.ID)
		}
		ids[m.ID] = true
		if wild := strings.Contains(m.Versions["v1"], `"Action":"*"`); wild != (m.Name == "AdministratorAccess") {
			t.Errorf("%s: allows everything %v", m.Name, wild)
		}
	}
	for _, action := range []string{"Create", "Put", "Update", "Delete", "Set", "Attach", "Tag", "GetCredentials", "GetOpenId", "GetId\""} {
		if strings.Contains(all[3].Versions["v1"], ":"+action) {
			t.Errorf("ReadOnlyAccess has an action %s…", action)
		}
	}
}
