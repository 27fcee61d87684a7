import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OptionError } from '../errors.ts'
import type { TlsOptions } from './driver.ts'
import { type Endpoint, readEndpoint, type RedisOptions, showAddress, showEndpoint } from './endpoint.ts'

const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port }) as const

const PLAIN: Endpoint = {
  topology: 'single',
  addresses: [tcp('127.0.0.1', 6379)],
  master: undefined,
  username: undefined,
  password: undefined,
  database: 0,
  tls: undefined,
  clientName: undefined,
  sentinelCredentials: { username: undefined, password: undefined },
}

const READ: readonly [string, RedisOptions | string, Partial<Endpoint>][] = [
  ['nothing at all', {}, {}],
  ['a bare URL', 'redis://cache.local', { addresses: [tcp('cache.local', 6379)] }],
  ['port and database', 'redis://h:7000/3', { addresses: [tcp('h', 7000)], database: 3 }],
  ['a slash without database', 'redis://h/', { addresses: [tcp('h', 6379)] }],
  ['database as parameter', 'redis://h?db=4', { addresses: [tcp('h', 6379)], database: 4 }],
  ['both, agreeing', 'redis://h/4?db=4', { addresses: [tcp('h', 6379)], database: 4 }],
  ['user and password', 'redis://u:p@h', { addresses: [tcp('h', 6379)], username: 'u', password: 'p' }],
  ['a password alone', 'redis://:p@h', { addresses: [tcp('h', 6379)], password: 'p' }],
  ['nobody before the @', 'redis://:@h', { addresses: [tcp('h', 6379)] }],
  ['a user without password', 'redis://u:@h', { addresses: [tcp('h', 6379)], username: 'u', password: '' }],
  ['an encoded password', 'redis://:a%2Fb%40c%3Ad%25@h', { addresses: [tcp('h', 6379)], password: 'a/b@c:d%' }],
  ['a plain @ and : in it', 'redis://u:a@b:c@h:1', { addresses: [tcp('h', 1)], username: 'u', password: 'a@b:c' }],
  ['IPv6', 'redis://[::1]:6380', { addresses: [tcp('::1', 6380)] }],
  ['IPv6 without port', 'redis://[fe80::1%25eth0]', { addresses: [tcp('fe80::1%eth0', 6379)] }],
  ['upper case and spaces around', ' REDIS://h ', { addresses: [tcp('h', 6379)] }],
  ['Valkey', 'valkey://h', { addresses: [tcp('h', 6379)] }],
  ['TLS', 'rediss://h:6380', { addresses: [tcp('h', 6380)], tls: {} }],
  ['TLS to Valkey', 'valkeys://h', { addresses: [tcp('h', 6379)], tls: {} }],
  [
    'TLS, any certificate',
    'rediss://h?ssl_cert_reqs=none',
    { addresses: [tcp('h', 6379)], tls: { rejectUnauthorized: false } },
  ],
  ['a client name', 'redis://h?client_name=shop', { addresses: [tcp('h', 6379)], clientName: 'shop' }],
  [
    'a Unix socket',
    'unix:///run/redis.sock?db=1',
    { addresses: [{ kind: 'socket', path: '/run/redis.sock' }], database: 1 },
  ],
  [
    'a Unix socket with @ in its path',
    'unix:///run/redis@1/s',
    { addresses: [{ kind: 'socket', path: '/run/redis@1/s' }] },
  ],
  [
    'a Unix socket with password',
    'redis+socket://:p@/run/r',
    { addresses: [{ kind: 'socket', path: '/run/r' }], password: 'p' },
  ],
  [
    'sentinels',
    'redis+sentinel://u:p@s1:26379,[::1],s3:5/mymaster/2',
    {
      topology: 'sentinel',
      addresses: [tcp('s1', 26379), tcp('::1', 26379), tcp('s3', 5)],
      master: 'mymaster',
      username: 'u',
      password: 'p',
      database: 2,
    },
  ],
  [
    'sentinels with TLS and a password of their own',
    'rediss+sentinel://s1/m?sentinel_username=su&sentinel_password=s%20p',
    {
      topology: 'sentinel',
      addresses: [tcp('s1', 26379)],
      master: 'm',
      tls: {},
      sentinelCredentials: { username: 'su', password: 's p' },
    },
  ],
  ['a cluster', 'redis+cluster://a:7000,b:7001', { topology: 'cluster', addresses: [tcp('a', 7000), tcp('b', 7001)] }],
  ['a cluster with TLS', 'rediss+cluster://a', { topology: 'cluster', addresses: [tcp('a', 6379)], tls: {} }],
  ['host', { host: 'h' }, { addresses: [tcp('h', 6379)] }],
  ['port alone', { port: 7001 }, { addresses: [tcp('127.0.0.1', 7001)] }],
  ['IPv6 host', { host: '::1', port: 1 }, { addresses: [tcp('::1', 1)] }],
  ['IPv6 host in brackets', { host: '[::1]' }, { addresses: [tcp('::1', 6379)] }],
  ['path', { path: '/s', database: 2 }, { addresses: [{ kind: 'socket', path: '/s' }], database: 2 }],
  [
    'sentinel nodes',
    { sentinel: { nodes: ['s1:1', { host: 's2' }, { host: 's3', port: 3 }], master: 'm', password: 'p' } },
    {
      topology: 'sentinel',
      addresses: [tcp('s1', 1), tcp('s2', 26379), tcp('s3', 3)],
      master: 'm',
      sentinelCredentials: { username: undefined, password: 'p' },
    },
  ],
  [
    'cluster nodes',
    { cluster: { nodes: ['a', 'b:2'] } },
    { topology: 'cluster', addresses: [tcp('a', 6379), tcp('b', 2)] },
  ],
  [
    'fields over the URL',
    { url: 'redis://u:p@h/1', password: 'q', database: 2 },
    { addresses: [tcp('h', 6379)], username: 'u', password: 'q', database: 2 },
  ],
  [
    'TLS settings beside a plain URL',
    { url: 'redis://h', tls: { ca: PEM } },
    { addresses: [tcp('h', 6379)], tls: { ca: PEM } },
  ],
  [
    'TLS settings beside a TLS URL',
    { url: 'rediss://h?ssl_cert_reqs=none', tls: { servername: 'x' } },
    { addresses: [tcp('h', 6379)], tls: { rejectUnauthorized: false, servername: 'x' } },
  ],
  ['TLS by true', { tls: true }, { tls: {} }],
  ['TLS by false', { tls: false }, {}],
  ['empty credentials', { username: '', password: '' }, {}],
]

