package arn

import (
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ID makes a pool or identity id, REGION:GUID, from 16 random bytes: a version 4 UUID, so 122 random bits
// (spec cognito-identity §2; a guest's id is a bearer secret, security D3).
func ID(region string, random [16]byte) string {
	random[6] = random[6]&0x0f | 0x40
	random[8] = random[8]&0x3f | 0x80
	h := hex.EncodeToString(random[:])
	return region + ":" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Prefix4 are the first letters of ids, which tell what they name (spec sts-iam §1.5).
const (
	PrefixAccessKey = "AKIA" // a user's access key
	PrefixSession   = "ASIA" // temporary credentials
	PrefixRole      = "AROA"
	PrefixUser      = "AIDA"
	PrefixPolicy    = "ANPA"
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// AccessKeyID makes a 20-character access key id that carries its account, from 5 random bytes (39 of their bits are
// used): an id, not a secret. Spec sts-iam §1.6, "access key id encodes the account".
func AccessKeyID(prefix, account string, random [5]byte) (string, error) {
	n, err := strconv.ParseUint(account, 10, 40)
	if err != nil || !ValidAccount(account) {
		return "", fmt.Errorf("account %q is not 12 digits", account)
	}
	z := uint64(1)<<47 | n<<7 | uint64(random[0]&0x7f)
	var b [10]byte
	binary.BigEndian.PutUint16(b[0:], uint16(z>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(z))
	copy(b[6:], random[1:])
	return prefix + base32Text.EncodeToString(b[:]), nil
}

// AccountOf returns the account that an access key id carries; false for ids of another form, such as those that AWS
// made before 2019.
func AccountOf(accessKeyID string) (string, bool) {
	if len(accessKeyID) != 20 {
		return "", false
	}
	b, err := base32Text.DecodeString(accessKeyID[4:])
	if err != nil || b[0]&0x80 == 0 {
		return "", false
	}
	z := uint64(binary.BigEndian.Uint16(b[0:]))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
	account := fmt.Sprintf("%012d", z&0x7fffffffff80>>7)
	return account, len(account) == 12
}

// UniqueID makes the 21-character unique id of a role, user or policy from 11 random bytes.
func UniqueID(prefix string, random [11]byte) string {
	return prefix + base32Text.EncodeToString(random[:])[:17]
}

// ProviderID makes the unique id of a SAML provider from 16 random bytes: 26 capital letters and digits, of the 22 to 64
// that AWS's model has for it.
func ProviderID(random [16]byte) string { return base32Text.EncodeToString(random[:]) }

// Region returns the part of a pool or identity id before its colon.
func Region(id string) string {
	region, _, _ := strings.Cut(id, ":")
	return region
}
