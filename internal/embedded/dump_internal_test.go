package embedded

import (
	"strings"
	"testing"
)

// TestNoSecretReachesAnArgument: what others of this machine see in the list of
// processes has no password, and nothing that PostgreSQL's programs refuse.
func TestNoSecretReachesAnArgument(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ address, target, password string }{
		{"postgres://kobling:se%40cret@db:5432/kobling", "postgres://kobling@db:5432/kobling", "se@cret"},
		{"postgres://kobling@db/kobling?password=secret&sslmode=require&pool_max_conns=9", "postgres://kobling@db/kobling?sslmode=require", "secret"},
		{"postgresql:///kobling?host=/run/a+b&jit=off", "postgresql:///kobling?host=%2Frun%2Fa%20b", ""},
		{"postgres://kobling@db/kobling?sslrootcert=/etc/ca.pem", "postgres://kobling@db/kobling?sslrootcert=%2Fetc%2Fca.pem", ""},
	} {
		target, password, err := libpqAddress(tt.address)
		if target != tt.target || password != tt.password || err != nil {
			t.Errorf("%s: %s, %s, %v", tt.address, target, password, err)
		}
	}
	for _, bad := range []string{"host=db password=secret", "http://u:secret@db", "postgres://u:secret@[::1"} {
		if _, _, err := libpqAddress(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
