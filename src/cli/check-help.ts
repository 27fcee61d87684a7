/** What `evenkeel check --help` says. */
export const CHECK_HELP = `Can we be served now?

Usage: evenkeel check [options] [url ...]

Looks at each endpoint layer by layer and names the first one that fails, with its cause and what to do about it.
Without a URL it reads the environment: REDIS_URL, or REDIS_HOST and its companions, REDIS_SENTINELS,
REDIS_CLUSTER_NODES, CELERY_BROKER_URL, CELERY_RESULT_BACKEND, MEDUSA_REDIS_URL, DATABASE_URL, or POSTGRES_HOST and its
companions, S3_ENDPOINT, MINIO_ENDPOINT, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL.

Options:
  --env-file <file>    Read the variables from this file, and only from it; may be given several times
  --write              Also write a value that goes by itself, and read it back
  --key-prefix <text>  What the key that is read and written in Redis begins with (default evenkeel:check:)
  --probes <n>         Round trips to measure, 0 for none (default 10)
  --timeout <time>     Budget for each endpoint, kept in every state (default 5s)
  --wait <time>        Check again, ever more slowly, until all is served or the time is over
  --ca <file>          PEM file of the authority that signed the servers' certificates
  --cert <file>, --cert-key <file>    PEM files of the client certificate and its key
  --json               Print the result as JSON
  -q, --quiet          Print nothing when all is served, else one line per endpoint that is not
  -h, --help           This text

Exit code: 0 all served, 1 not served, 2 wrong use.

Examples:
  evenkeel check                                           What the environment names
  evenkeel check --env-file .env --write                   What the application will meet
  evenkeel check redis://10.0.0.5:6379 tcp://10.0.0.9:25   Some endpoints
  evenkeel check redis+sentinel://s1,s2,s3/mymaster
  evenkeel check --wait 60s && exec node server.js         A gate before the start
  evenkeel check --quiet                                   A health check for a container
`
