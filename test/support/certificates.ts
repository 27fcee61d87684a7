/**
 * A certificate authority for tests, and certificates that are right or wrong in one way each.
 */

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { scratchDirectory } from './leash.ts'
import { requireProgram } from './provision.ts'

/** PEM texts, and the files that hold them for programs that want files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

export interface Certificates {
  /** What the tests trust. */
  readonly ca: Certificate
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Certificate
  /** Signed by the CA, for a host that nobody has. */
  readonly otherHost: Certificate
  /** Signed by the CA for the right hosts; ended in 2021. */
  readonly expired: Certificate
  /** For the right hosts, vouched for by nobody else. */
  readonly selfSigned: Certificate
  readonly client: Certificate
  /** A CA that nobody trusts, and a client of its own. */
  readonly strangerCa: Certificate
  readonly strangerClient: Certificate
}

const HERE = 'DNS:localhost,IP:127.0.0.1,IP:::1'

/** As `openssl ca` writes dates: YYYYMMDDHHMMSSZ. */
const VALID = ['-startdate', '20200101000000Z', '-enddate', '20490101000000Z']
const LONG_OVER = ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z']

let made: Promise<Certificates> | undefined

/** Made once per process, removed at its end. */
export function certificates(): Promise<Certificates> {
  made ??= makeAll()
  return made
}

async function makeAll(): Promise<Certificates> {
  const office = new Office(await requireProgram('openssl'), scratchDirectory('certificates'))
  const ca = await office.authority('ca')
  const strangerCa = await office.authority('stranger-ca')
  const [server, otherHost, expired, selfSigned, client, strangerClient] = await Promise.all([
    office.signed('server', ca, { hosts: HERE }),
    office.signed('other-host', ca, { hosts: 'DNS:elsewhere.test' }),
    office.signed('expired', ca, { hosts: HERE, dates: LONG_OVER }),
    office.selfSigned('self-signed', HERE),
    office.signed('client', ca, { hosts: 'DNS:client.test' }),
    office.signed('stranger-client', strangerCa, { hosts: 'DNS:client.test' }),
  ])
  return { ca, server, otherHost, expired, selfSigned, client, strangerCa, strangerClient }
}

/** Where certificates are issued: the `openssl` program and a directory. */
class Office {
  readonly #openssl: string
  readonly #directory: string

  constructor(openssl: string, directory: string) {
    this.#openssl = openssl
    this.#directory = directory
  }

  authority(name: string): Promise<Certificate> {
    return this.#request(name, ['-x509', '-days', '2', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'])
  }

  selfSigned(name: string, hosts: string): Promise<Certificate> {
    return this.#request(name, ['-x509', '-days', '2', '-addext', `subjectAltName=${hosts}`])
  }

  /** `openssl ca` is the one command that takes dates in every version; it wants a ledger and a policy. */
  async signed(
    name: string,
    ca: Certificate,
    terms: { hosts: string; dates?: readonly string[] },
  ): Promise<Certificate> {
    const request = await this.#request(name, [])
    writeFileSync(this.#file(`${name}.ledger`), '')
    writeFileSync(this.#file(`${name}.cnf`), this.#caConfig(name, terms.hosts))
    const config = ['-config', this.#file(`${name}.cnf`), ...(terms.dates ?? VALID)]
    const files = ['-cert', ca.certFile, '-keyfile', ca.keyFile, '-in', request.certFile, '-out', request.certFile]
    await this.#run(['ca', '-batch', '-notext', '-create_serial', ...config, ...files])
    return this.#certificate(name)
  }

  #caConfig(name: string, hosts: string): string {
    return [
      '[ca]\ndefault_ca = test',
      `[test]\ndatabase = ${this.#file(`${name}.ledger`)}\nserial = ${this.#file(`${name}.serial`)}`,
      `new_certs_dir = ${this.#directory}\ndefault_md = sha256\npolicy = any\nx509_extensions = leaf`,
      '[any]\ncommonName = supplied',
      `[leaf]\nbasicConstraints = critical,CA:FALSE\nsubjectAltName = ${hosts}\n`,
    ].join('\n')
  }

  /** A new key, and a request or (with `-x509`) a certificate for it. */
  async #request(name: string, args: readonly string[]): Promise<Certificate> {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      this.#file(`${name}.key`),
    ]
    await this.#run([
      'req',
      '-new',
      '-subj',
      `/CN=evenkeel ${name}`,
      ...key,
      '-out',
      this.#file(`${name}.crt`),
      ...args,
    ])
    return this.#certificate(name)
  }

  #certificate(name: string): Certificate {
    const [certFile, keyFile] = [this.#file(`${name}.crt`), this.#file(`${name}.key`)]
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  }

  #file(name: string): string {
    return join(this.#directory, name)
  }

  async #run(args: readonly string[]): Promise<void> {
    await promisify(execFile)(this.#openssl, args)
  }
}
