package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that PostgreSQL runs as. PostgreSQL refuses to run as
// root, so a root process gives it another account; everybody else gives it
// their own.
type account struct {
	name     string
	uid, gid uint32
	switched bool // another account than this process's own
}

// chooseAccount returns the owner of data if that exists, so that a cluster
// stays usable whoever starts it first; else the process's own account, or for
// root that of postgres or nobody.
func chooseAccount(data string) (account, error) {
	root := os.Geteuid() == 0
	if info, err := os.Stat(data); err == nil {
		uid, gid := owner(info)
		a := account{name: userName(uid), uid: uid, gid: gid, switched: root}
		switch {
		case root && uid == 0:
			return account{}, fmt.Errorf("%s belongs to root, and PostgreSQL refuses to run as root: give it to another user, for example by \"chown -R postgres %s\"", data, data)
		case !root && int(uid) != os.Geteuid():
			return account{}, fmt.Errorf("%s belongs to user %q: start as that user or as root, or choose another data directory", data, a.name)
		}
		return a, nil
	}
	if !root {
		return account{name: "this user", uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}, nil //nolint:gosec // ids are 32 bits
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{name: name, uid: uint32(uid), gid: uint32(gid), switched: true}, nil
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is no user \"postgres\" or \"nobody\" to run it as: start as an ordinary user")
}

// credential returns what makes a child run as the account, nil for none.
func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// mkdir makes dir, mode 0700, as the account's own. It may exist already if it
// is just that.
func (a account) mkdir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil && a.switched:
		return os.Chown(dir, int(a.uid), int(a.gid))
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if uid, _ := owner(info); !info.IsDir() || uid != a.uid || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("%s exists and is not a private directory of user %q: remove it", dir, a.name)
	}
	return nil
}

// mayEnter says in one sentence which directory on the way to dir, if any, the
// account cannot pass.
func (a account) mayEnter(dir string) error {
	if !a.switched {
		return nil
	}
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return err
		}
		execute := fs.FileMode(0o001)
		switch uid, gid := owner(info); {
		case uid == a.uid:
			execute = 0o100
		case gid == a.gid:
			execute = 0o010
		}
		if info.Mode()&execute == 0 {
			return fmt.Errorf("PostgreSQL runs as user %q, who cannot enter %s (mode %s): "+
				"choose another data directory, for example /var/lib/kobling, or let others pass with \"chmod o+x %s\"",
				a.name, d, info.Mode(), d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
	}
}

func owner(info fs.FileInfo) (uid, gid uint32) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid, st.Gid
	}
	return 0, 0
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