for (const [title, options, expected] of READ) {
  test(`readEndpoint() reads ${title}`, () => assert.deepEqual(readEndpoint(options), { ...PLAIN, ...expected }))
}

const REFUSED: readonly [string, RedisOptions | string, string, RegExp][] = [
  ['a text without scheme', 'localhost:6379', 'redis.url', /begin with one of redis:\/\/.*without a scheme/],
  ['another scheme', 'http://h', 'redis.url', /got 'http:\/\/'/],
  ['an empty URL', '', 'redis.url', /without a scheme/],
  ['an empty host', 'redis://:6379', 'redis.url', /name a host/],
  [
    'a port that is none',
    'redis://h:http',
    'redis.url',
    /the port in 'redis.url' to be a whole number from 1 to 65535\.$/,
  ],
  ['port 0', 'redis://h:0', 'redis.url', /the port in 'redis.url' to be a whole number from 1 to 65535, got 0\.$/],
  ['port 65536', 'redis://h:65536', 'redis.url', /got 65536/],
  ['a port that is empty', 'redis://h:', 'redis.url', /port/],
  ['IPv6 without brackets', 'redis://::1', 'redis.url', /brackets/],
  ['nonsense in brackets', 'redis://[nope]:1', 'redis.url', /IPv6/],
  ['a database that is none', 'redis://h/cache', 'redis.url', /database.*got 'cache'/],
  ['a negative database', 'redis://h/-1', 'redis.url', /got '-1'/],
  ['more after the database', 'redis://h/1/2', 'redis.url', /nothing but a database/],
  ['two databases', 'redis://h/1?db=2', 'redis.url', /one database/],
  ['an unknown parameter', 'redis://h?timeout=5', 'redis.url', /'timeout' is no parameter.*known: db, client_name/],
  ['a parameter twice', 'redis://h?db=1&db=1', 'redis.url', /only once/],
  ['a certificate check without TLS', 'redis://h?ssl_cert_reqs=none', 'redis.url', /no parameter of this kind/],
  ['an unknown certificate check', 'rediss://h?ssl_cert_reqs=maybe', 'redis.url', /none or required, got 'maybe'/],
  ['a fragment', 'redis://h#1', 'redis.url', /'#…'/],
  ['a user without colon', 'redis://user@h', 'redis.url', /:password@host/],
  ['several hosts in a plain URL', 'redis://a,b', 'redis.url', /one host/],
  ['an empty host among sentinels', 'redis+sentinel://a,,b/m', 'redis.url', /name a host/],
  ['sentinels without master', 'redis+sentinel://a:1', 'redis.url', /name the master/],
  ['a cluster with a database', 'redis+cluster://a/1', 'redis.database', /to be 0 with a cluster, got 1/],
  ['a socket URL without path', 'unix://', 'redis.url', /path of a socket/],
  ['a socket URL with a relative path', 'unix://run/redis.sock', 'redis.url', /absolute path/],
  ['a URL and a host', { url: 'redis://h', host: 'i' }, 'redis.host', /either 'redis.url' or 'redis.host'/],
  ['a path and a port', { path: '/s', port: 1 }, 'redis.port', /either 'redis.path' or 'redis.port'/],
  ['a host that is a URL', { host: 'redis://h' }, 'redis.host', /without scheme and port/],
  ['a host with a port', { host: 'h:1' }, 'redis.host', /alone/],
  ['a port in text', { port: '6379' as unknown as number }, 'redis.port', /whole number, got '6379'/],
  ['a database out of range', { database: -1 }, 'redis.database', /got -1/],
  ['a misspelt option', { hots: 'h' } as RedisOptions, 'hots', /no option of redis; known: url, host/],
  [
    'sentinels that are no list',
    { sentinel: { nodes: 'a' as unknown as string[], master: 'm' } },
    'redis.sentinel.nodes',
    /a list/,
  ],
  ['no sentinels', { sentinel: { nodes: [], master: 'm' } }, 'redis.sentinel.nodes', /at least one/],
  [
    'a sentinel that is no node',
    { sentinel: { nodes: [1 as unknown as string], master: 'm' } },
    'redis.sentinel.nodes[0]',
    /got a number/,
  ],
  ['an empty master', { sentinel: { nodes: ['a'], master: '' } }, 'redis.sentinel.master', /not empty/],
  ['a username alone', { username: 'u' }, 'redis.password', /beside 'redis.username'/],
  ['TLS off beside a TLS URL', { url: 'rediss://h', tls: false }, 'redis.tls', /agree with 'redis.url'/],
  ['TLS over a Unix socket', { path: '/s', tls: true }, 'redis.tls', /Unix socket/],
  ['a file name as certificate', { tls: { ca: '/etc/ca.pem' } }, 'redis.tls.ca', /PEM text/],
  ['a certificate without key', { tls: { cert: PEM } }, 'redis.tls', /together/],
  ['a misspelt TLS option', { tls: { CA: PEM } as TlsOptions }, 'CA', /no option of redis.tls/],
  ['a client name with spaces', { clientName: 'my shop' }, 'redis.clientName', /without spaces, got 'my shop'/],
]

