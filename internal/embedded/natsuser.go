package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/crypto/bcrypt"
)

// LocalUser is the NATS user of other processes on this machine: the kobling
// commands, the nats tool, a producer's program.
const LocalUser = "local"

// ServiceUser is the NATS user of other processes that play roles of the service
// against this server. It may do everything, and is known only with
// [NATSOptions.Service].
const ServiceUser = "service"

// localPermissions returns what a local client may do: what a producer of any
// organisation may, and ask the API. It cannot write canonical profiles or
// control messages, and it can administer no stream.
//
// Publishing into a stream with acknowledgement needs no right on $JS.API. The
// three that are given let a client see that JetStream and the stream INTAKE
// exist, and read the last rejection of a profile.
func localPermissions() *server.Permissions {
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"intake.>",
			"kobling.api.>",
			"$JS.API.INFO",
			"$JS.API.STREAM.INFO.INTAKE",
			"$JS.API.DIRECT.GET.EVENTS.rejections.>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{
			"rejections.>",
			"events.>",
			"_INBOX.>",
		}},
	}
}

// OperatorUser is the NATS user of the commands that look after an installation:
// audit, backup, rebuild.
const OperatorUser = "operator"

// operatorPermissions returns what the operator may do: read every stream, take
// snapshots, have messages delivered again, and ask the API. It cannot write,
// delete or administer a stream either; what has to be written is written while
// the service is stopped, or by the service.
func operatorPermissions() *server.Permissions {
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"kobling.api.>",
			"$JS.API.INFO",
			"$JS.API.STREAM.INFO.*",
			"$JS.API.STREAM.MSG.GET.*",
			"$JS.API.DIRECT.GET.>",
			"$JS.API.STREAM.SNAPSHOT.*",
			"$JS.SNAPSHOT.ACK.>",
			"$JS.API.CONSUMER.INFO.>",
			"$JS.API.CONSUMER.LIST.*",
			"$JS.API.CONSUMER.RESET.PROFILES.*",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}
}

// users returns the password users of the server. The server gets a hash, since
// it warns of plain passwords; the cheapest will do for 128 random bits.
func (n *NATS) users() ([]*server.User, error) {
	users := []*server.User{
		{Username: LocalUser, Password: n.password, Permissions: localPermissions()},
		{Username: OperatorUser, Password: n.operator, Permissions: operatorPermissions()},
	}
	if n.service != "" {
		users = append(users, &server.User{Username: ServiceUser, Password: n.service})
	}
	for _, u := range users {
		hash, err := bcrypt.GenerateFromPassword([]byte(u.Password), bcrypt.MinCost)
		if err != nil {
			return nil, fmt.Errorf("hash the password of %s: %w", u.Username, err)
		}
		u.Password = string(hash)
	}
	return users, nil
}

// keptPassword returns the password kept in the file name, making one at the
// first start.
func keptPassword(name string) (string, error) {
	b, err := os.ReadFile(name) //nolint:gosec // inside our own directory
	if err == nil && len(strings.TrimSpace(string(b))) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	password := rand.Text()
	// Under another name first: a crash must not leave an empty password file.
	if err := os.WriteFile(name+".new", []byte(password+"\n"), 0o600); err != nil {
		return "", err
	}
	return password, os.Rename(name+".new", name)
}
