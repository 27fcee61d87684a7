/** What `evenkeel doctor --help` says. */
export const DOCTOR_HELP = `Why does Redis not serve, or not for long?

Usage: evenkeel doctor [options] [check ...] [url ...]

Collects evidence from the server, from the machine when Redis runs on it, and from the application's files; judges it by
about a hundred checks; and says first what most likely is the cause, with the command that mends it. It changes nothing.
Without a URL it reads the environment as evenkeel check does; when that names nothing it looks at redis://127.0.0.1:6379,
with the password of REDISCLI_AUTH. Names of checks and layers are those of --list.

Options:
  --list               Every check: id, severity, what it looks at; with --json also its layer and why it matters
  --only <words>       Only these layers or checks, separated by commas
  --skip <words>       Not these
  --role <uses>        What the data is for: cache=db0,queue=db1 or queue=bull:* or cache; else the names of keys tell.
                       Words: cache, sessions, limits, queue, results, events, checkpoints
  --env-file <file>    Read the variables from this file, and only from it; may be given several times
  --config <file>      redis.conf, where it is not found by itself
  --unit <name>        The systemd unit of Redis, likewise
  --compose <file>     A compose file of the application; may be given several times
  --log <file>         Instead of all that: read this log of Redis or of an application for signs of trouble, - for
                       standard input; may be given several times, *.gz too
  --bundle [file.tar.gz]    Also write what was seen into an archive for whoever helps, without secrets
  --timeout <time>     Budget for all of it, kept in every state (default 10s)
  --ca <file>          PEM file of the authority that signed the server's certificate
  --cert <file>, --cert-key <file>    PEM files of the client certificate and its key
  --acl                Print the command that makes a user who may do just what the doctor needs
  --json               Print the result as JSON
  -v, --verbose        Tell of checks too that have nothing to say
  -h, --help           This text

Exit code: 0 nothing fails, 1 a check fails, 2 wrong use. A check that may not run says so, and never passes for ok.

Examples:
  evenkeel doctor                                          What the environment names
  evenkeel doctor redis://10.0.0.5:6379                    One server
  sudo evenkeel doctor                                     With what only root may read of this machine
  evenkeel doctor memory.policy --role cache=db0,queue=db1
  evenkeel doctor --only memory,persistence --json
  evenkeel doctor --log /var/log/redis/redis-server.log
  docker logs app 2>&1 | evenkeel doctor --log -
  evenkeel doctor --bundle                                 For a support request
  evenkeel doctor --acl                                    The user for it
`
