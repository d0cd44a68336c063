package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"idpool/internal/account"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/snapshot"
	"idpool/internal/store"
)

// The states of an access key on the wire.
const (
	keyActive   = "Active"
	keyInactive = "Inactive"
)

// AccessKey is a new access key: the one answer with its secret.
type AccessKey struct {
	UserName        *string
	AccessKeyId     *string
	Status          *string
	SecretAccessKey *string
	CreateDate      *time.Time
}

// CreateAccessKeyOutput is a new access key.
type CreateAccessKeyOutput struct {
	AccessKey *AccessKey
}

// changeKeys changes the access keys of a user, who is the caller where no name is given, and returns him.
func (s *Service) changeKeys(ctx context.Context, call *op.Call, name *string, edit func(*snapshot.Snapshot, *account.User) error) (*account.User, error) {
	of, err := nameOr(call, name)
	if err != nil {
		return nil, err
	}
	var out account.User
	err = s.change(ctx, call, user(of), func(now *snapshot.Snapshot, _ *entity) ([]store.Write, error) {
		u := now.UserNamed(of)
		out = u.User
		out.Keys = slices.Clone(u.Keys)
		if err := edit(now, &out); err != nil {
			return nil, err
		}
		return []store.Write{snapshot.PutUser(&out, u.Version)}, out.Validate()
	})
	return &out, err
}

// CreateAccessKey makes an access key. Its secret is in this answer and, sealed, in the store; nothing shows it again.
func (s *Service) CreateAccessKey(ctx context.Context, call *op.Call, in *OwnUserInput) (*CreateAccessKeyOutput, error) {
	var made account.AccessKey
	var secret string
	u, err := s.changeKeys(ctx, call, in.UserName, func(now *snapshot.Snapshot, u *account.User) (err error) {
		if len(u.Keys) >= maxKeys {
			return fault.New(fault.LimitExceeded, "Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		made, secret, err = s.newKey(call, now)
		u.Keys = append(u.Keys, made)
		return err
	})
	if err != nil {
		return nil, err
	}
	call.Event.SetMinted("", made.ID)
	status := keyActive
	return &CreateAccessKeyOutput{&AccessKey{UserName: &u.Name, AccessKeyId: &made.ID, Status: &status, SecretAccessKey: &secret, CreateDate: &made.Created}}, nil
}

// newKey makes an access key whose id no other key has: it has few random bits.
func (s *Service) newKey(call *op.Call, now *snapshot.Snapshot) (account.AccessKey, string, error) {
	for range tries {
		key, secret, err := account.NewAccessKey(now.Account, s.Random, s.Secrets, call.Now.Truncate(time.Second))
		if err != nil || now.AccessKey(key.ID) == nil {
			return key, secret, err
		}
	}
	return account.AccessKey{}, "", errors.New("no free access key id was found")
}

// keyOf returns the place of an access key among a user's.
func keyOf(u *account.User, id string) (int, error) {
	i := slices.IndexFunc(u.Keys, func(k account.AccessKey) bool { return k.ID == id })
	if i < 0 {
		return 0, noEntity("The Access Key with id %s cannot be found.", id)
	}
	return i, nil
}

// UpdateAccessKeyInput sets the state of an access key.
type UpdateAccessKeyInput struct {
	UserName    *string `shape:"existingUserNameType"`
	AccessKeyId *string `shape:"accessKeyIdType,required"`
	Status      *string `shape:"statusType,required"`
}

// UpdateAccessKey sets the state of an access key. An inactive one is refused at once.
func (s *Service) UpdateAccessKey(ctx context.Context, call *op.Call, in *UpdateAccessKeyInput) (*op.Nothing, error) {
	_, err := s.changeKeys(ctx, call, in.UserName, func(_ *snapshot.Snapshot, u *account.User) error {
		i, err := keyOf(u, *in.AccessKeyId)
		if err != nil {
			return err
		}
		u.Keys[i].Active = *in.Status == keyActive
		return nil
	})
	return nil, err
}

// DeleteAccessKeyInput names an access key.
type DeleteAccessKeyInput struct {
	UserName    *string `shape:"existingUserNameType"`
	AccessKeyId *string `shape:"accessKeyIdType,required"`
}

// DeleteAccessKey deletes an access key, which is refused from then on.
func (s *Service) DeleteAccessKey(ctx context.Context, call *op.Call, in *DeleteAccessKeyInput) (*op.Nothing, error) {
	_, err := s.changeKeys(ctx, call, in.UserName, func(_ *snapshot.Snapshot, u *account.User) error {
		i, err := keyOf(u, *in.AccessKeyId)
		if err != nil {
			return err
		}
		u.Keys = slices.Delete(u.Keys, i, i+1)
		return nil
	})
	return nil, err
}

// ListAccessKeysInput asks for a page of access keys.
type ListAccessKeysInput struct {
	UserName *string `shape:"existingUserNameType"`
	Marker   *string `shape:"markerType"`
	MaxItems *int64  `shape:"maxItemsType"`
}

// ListAccessKeysOutput is a page of access keys.
type ListAccessKeysOutput struct {
	AccessKeyMetadata []AccessKeyMetadata
	IsTruncated       *bool
	Marker            *string
}

// AccessKeyMetadata is an access key without its secret.
type AccessKeyMetadata struct {
	UserName    *string
	AccessKeyId *string
	Status      *string
	CreateDate  *time.Time
}

// ListAccessKeys lists the access keys of a user, by id.
func (s *Service) ListAccessKeys(_ context.Context, call *op.Call, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	name, err := nameOr(call, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := userIn(call.Snapshot, name)
	if err != nil {
		return nil, err
	}
	byID := func(k AccessKeyMetadata) string { return *k.AccessKeyId }
	page, err := list[AccessKeyMetadata]{of: "ListAccessKeys " + u.ID, items: keysOnWire(&u.User), key: byID}.page(call, paging{in.Marker, in.MaxItems})
	return &ListAccessKeysOutput{AccessKeyMetadata: append([]AccessKeyMetadata{}, page.items...), IsTruncated: page.truncated, Marker: page.marker}, err
}

func keysOnWire(u *account.User) []AccessKeyMetadata {
	var out []AccessKeyMetadata
	for _, k := range u.Keys {
		status := keyInactive
		if k.Active {
			status = keyActive
		}
		out = append(out, AccessKeyMetadata{UserName: &u.Name, AccessKeyId: &k.ID, Status: &status, CreateDate: &k.Created})
	}
	slices.SortFunc(out, func(a, b AccessKeyMetadata) int { return strings.Compare(*a.AccessKeyId, *b.AccessKeyId) })
	return out
}