for (const [title, options, option, message] of REFUSED) {
  test(`readEndpoint() refuses ${title}`, () => {
    assert.throws(
      () => readEndpoint(options),
      (error) => error instanceof OptionError && error.option === option && message.test(error.message),
    )
  })
}

const SECRET = 's3cr3t'
const SECRET_ENDS_IN_ERROR: readonly (RedisOptions | string)[] = [
  `redis://user:${SECRET}`, // the host was forgotten
  `redis://${SECRET}@h`,
  `redis://:${SECRET}@h:port`,
  `redis://:${SECRET}@`,
  `redis://:${SECRET}/x@h`,
  `redis://:x/${SECRET}@h`,
  `redis://:x?${SECRET}@h`,
  `redis://:x#${SECRET}@h`,
  `redis://:x?a=${SECRET}@h`,
  `redis://:%${SECRET}@h`,
  `http://:${SECRET}@h`,
  `:${SECRET}@h`,
  `redis://:${SECRET}@h/x`,
  `redis+cluster://:${SECRET}@h/1`,
  `redis+sentinel://s/m?sentinel_password=${SECRET}&sentinel_username=u&x=1`,
  { host: `redis://:${SECRET}@h` },
  { host: 'h', username: 'u', password: 1 as unknown as string },
  { sentinel: { nodes: [`:${SECRET}@h`], master: 'm' } },
  { sentinel: { nodes: ['h'], master: '', password: SECRET } },
  { password: SECRET, tls: { key: SECRET, cert: SECRET } },
]

for (const options of SECRET_ENDS_IN_ERROR) {
  test(`readEndpoint() keeps the secret of ${JSON.stringify(options)} out of its error`, () => {
    assert.throws(
      () => readEndpoint(options),
      (error) => error instanceof OptionError && !`${error.stack}${JSON.stringify(error)}`.includes(SECRET),
    )
  })
}

test('readEndpoint() takes what a handed-in client was configured with where the options say nothing', () => {
  const fromDriver = { address: tcp('d', 1), username: 'du', password: 'dp', database: 5, tls: { servername: 'd' } }
  assert.deepEqual(readEndpoint({}, fromDriver), {
    ...PLAIN,
    addresses: [tcp('d', 1)],
    username: 'du',
    password: 'dp',
    database: 5,
    tls: { servername: 'd' },
  })
  assert.deepEqual(readEndpoint({ url: 'redis://:p@h/0' }, fromDriver), {
    ...PLAIN,
    addresses: [tcp('h', 6379)],
    password: 'p',
  })
  assert.deepEqual(readEndpoint('rediss://h', fromDriver).tls, { servername: 'd' })
})

test('showAddress() puts IPv6 into brackets', () => {
  assert.equal(showAddress(tcp('::1', 6379)), '[::1]:6379')
  assert.equal(showAddress(tcp('h', 1)), 'h:1')
  assert.equal(showAddress({ kind: 'socket', path: '/s' }), '/s')
})

test('showEndpoint() tells the place and no credential', () => {
  assert.equal(showEndpoint(readEndpoint('redis://user:secret@h:1')), 'h:1')
  assert.equal(showEndpoint(readEndpoint('rediss://user:secret@h/2')), 'h:6379, database 2, TLS')
  assert.equal(
    showEndpoint(readEndpoint('redis+sentinel://user:secret@a,b:1/m')),
    "master 'm' of sentinels a:26379, b:1",
  )
  assert.equal(showEndpoint(readEndpoint('redis+cluster://user:secret@a,b:1')), 'cluster of a:6379, b:1')
})
